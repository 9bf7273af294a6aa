//! Topics: what complaints speak of of late, and how to make a problem of one.

use proto::redress::cases::v1::{GetTopicResponse, ListTopicsResponse, Topic, TopicCoverage, TopicTerm};

use crate::table::{Table, facts};

/// Most cases that a problem is given at once.
const MOST_CASES: usize = 100;

/// The topics of a window.
pub fn topics(list: &ListTopicsResponse) -> String {
    let looked_at = list.coverage.as_ref().map(coverage).unwrap_or_default();
    if list.topics.is_empty() {
        return format!("nothing is spoken of more often than before\n{looked_at}");
    }
    let mut table = Table::new(["topic", "cases", "expected", "says", "words"]);
    for one in &list.topics {
        table.row([
            one.topic_id.clone(),
            one.case_count.to_string(),
            format!("{:.1}", one.expected_count),
            title(one),
            words(one),
        ]);
    }
    format!("{}\n{looked_at}", table.render())
}

/// One topic, day by day, and how to make a problem of it.
pub fn topic(answer: &GetTopicResponse) -> String {
    let one = answer.topic.clone().unwrap_or_default();
    let looked_at = answer.coverage.as_ref().map(coverage).unwrap_or_default();
    let head = facts(&[
        ("topic", one.topic_id.clone()),
        ("says", one.phrases.join(", ")),
        ("words", words(&one)),
        ("cases", format!("{}; {:.1} were expected", one.case_count, one.expected_count)),
    ]);
    let mut table = Table::new(["day", "cases", "of all"]);
    for day in &one.days {
        table.row([day.date.clone(), day.case_count.to_string(), day.total_count.to_string()]);
    }
    let cases = one.case_ids.iter().take(MOST_CASES).map(|case| quoted(case)).collect::<Vec<_>>();
    let open = format!("redress problem open {}", quoted(&title(&one)));
    let link = format!("redress problem link PROBLEM {}", cases.join(" "));
    format!("{head}\n{}\n{looked_at}\nto make a problem of it:\n  {open}\n  {link}\n", table.render())
}

/// How it reads in the complaints, else its most telling word.
fn title(one: &Topic) -> String {
    let word = || one.terms.first().map(|term| term.term.clone());
    let title = one.phrases.first().cloned().or_else(word).unwrap_or_default();
    title.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn words(one: &Topic) -> String {
    let word = |term: &TopicTerm| format!("{} {}", term.term, term.case_count);
    one.terms.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// A word of a command line: nothing in it is obeyed by a shell.
fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '-');
    let one_line = word.split_whitespace().collect::<Vec<_>>().join(" ");
    if is_plain { word.to_owned() } else { format!("'{}'", one_line.replace('\'', r"'\''")) }
}

fn coverage(coverage: &TopicCoverage) -> String {
    let sampled = |one_in: i64| if one_in > 1 { format!(" (one of {one_in})") } else { String::new() };
    let capped = if coverage.terms_capped { ", the rarest left out" } else { "" };
    facts(&[
        ("window", format!("{} to {}", coverage.start_date, coverage.end_date)),
        ("its cases", format!("{}{}", coverage.case_count, sampled(coverage.sampled_one_in))),
        ("baseline from", coverage.baseline_start_date.clone()),
        (
            "its cases",
            format!("{}{}", coverage.baseline_case_count, sampled(coverage.baseline_sampled_one_in)),
        ),
        ("words looked at", format!("{}{capped}", coverage.term_count)),
        (
            "false alarms",
            format!("in at most {:.0} % of such lists", coverage.false_alarm_probability * 100.0),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_says_how_to_make_a_problem_of_it() {
        let one = Topic {
            phrases: vec!["it's swollen".to_owned()],
            case_ids: vec!["a-1".to_owned(), "$(b)".to_owned()],
            case_count: 9,
            expected_count: 1.25,
            ..Topic::default()
        };
        let capped = TopicCoverage { sampled_one_in: 3, terms_capped: true, ..TopicCoverage::default() };
        let answer = GetTopicResponse { topic: Some(one.clone()), coverage: Some(capped) };
        let text = topic(&answer);
        for said in [
            r"redress problem open 'it'\''s swollen'",
            "redress problem link PROBLEM a-1 '$(b)'",
            "9; 1.2 were expected",
            "one of 3",
            "the rarest left out",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        let list = ListTopicsResponse { topics: vec![one], coverage: None };
        assert!(topics(&list).contains("it's swollen"));
        assert!(topics(&ListTopicsResponse::default()).contains("nothing"));
    }
}
