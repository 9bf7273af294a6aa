//! The words of reports: each in every language, so that none is half translated.

use super::section::Name;
use super::{Length, Term};
use crate::kpi::{Dimension, Time};

kernel::numbered! {
    /// What a report is written in.
    Language {
        /// English.
        English = 1,
        /// Chinese.
        Chinese = 2,
    }
}

impl Language {
    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// The language of a tag.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|language| language.tag() == tag)
    }
}

macro_rules! words {
    ($($name:ident: $english:literal, $chinese:literal;)+) => {
        /// A word, or a sentence, of reports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each says what it is called")]
        pub enum Word { $($name,)+ }

        impl Word {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word in a language.
            pub fn of(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::English) => $english,
                    (Self::$name, Language::Chinese) => $chinese,)+
                }
            }
        }
    };
}

words! {
    Title: "Complaints report", "投诉处理报告";
    Month: "Monthly report", "月度报告";
    Quarter: "Quarterly report", "季度报告";
    Year: "Annual report", "年度报告";
    AsOf: "Figures as of", "数据截至";
    Zone: "Days begin, and working hours (of the zone's built-in calendar, else Monday to Friday, 9 to 18) are counted, in the time zone",
        "日期与工作时间（该时区的内置日历；没有则为周一至周五 9 至 18 时）按以下时区计算：";
    Unfinished: "This time has not ended: it is compared with as many days of the times before.", "本期尚未结束：对比期取相同天数。";
    Rebuilding: "The facts were being rebuilt when this was counted: figures may be incomplete.", "统计时数据正在重建，数字可能不完整。";
    Suppression: "Groups counted from few cases are not told (–*), nor is what would let them be worked out. Fewer than:", "样本过少的分组不予公布（–*），可由其他数字推算出的也不公布。最小样本数：";
    Intervals: "Shares stand with their 95 % interval (Wilson): the range that fits what was seen. Small numbers give wide ranges.", "比率附 95% 置信区间（Wilson 法）：与观察相符的取值范围，样本越少区间越宽。";
    Contents: "Contents", "目录";
    Chart: "Chart", "图表";
    SeeTable: "The table tells the same figures.", "表格列出相同数字。";
    Data: "Data", "数据";
    Page: "Page", "页";

    Headlines: "At a glance", "概览";
    Volume: "Received and closed", "受理与办结";
    Channels: "By channel", "按渠道";
    Categories: "By category", "按类别";
    Regions: "By region", "按地区";
    Departments: "By department", "按部门";
    Products: "By product", "按产品";
    Times: "Response times", "响应时长";
    Timeliness: "On time", "时限达成";
    Backlog: "Open cases by age", "未结案件（按时长）";
    Satisfaction: "Satisfaction", "满意度";
    Quality: "Do outcomes hold?", "处理质量";
    Decisions: "Upheld", "投诉成立情况";
    Redress: "Redress paid", "赔付金额";
    Losses: "Written off", "损失核销";
    CallBacks: "Call-backs", "回访";

    HeadlinesLead: "The most important figures, beside those of the times before.", "主要指标，并与此前对比。";
    VolumeLead: "How many complaints came in and how many were closed; merged ones are counted once.", "受理和办结的投诉数量；合并的投诉只计一次。";
    GroupsLead: "How many came in, and how they fared: most first.", "各组受理数量及处理情况，按数量从多到少排列。";
    TimesLead: "From the receipt to the acknowledgement and to the first outcome. Half took no longer than the median; nine in ten no longer than P90.", "自收到投诉至确认受理、至首次处理结果的时长。一半案件不超过中位数，九成不超过 P90。";
    TimelinessLead: "Closed within the limits the law sets, and with every promise of our own kept; and how much of what came in is done.", "在法定时限内办结、履行全部承诺的比例，以及已办结的比例。";
    BacklogLead: "Cases that were open at the moment of this report, by days since receipt. Overdue: a promise to answer is broken.", "截至本报告时未结的案件，按收到后的天数划分。逾期：已有承诺的答复时限未兑现。";
    SatisfactionLead: "Scores of 4 or 5 of 5. Read them with the response rate: who answers may differ from who does not.", "评分为 4 或 5 分（满分 5 分）的比例。请结合答复率阅读：答复者与未答复者可能不同。";
    QualityLead: "How often the first answer was the last; how often cases were reopened, came again or went over our heads.", "一次解决的比例，以及重开、重复投诉和升级的比例。";
    DecisionsLead: "How many of the outcomes found the complainant right, in whole or in part.", "处理结果认定投诉全部或部分成立的比例。";
    RedressLead: "Sums of remedies carried out, less those undone.", "已执行的赔付金额，扣除已撤销的部分。";
    LossesLead: "Sums that were paid, had to be taken back and could not be; two people each gave them up. They are part of what was paid.", "已支付、应收回而无法收回，并经双人批准核销的金额；已计入赔付金额。";
    CallBacksLead: "How many of those called back were spoken to.", "回访中实际联系上的比例。";

    Figure: "Figure", "指标";
    ThisTime: "This time", "本期";
    Interval: "95 % interval", "95% 区间";
    CountedFrom: "Counted from", "样本数";
    TimeBefore: "Time before", "上期";
    YearBefore: "Year before", "上年同期";
    Day: "Day", "日期";
    MonthOf: "Month", "月份";
    Group: "Group", "分组";
    Missed: "Not so", "未达成";
    So: "So", "达成";
    Mean: "Mean", "平均";
    Median: "Median", "中位数";
    Age: "Days since receipt", "收到后天数";
    Open: "Open", "未结";
    Overdue: "Overdue", "其中逾期";
    OpenInTime: "Not overdue", "未逾期";
    Currency: "Currency", "币种";
    Sum: "Sum", "金额";
    Total: "Total", "合计";
    NoValue: "(not known)", "（未知）";
    NothingCounted: "Nothing to tell.", "暂无数据。";
    SmallGroups: "Groups too small to be told apart:", "因数量过少而未单列的分组数：";
    MoreGroups: "Further groups that are not listed:", "其余未列出的分组数：";
    TooMany: "There are too many groups to tell of.", "分组过多，无法列出。";
    HoursShort: "h", "小时";
    DaysShort: "d", "天";
    MinutesShort: "min", "分钟";
    SecondsShort: "s", "秒";

    Received: "Received", "受理量";
    Closed: "Closed", "办结量";
    AcknowledgementTime: "Until acknowledged", "确认受理时长";
    ResponseTime: "Until the outcome", "处理结果时长";
    OnTimeRate: "Within legal limits", "法定时限内办结率";
    KeptPromiseRate: "Every promise kept", "承诺兑现率";
    CompletionRate: "Done of those received", "办结率";
    FirstTimeResolution: "Settled the first time", "一次解决率";
    SatisfactionRate: "Satisfied with the outcome", "对结果满意率";
    HandlingSatisfaction: "Satisfied with the handling", "对过程满意率";
    ResponseRate: "Answered the survey", "满意度答复率";
    RepeatRate: "Complained again", "重复投诉率";
    EscalationRate: "Escalated", "升级率";
    ReopenRate: "Reopened", "重开率";
    UpheldRate: "Upheld", "投诉成立率";
    RedressPaid: "Redress paid", "赔付金额";
    LossesWrittenOff: "Losses written off", "核销损失";
    CallBackReach: "Reached by call-back", "回访接通率";
    CompleteRate: "Complete as recorded", "登记完整率";
    OpenCases: "Open cases", "未结案件";

    Wall: "elapsed", "自然时间";
    Working: "working hours", "工作时间";
    Net: "without pauses", "扣除暂停";

    Phone: "Telephone", "电话";
    Chat: "Chat", "在线客服";
    InApp: "App", "应用内";
    Email: "E-mail", "电子邮件";
    Web: "Web", "网站";
    Social: "Social media", "社交媒体";
    Letter: "Letter", "信函";
    Branch: "Branch", "门店";
    Regulator: "Regulator", "监管机构";
    Partner: "Partner", "合作方";

    ColumnKpi: "KPI", "指标代码";
    ColumnTerm: "Term", "期间";
    ColumnFirst: "First day", "起始日";
    ColumnLast: "Last day", "截止日";
    ColumnPart: "Part", "时段";
    ColumnDimension: "Told apart by", "维度";
    ColumnUnit: "Unit", "单位";
    ColumnLower: "95 % from", "95% 下限";
    ColumnUpper: "95 % to", "95% 上限";
    ColumnNumerator: "Numerator", "分子";
    ColumnDenominator: "Denominator", "分母";
    ColumnSuppressed: "Suppressed", "未公布";
    Value: "Value", "数值";
    Yes: "yes", "是";
    UnitShare: "share", "比率";
    UnitHours: "hours", "小时";
    UnitCount: "count", "数量";
    ByChannel: "channel", "渠道";
    ByCategory: "category", "类别";
    ByRegion: "region", "地区";
    ByDepartment: "department", "部门";
    ByProduct: "product", "产品";
    ByPriority: "priority", "优先级";
    ByRecorder: "recorder", "登记人";
}

