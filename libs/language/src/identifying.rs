//! Finds what tells who somebody is where its form alone does not say so: names, addresses,
//! numbers of orders and contracts, links, dates; by the words around them, in Chinese and
//! English.
//!
//! What is found wrongly costs a word in a text that is to be read without knowing the people;
//! what is missed names somebody. In doubt it is found.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::civil::Date;
use kernel::receipt::ReceiptCode;
use regex::{Captures, Regex};

use crate::personal::{DetailKind, Found, TOLL_FREE};

kernel::numbered! {
    /// What kind of thing tells who somebody is.
    IdentifyingKind {
        /// The name of a person.
        Name = 1 "the name of a person",
        /// A telephone number.
        Telephone = 2 "a telephone number",
        /// An e-mail address.
        Email = 3 "an e-mail address",
        /// The number of an identity card.
        Identity = 4 "an identity number",
        /// The number of a bank card.
        Card = 5 "the number of a bank card",
        /// The number of an account, a customer or a contract, or a name in a chat.
        Account = 6 "the number of an account or contract",
        /// Where somebody lives or is.
        Address = 7 "an address",
        /// The number of an order, a parcel, an invoice.
        Order = 8 "the number of an order",
        /// A receipt code.
        Receipt = 9 "a receipt code",
        /// The address of a page.
        Link = 10 "a link",
        /// A date.
        Date = 11 "a date",
        /// A long number of whatever else.
        Number = 12 "a long number",
    }
}

impl IdentifyingKind {
    /// What a placeholder calls it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Telephone => "PHONE",
            Self::Email => "EMAIL",
            Self::Identity => "IDENTITY",
            Self::Card => "CARD",
            Self::Account => "ACCOUNT",
            Self::Address => "ADDRESS",
            Self::Order => "ORDER",
            Self::Receipt => "RECEIPT",
            Self::Link => "LINK",
            Self::Date => "DATE",
            Self::Number => "NUMBER",
        }
    }
}

impl From<DetailKind> for IdentifyingKind {
    fn from(kind: DetailKind) -> Self {
        match kind {
            DetailKind::Telephone => Self::Telephone,
            DetailKind::Email => Self::Email,
            DetailKind::Identity => Self::Identity,
            DetailKind::Card => Self::Card,
            DetailKind::Account => Self::Account,
        }
    }
}

/// Stands where nothing is looked for any more: neither letter, digit, space nor punctuation.
pub(crate) const TAKEN: char = '\u{fffc}';

/// Names of families that Chinese names begin with.
const FAMILIES: &str = "(?:欧阳|司马|上官|诸葛|东方|皇甫|尉迟|令狐|慕容|司徒|端木|[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔汤段])";
/// What Chinese calls people after their names.
const TITLES: &str = "(?:先生|女士|小姐|太太|师傅|经理|主任|老师|阿姨|大爷|大妈|总监|医生|律师)";
/// Months in English.
const MONTHS: &str = "(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|\
     oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";

/// A way to know something: the pattern, the group of it that is meant, and whether what it
/// takes is one.
struct Rule {
    kind: IdentifyingKind,
    pattern: Regex,
    is_one: fn(&str) -> bool,
}

#[expect(clippy::expect_used, reason = "the patterns are there, and a test reads each")]
fn rule(kind: IdentifyingKind, pattern: &str, is_one: fn(&str) -> bool) -> Rule {
    Rule { kind, pattern: Regex::new(pattern).expect("a pattern"), is_one }
}

