//! Topics: how they are asked for, and how they read.

use fault::{Check, Fault};
use jiff::civil::Date;
use proto::redress::cases::v1 as wire;

use crate::topic::{Coverage, Days, FALSE_ALARMS, Term, Told, Topic, Window};

const INVALID_REQUEST: &str = "INVALID_REQUEST";
/// Length of a day as it is written.
const DAY: usize = 10;
/// Longest name of a topic.
const MAX_ID: usize = 100;
/// Days of a window: at least, usually, at most.
const WINDOW: (i32, i32, i32) = (1, 7, 31);
/// Days of a baseline: at least, usually, at most.
const BASELINE: (i32, i32, i32) = (7, 56, 365);
/// Topics of an answer: at least, usually, at most.
const TOPICS: (i32, i32, i32) = (1, 20, 50);
/// Cases that are told of a topic of a list.
const EXAMPLES: usize = 5;

/// Which topics are listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TopicQuery {
    /// The last day; none for today.
    pub(crate) end: Option<Date>,
    /// How many days.
    pub(crate) days: i32,
    /// How many days before them.
    pub(crate) before: i32,
    /// Most topics.
    pub(crate) most: usize,
}

impl TopicQuery {
    /// The days that are compared.
    pub(crate) fn window(&self, today: Date) -> Window {
        Window { end: self.end.unwrap_or(today), days: self.days, before: self.before }
    }
}

fn day(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|day| text.len() == DAY && (1972..9000).contains(&day.year()))
}

fn within(check: &mut Check, field: &str, given: i32, (least, usual, most): (i32, i32, i32)) -> i32 {
    if given == 0 {
        return usual;
    }
    let is_within = (least..=most).contains(&given);
    check.ensure(is_within, field, &format!("must be {least} to {most}, or 0 for {usual}"));
    given
}

/// Reads which topics are to be listed.
pub(crate) fn listed(request: wire::ListTopicsRequest) -> Result<TopicQuery, Fault> {
    let wire::ListTopicsRequest { end_date, days, baseline_days, max_results } = request;
    let mut check = Check::new();
    let end = day(&end_date);
    check.ensure(end_date.is_empty() || end.is_some(), "end_date", "must be a day, as `2026-11-29`");
    let days = within(&mut check, "days", days, WINDOW);
    let before = within(&mut check, "baseline_days", baseline_days, BASELINE);
    let most = within(&mut check, "max_results", max_results, TOPICS);
    check.done(INVALID_REQUEST)?;
    Ok(TopicQuery { end, days, before, most: usize::try_from(most).unwrap_or_default() })
}

/// Reads which topic is wanted: of which window, and with which word.
pub(crate) fn wanted(request: wire::GetTopicRequest) -> Result<(Window, String), Fault> {
    let wire::GetTopicRequest { topic_id } = request;
    let mut check = Check::new();
    let topic_id = check.required("topic_id", topic_id, MAX_ID);
    let read = read_id(&topic_id);
    check.ensure(topic_id.is_empty() || read.is_some(), "topic_id", "must be as `ListTopics` told it");
    check.done(INVALID_REQUEST)?;
    read.ok_or_else(|| Fault::internal("an id was taken that is none"))
}

fn read_id(id: &str) -> Option<(Window, String)> {
    let mut parts = id.splitn(4, '/');
    let end = day(parts.next()?)?;
    let mut number = |(least, _, most): (i32, i32, i32)| {
        let number = parts.next()?.parse().ok()?;
        (least..=most).contains(&number).then_some(number)
    };
    let (days, before) = (number(WINDOW)?, number(BASELINE)?);
    let word = parts.next().filter(|word| !word.is_empty())?;
    Some((Window { end, days, before }, word.to_owned()))
}

/// The name of a topic: where a word of it may be found again.
fn written_id(window: &Window, topic: &Topic) -> String {
    let word = topic.terms.first().map_or("", |term| &term.word);
    format!("{}/{}/{}/{word}", window.end, window.days, window.before)
}

/// A topic as lists show it: with days of the window and few cases.
pub(crate) fn topic_in_short(topic: Topic, told: Told, all: &Days, coverage: &Coverage) -> wire::Topic {
    let start = coverage.window.start();
    let mut whole = self::topic(topic, told, all, coverage);
    whole.case_ids.truncate(EXAMPLES);
    whole.days.retain(|day| day.date >= start.to_string());
    whole
}

/// A topic as callers see it.
#[expect(clippy::cast_precision_loss, reason = "counts of cases")]
pub(crate) fn topic(topic: Topic, told: Told, all: &Days, coverage: &Coverage) -> wire::Topic {
    let topic_id = written_id(&coverage.window, &topic);
    let Topic { terms, count, cases } = topic;
    let Told { phrases, before, days } = told;
    let expected = coverage.now.0 as f64 * before as f64 / coverage.before.0.max(1) as f64;
    let term = |Term { word, cases, expected, ratio }| wire::TopicTerm {
        term: word,
        case_count: cases,
        expected_count: expected,
        log_likelihood_ratio: ratio,
    };
    let day = |(date, total): (&Date, &i64)| wire::TopicDay {
        date: date.to_string(),
        case_count: days.get(date).copied().unwrap_or(0),
        total_count: *total,
    };
    wire::Topic {
        topic_id,
        phrases,
        terms: terms.into_iter().map(term).collect(),
        case_count: count,
        expected_count: expected,
        case_ids: cases.iter().map(ToString::to_string).collect(),
        days: all.iter().map(day).collect(),
    }
}

/// What was looked at, as callers see it.
pub(crate) fn coverage(coverage: &Coverage) -> wire::TopicCoverage {
    let Coverage { window, now, before, words, is_capped } = coverage;
    wire::TopicCoverage {
        baseline_start_date: window.baseline_start().to_string(),
        start_date: window.start().to_string(),
        end_date: window.end.to_string(),
        case_count: now.0,
        baseline_case_count: before.0,
        sampled_one_in: now.1,
        baseline_sampled_one_in: before.1,
        term_count: i64::try_from(*words).unwrap_or(i64::MAX),
        terms_capped: *is_capped,
        false_alarm_probability: FALSE_ALARMS,
    }
}