/// A thing and what is said of it: `median, October 2026`.
pub fn of_which(thing: &str, which: &str, language: Language) -> String {
    match language {
        Language::English => format!("{thing}, {which}"),
        Language::Chinese => format!("{thing}，{which}"),
    }
}

/// A thing and what tells it from others of its name.
pub fn in_brackets(thing: &str, which: &str, language: Language) -> String {
    match language {
        Language::English => format!("{thing} ({which})"),
        Language::Chinese => format!("{thing}（{which}）"),
    }
}

/// What stands between a name and its value.
pub fn colon(language: Language) -> &'static str {
    match language {
        Language::English => ": ",
        Language::Chinese => "：",
    }
}

/// The word for a KPI that reports tell of.
pub fn kpi(name: &str) -> Option<Word> {
    Some(match name {
        "received" => Word::Received,
        "closed" => Word::Closed,
        "acknowledgement_time" => Word::AcknowledgementTime,
        "response_time" => Word::ResponseTime,
        "on_time_rate" => Word::OnTimeRate,
        "kept_promise_rate" => Word::KeptPromiseRate,
        "completion_rate" => Word::CompletionRate,
        "first_time_resolution" => Word::FirstTimeResolution,
        "satisfaction" => Word::SatisfactionRate,
        "handling_satisfaction" => Word::HandlingSatisfaction,
        "response_rate" => Word::ResponseRate,
        "repeat_rate" => Word::RepeatRate,
        "escalation_rate" => Word::EscalationRate,
        "reopen_rate" => Word::ReopenRate,
        "upheld_rate" => Word::UpheldRate,
        "redress_paid" => Word::RedressPaid,
        "losses_written_off" => Word::LossesWrittenOff,
        "call_back_reach" => Word::CallBackReach,
        "complete_rate" => Word::CompleteRate,
        "backlog" => Word::OpenCases,
        _ => return None,
    })
}

