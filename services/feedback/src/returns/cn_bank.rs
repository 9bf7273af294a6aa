//! What banks in China keep of each complaint: the union of the fields that regulators ask for
//! and that facts know. Channels, types of business and causes have the codes of JR/T 0169,
//! which mappings bring; the form of a report is not published, so the columns are ours.

use super::{Problems, Record, Return};
use crate::fact::Ending;
use crate::report::csv;

/// Where redress is counted.
const CURRENCY: &str = "CNY";

/// The columns, in order.
pub const COLUMNS: &[&str] = &[
    "机构",
    "分支机构",
    "投诉编号",
    "收到日期",
    "渠道代码",
    "监管转办编号",
    "监管转办日期",
    "业务类型代码",
    "投诉原因代码",
    "地区",
    "特殊群体",
    "办理状态",
    "办结日期",
    "办理天数",
    "是否超过法定期限",
    "处理结果",
    "赔付金额（元）",
    "办理次数",
    "满意度",
];

/// The row of a complaint.
pub fn row(of: &Return, record: &Record, problems: &mut Problems) -> Vec<String> {
    let (mapping, case) = (&of.mapping, record.matched(of));
    let closing = record.closed(of);
    let closed = closing.map(|closing| of.date(closing.at));
    let mut needed = |field| csv::field(&mapping.needed(field, &case, problems));
    let (channel, business, reason) = (needed("channel"), needed("business_type"), needed("cause"));
    let paid = record.paid(of, CURRENCY, problems);
    let handed_over = record.is_handed_over();
    let forwarded = record.forwarded.filter(|at| handed_over && *at < of.as_of);
    let is_late = record.limit_breached.is_some_and(|at| at < of.as_of);
    let state = closing.map_or("办理中", |closing| match closing.ending {
        Some(Ending::Withdrawn) => "已撤诉",
        Some(Ending::Declined) => "不属于本机构",
        _ => "已办结",
    });
    let outcome = match closing.and_then(|closing| closing.outcome) {
        Some(1) => "投诉属实",
        Some(2) => "部分属实",
        Some(3) => "投诉不属实",
        _ => "",
    };
    let satisfaction = record.cycles.iter().rev().filter_map(|cycle| cycle.satisfaction);
    let satisfaction = satisfaction.filter(|(_, at)| *at < of.as_of).map(|(score, _)| score).next();
    let begun = record.cycles.iter().filter(|cycle| cycle.resolved.is_some_and(|at| at < of.as_of)).count();
    let vulnerable = record.vulnerable.map_or("", |vulnerable| if vulnerable { "是" } else { "否" });
    vec![
        csv::field(mapping.constant("institution").unwrap_or_default()),
        csv::field(&record.branch),
        record.case_id.to_string(),
        of.date(record.received).to_string(),
        channel,
        csv::field(if handed_over { &record.outside_id } else { "" }),
        forwarded.map(|at| of.date(at).to_string()).unwrap_or_default(),
        business,
        reason,
        csv::field(&record.region),
        vulnerable.to_owned(),
        state.to_owned(),
        closed.map(|day| day.to_string()).unwrap_or_default(),
        closed.map(|day| record.days_until(of, day).to_string()).unwrap_or_default(),
        (if is_late { "是" } else { "否" }).to_owned(),
        outcome.to_owned(),
        super::decimal(paid, CURRENCY),
        begun.to_string(),
        satisfaction.map(|score| score.to_string()).unwrap_or_default(),
    ]
}
