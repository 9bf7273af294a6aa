//! The words of each language, and the templates that are shipped.

/// The words of one language.
pub(super) struct Translation {
    /// Primary subtag of its BCP 47 tags.
    pub(super) subtag: &'static str,
    pub(super) greeting: &'static str,
    pub(super) greeting_without_name: &'static str,
    /// A day and a time of it.
    pub(super) date: &'static str,
    /// The end of a day.
    pub(super) end_of_day: &'static str,
    /// Behind both: in which zone.
    pub(super) in_zone: &'static str,
    /// What zones are called, by their IANA names.
    pub(super) zones: &'static [(&'static str, &'static str)],
    /// What a zone is called whose name is not among them.
    pub(super) other_zone: &'static str,
    pub(super) acknowledgement: Source,
    pub(super) outcome: Source,
    pub(super) recourse: Source,
    pub(super) extension: Source,
    pub(super) holding: Source,
    pub(super) survey: Source,
    pub(super) shortage: Source,
    pub(super) closing_soon: Source,
    pub(super) progress: Source,
    pub(super) withdrawal: Source,
    pub(super) call_back_planned: Source,
    pub(super) call_back_missed: Source,
    pub(super) upheld: &'static str,
    pub(super) partly_upheld: &'static str,
    pub(super) not_upheld: &'static str,
    pub(super) received: &'static str,
    pub(super) in_hand: &'static str,
    pub(super) carrying_out: &'static str,
}

/// A template as it is shipped.
pub(super) struct Source {
    pub(super) subject: &'static str,
    pub(super) body: &'static str,
    /// As a text message: in no more parts than are sent, the places filled.
    pub(super) short: &'static str,
}

/// Every language there is; the first serves all others.
pub(super) static TRANSLATIONS: [Translation; 2] = [ENGLISH, CHINESE];