fn any(_: &str) -> bool {
    true
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Whether it is long enough to be of one thing alone, and no number that anybody may call.
fn is_long_number(token: &str) -> bool {
    let digits: String = token.chars().filter(char::is_ascii_digit).collect();
    let national = digits.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(&digits);
    let is_plain = token.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_free = is_plain
        && national.len() == 10
        && (national.starts_with("400") || TOLL_FREE.iter().any(|free| national.starts_with(free)));
    digits.len() >= 8 && !is_free
}

/// In the order in which they are looked for: what one takes, no later one sees.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    use IdentifyingKind::{Account, Address, Date, Link, Name, Number, Order, Receipt};
    let order = r"(?i)(?:(?:订单|运单|快递|物流|工单|流水|交易|发票|取件|投诉|单据|编)(?:编号|单号|号码|号|码)|单号|订单|(?-u:\b)(?:order|tracking|parcel|shipment|invoice|transaction|booking|reference|ref|ticket|waybill|case)(?-u:\b))(?:\s|[:#.]|号码|是|为|(?-u:\b)(?:no|number|nr|id|code|is)(?-u:\b))*([a-z0-9][a-z0-9_/-]*[a-z0-9])";
    let account = r"(?i)(?:会员|客户|账|帐|合同|保单|卡|车牌|(?-u:\b)(?:account|policy|contract|customer|membership|member)(?-u:\b))(?:\s|[:#.]|编号|号码|号|户|是|为|(?-u:\b)(?:no|number|nr|id|is)(?-u:\b))*([a-z0-9][a-z0-9_-]*[a-z0-9])";
    let chinese_address = r"(?:\p{Han}{2,8}(?:省|自治区))?(?:\p{Han}{2,8}[市州盟])?(?:\p{Han}{1,7}[区县镇乡])?\p{Han}{1,8}(?:路|街|道|巷|弄|胡同|里|村|小区|花园|苑|大厦|公寓)\s*[0-9一二三四五六七八九十百]+\s*(?:号楼|号|弄|栋|幢|座|楼|单元|室|层|组)(?:\s*[0-9a-zA-Z一二三四五六七八九十-]+\s*(?:号楼|号|栋|幢|座|楼|单元|室|层))*(?:[0-9]{2,4})?";
    let english_address = r"(?i)(?-u:\b)(?:(?:flat|apt|apartment|unit|suite)\s*[0-9]+[a-z]?,?\s*)?[0-9]{1,5}[a-z]?,?\s+(?:[\p{L}'’.-]+\s+){1,4}?(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|close|way|place|square|court|terrace|boulevard|blvd|crescent|gardens)(?-u:\b)\.?";
    vec![
        rule(Link, r#"(?i)(?-u:\b)(?:https?://|www\.)[^\s<>"',;，。；、）)\]】\x{fffc}]+"#, any),
        rule(
            Number,
            r"(?i)(?-u:\b)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?-u:\b)",
            any,
        ),
        rule(Date, r"(?-u:\b)([0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2})", any),
        rule(Date, r"(?:[0-9]{4}\s*年\s*)?[0-9]{1,2}\s*月\s*[0-9]{1,2}\s*[日号]", any),
        rule(
            Date,
            &format!(
                r"(?i)(?-u:\b)[0-9]{{1,2}}(?:st|nd|rd|th)? {MONTHS}(?-u:\b)\.?(?:,? [0-9]{{4}}(?-u:\b))?"
            ),
            any,
        ),
        rule(
            Date,
            &format!(
                r"(?i)(?-u:\b){MONTHS}(?-u:\b)\.? [0-9]{{1,2}}(?:st|nd|rd|th)?(?-u:\b)(?:,? [0-9]{{4}}(?-u:\b))?"
            ),
            any,
        ),
        rule(Date, r"(?-u:\b)[0-9]{1,2}[/.][0-9]{1,2}[/.][0-9]{4}(?-u:\b)", any),
        rule(Receipt, r"(?i)(?-u:\b)(?:[0-9a-z]{5}[- ]?){4}[0-9a-z*~$=]", |code| {
            ReceiptCode::parse(code).is_some()
        }),
        rule(
            Account,
            r"(?i)(?:微信|wechat|weixin|qq|支付宝|alipay)(?:\s|号码|号|账号|[:是为])*([a-z0-9][a-z0-9_.-]{3,39})",
            any,
        ),
        rule(Account, r"(?:^|[^\w.])(@[\p{L}\p{N}_][\p{L}\p{N}_.-]{1,29})", any),
        rule(Order, order, |token| digits(token) >= 4),
        rule(Account, account, |token| digits(token) >= 4),
        rule(Address, r"(?:地址|住址)\s*(?:[:是为在]\s*)+([^\n,。;!?\x{fffc}]{3,80})", any),
        rule(
            Address,
            r"(?i)(?-u:\b)(?:my|our|home|postal|delivery|billing)?\s*address(?: is| was|:)\s*([^\n;\x{fffc}]{4,120})",
            |text| digits(text) > 0,
        ),
        rule(Address, chinese_address, any),
        rule(Address, english_address, any),
        rule(Address, r"(?-u:\b)[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}(?-u:\b)", any),
        rule(
            Name,
            &format!(
                r"(?:我叫|我是|本人叫|名叫|(?:姓名|名字|联系人|收件人|收货人|寄件人|投诉人|户主|乘客|患者|经办人|客户|业主)\s*(?:[:是为叫]))\s*({FAMILIES}\p{{Han}}{{1,2}})"
            ),
            any,
        ),
        rule(Name, &format!(r"({FAMILIES}\p{{Han}}{{1,2}}){TITLES}"), |name| {
            !name.starts_with(['和', '向', '时'])
        }),
        rule(Name, &format!(r"{FAMILIES}{TITLES}"), any),
        rule(
            Name,
            r"(?:(?i:my name is|name:|signed:?|signed by|called me|regards,|sincerely,|faithfully,|yours,))\s*((?:\p{Lu}[\p{L}'’-]+)(?: (?:\p{Lu}[\p{L}'’-]*\.?)){0,2})",
            any,
        ),
        rule(
            Name,
            r"(?-u:\b)(?:Mr|Mrs|Ms|Miss|Mx|Dr|Herr|Frau|Madam|Mme|Monsieur)(?-u:\b)\.? ?(\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+)?)",
            any,
        ),
        rule(Number, r"(?i)[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?", is_long_number),
    ]
});