/// What a section is called, and what it says.
pub fn section(name: Name) -> (Word, Word) {
    match name {
        Name::Headlines => (Word::Headlines, Word::HeadlinesLead),
        Name::Volume => (Word::Volume, Word::VolumeLead),
        Name::Channels => (Word::Channels, Word::GroupsLead),
        Name::Categories => (Word::Categories, Word::GroupsLead),
        Name::Regions => (Word::Regions, Word::GroupsLead),
        Name::Departments => (Word::Departments, Word::GroupsLead),
        Name::Products => (Word::Products, Word::GroupsLead),
        Name::Times => (Word::Times, Word::TimesLead),
        Name::Timeliness => (Word::Timeliness, Word::TimelinessLead),
        Name::Backlog => (Word::Backlog, Word::BacklogLead),
        Name::Satisfaction => (Word::Satisfaction, Word::SatisfactionLead),
        Name::Quality => (Word::Quality, Word::QualityLead),
        Name::Decisions => (Word::Decisions, Word::DecisionsLead),
        Name::Redress => (Word::Redress, Word::RedressLead),
        Name::Losses => (Word::Losses, Word::LossesLead),
        Name::CallBacks => (Word::CallBacks, Word::CallBacksLead),
    }
}

/// The word for a channel, by its number in the contracts.
pub fn channel(number: &str) -> Option<Word> {
    const CHANNELS: [Word; 10] = [
        Word::Phone,
        Word::Chat,
        Word::InApp,
        Word::Email,
        Word::Web,
        Word::Social,
        Word::Letter,
        Word::Branch,
        Word::Regulator,
        Word::Partner,
    ];
    CHANNELS.get(number.parse::<usize>().ok()?.checked_sub(1)?).copied()
}

/// The word for a dimension.
pub fn dimension(dimension: Dimension) -> Word {
    match dimension {
        Dimension::Channel => Word::ByChannel,
        Dimension::Category => Word::ByCategory,
        Dimension::Region => Word::ByRegion,
        Dimension::Department => Word::ByDepartment,
        Dimension::Product => Word::ByProduct,
        Dimension::Priority => Word::ByPriority,
        Dimension::Recorder => Word::ByRecorder,
    }
}

/// The word for which time a duration counts.
pub fn time(time: Time) -> Word {
    match time {
        Time::Wall => Word::Wall,
        Time::Working => Word::Working,
        Time::Net => Word::Net,
    }
}

/// What a report of a length is called.
pub fn length(length: Length) -> Word {
    match length {
        Length::Month => Word::Month,
        Length::Quarter => Word::Quarter,
        Length::Year => Word::Year,
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const QUARTERS: [&str; 4] = ["一", "二", "三", "四"];

fn named<'n>(names: &[&'n str], number: i8) -> &'n str {
    let place = usize::try_from(number).unwrap_or(1).saturating_sub(1);
    names.get(place).copied().unwrap_or_default()
}

/// What the time of a report is called.
pub fn term(term: &Term, language: Language) -> String {
    let (year, month, quarter) = (term.start.year(), term.start.month(), term.quarter());
    match (term.length, language) {
        (Length::Month, Language::English) => format!("{} {year}", named(&MONTHS, month)),
        (Length::Month, Language::Chinese) => format!("{year}年{month}月"),
        (Length::Quarter, Language::English) => format!("Q{quarter} {year}"),
        (Length::Quarter, Language::Chinese) => format!("{year}年第{}季度", named(&QUARTERS, quarter)),
        (Length::Year, Language::English) => year.to_string(),
        (Length::Year, Language::Chinese) => format!("{year}年"),
    }
}