const ENGLISH: Translation = Translation {
    subtag: "en",
    greeting: "Dear {name},",
    greeting_without_name: "Dear Sir or Madam,",
    date: "%-d %B %Y, %H:%M",
    end_of_day: "the end of %-d %B %Y",
    in_zone: " ({zone})",
    zones: &[
        ("UTC", "UTC"),
        ("Asia/Shanghai", "Beijing time"),
        ("Asia/Kolkata", "India time"),
        ("Europe/London", "UK time"),
        ("America/New_York", "US Eastern time"),
        ("America/Chicago", "US Central time"),
        ("America/Denver", "US Mountain time"),
        ("America/Los_Angeles", "US Pacific time"),
        ("Europe/Brussels", "Brussels time"),
        ("Australia/Sydney", "Sydney time"),
    ],
    other_zone: "{city} time",
    acknowledgement: Source {
        subject: "We have received your complaint: {{ subject }}",
        body: "{{ greeting }}

We have received your complaint and have begun to look into it.

Your complaint: {{ subject }}
Its number: {{ case }}

{% if has_code %}With the receipt code you were given when you complained you can see at any time how far it is. Please keep that code to yourself: whoever has it can follow your complaint.

{% endif %}You need not do anything now. We will write to you again when a decision has been made.
",
        short: "We have received your complaint {{ case }} and have begun to look into it. You need not do anything now.",
    },
    outcome: Source {
        subject: "The outcome of your complaint: {{ subject }}",
        body: "{{ greeting }}

We have decided on your complaint.

Your complaint: {{ subject }}
Its number: {{ case }}
Our decision: {{ decision }}

{% if reasons %}Our reasons:
{{ reasons }}

{% endif %}Please tell us by {{ until }} whether you accept this outcome. If you do not, say what has not been put right: your complaint will then be looked at again, one level up. If we do not hear from you by then, we will close it.

Please also tell us, from 1 (very dissatisfied) to 5 (very satisfied), how satisfied you are with the way your complaint was handled, and with what came of it.

To answer, contact us the way you complained and give the number above.
",
        short: "We have decided on your complaint {{ case }}: {{ decision }} Please tell us by {{ until }} whether you accept this, the way you complained.",
    },
    recourse: Source {
        subject: "Your complaint is closed; where else you can turn: {{ subject }}",
        body: "{{ greeting }}

You have told us that you do not accept the outcome of your complaint. We have looked at it as often as our procedure allows and have closed it.

Your complaint: {{ subject }}
Its number: {{ case }}

You may now turn to the ombudsman or the supervisory authority responsible for us, or to a court. Please give them the number above: we will answer their questions and hand over our records of your complaint.
",
        short: "Your complaint {{ case }} is closed. You may now turn to the ombudsman or the supervisory authority responsible for us, or to a court.",
    },
    extension: Source {
        subject: "Your complaint takes longer: {{ subject }}",
        body: "{{ greeting }}

We need more time to decide on your complaint.

Your complaint: {{ subject }}
Its number: {{ case }}

{% if reasons %}Our reasons:
{{ reasons }}

{% endif %}We will give you our answer by {% if until %}{{ until }}{% else %}the time we will tell you as soon as we know it{% endif %}. You need not do anything now.
",
        short: "Your complaint {{ case }} takes longer. {% if until %}We will answer by {{ until }}.{% else %}We will tell you by when as soon as we know.{% endif %}",
    },
    holding: Source {
        subject: "News of your complaint: {{ subject }}",
        body: "{{ greeting }}

We have not decided on your complaint yet.

Your complaint: {{ subject }}
Its number: {{ case }}

{{ text }}

Why it takes longer:
{{ reason }}

{% if next %}We will write to you again by {{ next }}.

{% endif %}{% if until %}We will give you our answer by {{ until }}.

{% endif %}You need not do anything now.
",
        short: "We have not decided on your complaint {{ case }} yet.{% if next %} We will write again by {{ next }}.{% endif %}{% if until %} We will answer by {{ until }}.{% endif %}",
    },
    survey: Source {
        subject: "How did you find our handling of your complaint? {{ subject }}",
        body: "{{ greeting }}

We have told you the outcome of your complaint. {% if reminder %}We have asked you before and have not heard from you; this is the last time we ask. {% endif %}Please tell us how you found it; whoever handled your complaint has no part in this survey.

Your complaint: {{ subject }}
Its number: {{ case }}

1. {{ handling }} (1 very dissatisfied – 5 very satisfied)
2. {{ outcome }} (1 very dissatisfied – 5 very satisfied)
3. {{ effort }} (1 very easy – 5 very hard)
4. {{ comment }}

To answer, give this code where you complained: {{ code }}
It can be used once, until {{ until }}. Please keep it to yourself.
",
        short: "How did you find our handling of your complaint {{ case }}? Please tell us until {{ until }}, where you complained, with this code: {{ code }}",
    },
    shortage: Source {
        subject: "Your remedy takes longer: {{ subject }}",
        body: "{{ greeting }}

What we are doing to put your complaint right takes longer than we thought: we have run out of {{ article }}.

Your complaint: {{ subject }}
Its number: {{ case }}

We expect it by {{ until }} and go on then by ourselves. You need not do anything now. If you do not want to wait, contact us the way you complained and give the number above: we will look for another remedy with you.
",
        short: "The remedy for your complaint {{ case }} takes longer: {{ article }} has run out. We expect it by {{ until }} and go on then by ourselves.",
    },
    closing_soon: Source {
        subject: "Please answer by the date below: {{ subject }}",
        body: "{{ greeting }}

We have told you the outcome of your complaint, and you have not told us yet whether you accept it.

Your complaint: {{ subject }}
Its number: {{ case }}

You can do so until {{ until }}. If you do not accept the outcome, say what has not been put right: your complaint will then be looked at again, one level up. After that time no answer is taken, and your complaint is closed.

To answer, contact us the way you complained and give the number above.
",
        short: "You have not told us yet whether you accept the outcome of your complaint {{ case }}. You can until {{ until }}; then it is closed.",
    },
    progress: Source {
        subject: "Your complaint is still being worked on: {{ subject }}",
        body: "{{ greeting }}

We have not forgotten your complaint, and are still working on it.

Your complaint: {{ subject }}
Its number: {{ case }}
How far it is: {{ stage }}

We will write to you when there is an outcome, and within {{ days }} days in any case. You need not do anything now.
",
        short: "We are still working on your complaint {{ case }}: {{ stage }} We will write again within {{ days }} days.",
    },
    withdrawal: Source {
        subject: "Your complaint is withdrawn: {{ subject }}",
        body: "{{ greeting }}

Your complaint has been withdrawn, as we were asked with its receipt code or where you complained. Nothing more is done about it.

Your complaint: {{ subject }}
Its number: {{ case }}

If you did not ask for this, contact us at once the way you complained and give the number above: somebody else may know your receipt code, and we will look at your complaint again.
",
        short: "Your complaint {{ case }} has been withdrawn, as we were asked. If you did not ask for this, contact us at once the way you complained.",
    },
    call_back_planned: Source {
        subject: "We will call you about your complaint: {{ subject }}",
        body: "{{ greeting }}

We will call you about your complaint{% if from %} between {{ from }} and {{ until }}{% else %} by {{ until }}{% endif %}.

Your complaint: {{ subject }}
Its number: {{ case }}

If another time or number suits you better, contact us the way you complained and give the number above. We will not ask you for passwords or for money.
",
        short: "We will call you about your complaint {{ case }}{% if from %} between {{ from }} and {{ until }}{% else %} by {{ until }}{% endif %}.",
    },
    call_back_missed: Source {
        subject: "We tried to call you about your complaint: {{ subject }}",
        body: "{{ greeting }}

We called you about your complaint on {{ tried }} and did not reach you.

Your complaint: {{ subject }}
Its number: {{ case }}

{% if until %}We will call again by {{ until }}. If another time or number suits you better, or if you would rather write{% else %}We will not call again by ourselves. If you still want to talk to us, or if you would rather write{% endif %}, contact us the way you complained and give the number above: you can name a time and a number at which we call you, or tell us what you think of the outcome.
",
        short: "We called you about your complaint {{ case }} on {{ tried }} and did not reach you. {% if until %}We will call again by {{ until }}.{% else %}To be called again, contact us the way you complained.{% endif %}",
    },
    upheld: "your complaint is upheld.",
    partly_upheld: "your complaint is upheld in part.",
    not_upheld: "your complaint is not upheld.",
    received: "it waits to be taken up.",
    in_hand: "it is being looked into.",
    carrying_out: "a decision has been made, and what it demands is being carried out.",
};