/// What tells who somebody is among the signs of a text by the words around it; what was found
/// is [`TAKEN`] in them afterwards.
pub(crate) fn by_words(signs: &mut [char]) -> Vec<Found<IdentifyingKind>> {
    let mut found = Vec::new();
    for rule in RULES.iter() {
        let text: String = signs.iter().collect();
        let meant = |captures: Captures<'_>| {
            let whole = captures.iter().skip(1).flatten().next().or(captures.get(0))?;
            // Of a month in English, the group is only the month.
            let meant = if rule.kind == IdentifyingKind::Date { captures.get(0)? } else { whole };
            (rule.is_one)(meant.as_str()).then(|| meant.range())
        };
        let ranges: Vec<Range<usize>> = rule.pattern.captures_iter(&text).filter_map(meant).collect();
        let ranges = in_characters(&text, &ranges);
        for range in ranges {
            signs[range.clone()].fill(TAKEN);
            found.push((rule.kind, range));
        }
    }
    found
}

/// Ranges of bytes, in order, as ranges of characters.
fn in_characters(text: &str, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let (mut bytes, mut characters) = (0, 0);
    let mut at = |byte: usize| {
        characters += text[bytes..byte].chars().count();
        bytes = byte;
        characters
    };
    ranges.iter().map(|range| at(range.start)..at(range.end)).collect()
}

/// The day that a date tells; one without a year is the nearest to `near`. None where it is
/// none, or may be two.
pub(crate) fn day(text: &str, near: Date) -> Option<Date> {
    let lower = text.to_lowercase();
    let numbers: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let month = lower.split(|c: char| !c.is_ascii_alphabetic()).find_map(|word| {
        const BEGINNINGS: [&str; 12] =
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let place = BEGINNINGS.iter().position(|month| word.starts_with(month))?;
        i8::try_from(place + 1).ok()
    });
    let number = |text: &str| text.parse::<i16>().ok();
    let (year, month, day) = match (month, &numbers[..]) {
        (Some(month), [day, year]) => (number(year), month, number(day)?),
        (Some(month), [day]) => (None, month, number(day)?),
        (None, [year, month, day]) if year.len() == 4 => {
            (number(year), i8::try_from(number(month)?).ok()?, number(day)?)
        }
        (None, [month, day]) => (None, i8::try_from(number(month)?).ok()?, number(day)?),
        _ => return None,
    };
    let day = i8::try_from(day).ok()?;
    if let Some(year) = year {
        return Date::new(year, month, day).ok();
    }
    let years = [near.year() - 1, near.year(), near.year() + 1];
    let days = years.into_iter().filter_map(|year| Date::new(year, month, day).ok());
    days.min_by_key(|day| days_between(near, *day).abs())
}

/// How many days a day is after another.
pub(crate) fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}