const CHINESE: Translation = Translation {
    subtag: "zh",
    greeting: "尊敬的{name}：",
    greeting_without_name: "尊敬的客户：",
    date: "%Y年%-m月%-d日 %H:%M",
    end_of_day: "%Y年%-m月%-d日 24:00",
    in_zone: "（{zone}）",
    zones: &[
        ("UTC", "UTC"),
        ("Asia/Shanghai", "北京时间"),
        ("Asia/Hong_Kong", "香港时间"),
        ("Asia/Macau", "澳门时间"),
        ("Asia/Taipei", "台北时间"),
        ("Asia/Singapore", "新加坡时间"),
        ("Asia/Tokyo", "东京时间"),
        ("Asia/Kolkata", "印度时间"),
        ("Europe/London", "英国时间"),
        ("America/New_York", "美国东部时间"),
        ("America/Chicago", "美国中部时间"),
        ("America/Denver", "美国山地时间"),
        ("America/Los_Angeles", "美国太平洋时间"),
        ("Europe/Brussels", "布鲁塞尔时间"),
        ("Australia/Sydney", "悉尼时间"),
    ],
    other_zone: "{city}时间",
    acknowledgement: Source {
        subject: "我们已收到您的投诉：{{ subject }}",
        body: "{{ greeting }}

我们已收到您的投诉，并已开始处理。

投诉事项：{{ subject }}
投诉编号：{{ case }}

{% if has_code %}凭您提交投诉时获得的查询码，可随时查询处理进度。请妥善保管查询码：持有该码的人均可查看您的投诉进度。

{% endif %}您目前无需进行任何操作。作出处理决定后，我们会再次通知您。
",
        short: "我们已收到您的投诉（编号{{ case }}），并已开始处理。您目前无需进行任何操作。",
    },
    outcome: Source {
        subject: "您的投诉处理结果：{{ subject }}",
        body: "{{ greeting }}

您的投诉已有处理结果。

投诉事项：{{ subject }}
投诉编号：{{ case }}
处理决定：{{ decision }}

{% if reasons %}处理理由：
{{ reasons }}

{% endif %}请在{{ until }}之前告知我们您是否接受该结果。如不接受，请说明尚未解决的问题，我们将提升一级重新处理。逾期未收到您的答复，该投诉将予以办结。

同时请您以1（非常不满意）至5（非常满意）分别评价：对处理过程的满意度，以及对处理结果的满意度。

答复方式：请通过您提交投诉的渠道与我们联系，并提供上述投诉编号。
",
        short: "您的投诉（编号{{ case }}）已有处理结果：{{ decision }}请在{{ until }}之前通过您提交投诉的渠道告知我们您是否接受。",
    },
    recourse: Source {
        subject: "您的投诉已办结及其他救济途径：{{ subject }}",
        body: "{{ greeting }}

您已表示不接受投诉处理结果。我们已按规定次数重新处理，现予以办结。

投诉事项：{{ subject }}
投诉编号：{{ case }}

您可以向负责监管我们的主管部门或行业调解组织反映，也可以依法向人民法院提起诉讼。届时请提供上述投诉编号，我们将配合答复并移交投诉记录。
",
        short: "您的投诉（编号{{ case }}）已办结。您可以向负责监管我们的主管部门或行业调解组织反映，也可以依法向人民法院提起诉讼。",
    },
    extension: Source {
        subject: "您的投诉处理时限已延长：{{ subject }}",
        body: "{{ greeting }}

我们需要更多时间处理您的投诉。

投诉事项：{{ subject }}
投诉编号：{{ case }}

{% if reasons %}处理理由：
{{ reasons }}

{% endif %}我们将在{% if until %}{{ until }}{% else %}另行通知的时间{% endif %}之前向您答复。您目前无需进行任何操作。
",
        short: "您的投诉（编号{{ case }}）处理时限已延长，{% if until %}我们将在{{ until }}之前向您答复。{% else %}答复时间将另行通知。{% endif %}",
    },
    holding: Source {
        subject: "您的投诉处理进展：{{ subject }}",
        body: "{{ greeting }}

您的投诉目前尚未作出处理决定。

投诉事项：{{ subject }}
投诉编号：{{ case }}

{{ text }}

延长处理的原因：
{{ reason }}

{% if next %}我们将在{{ next }}之前再次与您联系。

{% endif %}{% if until %}我们将在{{ until }}之前向您答复。

{% endif %}您目前无需进行任何操作。
",
        short: "您的投诉（编号{{ case }}）尚未作出处理决定。{% if next %}我们将在{{ next }}之前再次与您联系。{% endif %}{% if until %}我们将在{{ until }}之前向您答复。{% endif %}",
    },
    survey: Source {
        subject: "投诉处理满意度调查：{{ subject }}",
        body: "{{ greeting }}

我们已将处理结果告知您。{% if reminder %}此前我们曾邀请您评价，尚未收到您的答复，此为最后一次提醒。{% endif %}诚邀您对本次投诉处理作出评价；经办人员不参与本次调查。

投诉事项：{{ subject }}
投诉编号：{{ case }}

1. {{ handling }}（1 非常不满意 – 5 非常满意）
2. {{ outcome }}（1 非常不满意 – 5 非常满意）
3. {{ effort }}（1 非常方便 – 5 非常不便）
4. {{ comment }}

答复方式：请在您提交投诉的渠道提供以下调查码：{{ code }}
该码仅可使用一次，有效期至{{ until }}，请妥善保管。
",
        short: "诚邀您评价我们对投诉（编号{{ case }}）的处理，请在{{ until }}之前于您提交投诉的渠道提供调查码：{{ code }}",
    },
    shortage: Source {
        subject: "您的投诉补救措施将延后：{{ subject }}",
        body: "{{ greeting }}

因{{ article }}暂时缺货，您的投诉补救措施需要延后办理。

投诉事项：{{ subject }}
投诉编号：{{ case }}

预计到货时间：{{ until }}。到货后我们将立即继续办理，您目前无需进行任何操作。如您不愿等待，请通过您提交投诉的渠道与我们联系，并提供上述投诉编号，我们将与您商定其他补救方式。
",
        short: "您的投诉（编号{{ case }}）补救措施将延后：{{ article }}暂时缺货，预计{{ until }}到货，届时我们将继续办理。",
    },
    closing_soon: Source {
        subject: "请在期限前答复您的投诉处理结果：{{ subject }}",
        body: "{{ greeting }}

我们已将处理结果告知您，目前尚未收到您是否接受的答复。

投诉事项：{{ subject }}
投诉编号：{{ case }}

您可在{{ until }}之前答复。如不接受，请说明尚未解决的问题，我们将提升一级重新处理。逾期将不再受理答复，该投诉将予以办结。

答复方式：请通过您提交投诉的渠道与我们联系，并提供上述投诉编号。
",
        short: "您尚未答复是否接受投诉（编号{{ case }}）的处理结果。请在{{ until }}之前答复，逾期将予以办结。",
    },
    progress: Source {
        subject: "您的投诉仍在处理中：{{ subject }}",
        body: "{{ greeting }}

您的投诉仍在处理中，现将进展告知您。

投诉事项：{{ subject }}
投诉编号：{{ case }}
当前进展：{{ stage }}

如有处理结果，我们会立即通知您；最迟在{{ days }}天内再次告知您进展。您目前无需进行任何操作。
",
        short: "您的投诉（编号{{ case }}）仍在处理中：{{ stage }}我们最迟在{{ days }}天内再次告知您进展。",
    },
    withdrawal: Source {
        subject: "您的投诉已撤回：{{ subject }}",
        body: "{{ greeting }}

我们收到凭查询码或通过投诉渠道提出的撤诉申请，您的投诉已撤回，不再继续处理。

投诉事项：{{ subject }}
投诉编号：{{ case }}

如您并未申请撤诉，请立即通过您提交投诉的渠道与我们联系，并提供上述投诉编号：他人可能已知悉您的查询码，我们将重新处理您的投诉。
",
        short: "您的投诉（编号{{ case }}）已按申请撤回，不再继续处理。如您并未申请撤诉，请立即通过您提交投诉的渠道与我们联系。",
    },
    call_back_planned: Source {
        subject: "我们将就您的投诉致电回访：{{ subject }}",
        body: "{{ greeting }}

我们将在{% if from %}{{ from }}至{{ until }}之间{% else %}{{ until }}之前{% endif %}就您的投诉致电回访。

投诉事项：{{ subject }}
投诉编号：{{ case }}

如您希望更改时间或电话号码，请通过您提交投诉的渠道与我们联系，并提供上述投诉编号。我们不会在电话中索取密码，也不会要求转账。
",
        short: "我们将在{% if from %}{{ from }}至{{ until }}之间{% else %}{{ until }}之前{% endif %}就您的投诉（编号{{ case }}）致电回访。",
    },
    call_back_missed: Source {
        subject: "就您的投诉致电未能接通：{{ subject }}",
        body: "{{ greeting }}

我们于{{ tried }}就您的投诉致电回访，未能与您取得联系。

投诉事项：{{ subject }}
投诉编号：{{ case }}

{% if until %}我们将在{{ until }}之前再次致电。如您希望更改时间或电话号码，或希望以书面方式沟通{% else %}我们将不再主动致电。如您仍希望沟通，或希望以书面方式反馈{% endif %}，请通过您提交投诉的渠道与我们联系，并提供上述投诉编号：您可以指定回访时间和电话号码，也可以直接告知我们您对处理结果的意见。
",
        short: "我们于{{ tried }}就您的投诉（编号{{ case }}）致电未能接通。{% if until %}我们将在{{ until }}之前再次致电。{% else %}如需再次回访，请通过您提交投诉的渠道与我们联系。{% endif %}",
    },
    upheld: "您的投诉成立。",
    partly_upheld: "您的投诉部分成立。",
    not_upheld: "您的投诉不成立。",
    received: "正等待专人受理。",
    in_hand: "专人正在调查处理。",
    carrying_out: "已作出处理决定，正在落实。",
};
