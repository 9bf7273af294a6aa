//! Notices, and whom they go to.

use proto::redress::feedback::v1::{
    Contact, DeliveryAction, DeliveryReport, EarlierSending, ListNoticesResponse, Notice, NoticeKind,
    NoticeMeans, NoticeRouting, NoticeState, ReportBounceResponse,
};
use proto::redress::intake::v1::Channel;

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::{Words, word};

/// A page of notices.
pub fn notices(list: &ListNoticesResponse) -> String {
    if list.notices.is_empty() {
        return none_of("notices", &list.next_page_token);
    }
    let mut table =
        Table::new(["notice", "case", "cycle", "kind", "state", "owed", "leaves", "subject, or why not"]);
    for notice in &list.notices {
        let why_not = &notice.failure_reason;
        table.row([
            notice.notice_id.clone(),
            notice.case_id.clone(),
            notice.cycle.to_string(),
            word::<NoticeKind>(notice.kind),
            word::<NoticeState>(notice.state),
            time(notice.create_time.as_ref()),
            time(notice.next_attempt_time.as_ref()),
            if why_not.is_empty() { notice.subject.clone() } else { why_not.clone() },
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// One notice, and what became of it before it was sent again.
pub fn notice(notice: &Notice) -> String {
    let head = facts(&[
        ("notice", notice.notice_id.clone()),
        ("case", notice.case_id.clone()),
        ("cycle", notice.cycle.to_string()),
        ("kind", word::<NoticeKind>(notice.kind)),
        ("state", word::<NoticeState>(notice.state)),
        ("by", word::<NoticeMeans>(notice.sending_means)),
        ("to", notice.recipient.clone()),
        ("subject", notice.subject.clone()),
        ("owed", time(notice.create_time.as_ref())),
        ("leaves", time(notice.next_attempt_time.as_ref())),
        ("told by", word::<NoticeMeans>(notice.means)),
        ("told", time(notice.tell_time.as_ref())),
        ("recorded by", notice.recorder.clone()),
        ("evidence", notice.evidence.clone()),
        ("why not", notice.failure_reason.clone()),
    ]);
    let parts = [head, earlier_sendings(notice), delivery_reports(&notice.delivery_reports)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn earlier_sendings(notice: &Notice) -> String {
    if notice.earlier_sendings.is_empty() {
        return String::new();
    }
    let mut table =
        Table::new(["sent", "by", "to", "state", "ended", "again by", "why, and what came of it"]);
    for sending in &notice.earlier_sendings {
        table.row([
            sending.number.to_string(),
            word::<NoticeMeans>(sending.means),
            sending.recipient.clone(),
            word::<NoticeState>(sending.state),
            time(sending.end_time.as_ref()),
            sending.requester.clone(),
            why(sending),
        ]);
    }
    table.render()
}

/// What mail servers reported about the mails of a notice.
fn delivery_reports(reports: &[DeliveryReport]) -> String {
    if reports.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["sent", "reported", "status", "by", "on", "what they say"]);
    for report in reports {
        table.row([
            report.sending_number.to_string(),
            word::<DeliveryAction>(report.action),
            report.status.clone(),
            report.reporting_server.clone(),
            time(report.report_time.as_ref()),
            report.diagnostic.clone(),
        ]);
    }
    table.render()
}

/// A notice of which a mail server has reported.
pub fn bounce(answer: &ReportBounceResponse) -> String {
    answer.notice.as_ref().map(notice).unwrap_or_default()
}

fn why(sending: &EarlierSending) -> String {
    format!("{}; {}{}", sending.reason, sending.failure_reason, sending.evidence)
}

/// Whom the notices of a case go to, and what was corrected.
pub fn contact(contact: &Contact) -> String {
    let head = facts(&[
        ("case", contact.case_id.clone()),
        ("version", contact.version.to_string()),
        ("e-mail", contact.email.clone()),
        ("telephone", contact.phone.clone()),
        ("name", contact.display_name.clone()),
        ("language", contact.language.clone()),
    ]);
    if contact.corrections.is_empty() {
        return head;
    }
    let mut table = Table::new(["version", "corrected", "by", "e-mail before", "telephone before", "why"]);
    for correction in &contact.corrections {
        table.row([
            correction.version.to_string(),
            time(correction.correct_time.as_ref()),
            correction.actor.clone(),
            correction.previous_email.clone(),
            correction.previous_phone.clone(),
            correction.reason.clone(),
        ]);
    }
    format!("{head}\n{}", table.render())
}

/// By which means notices go.
pub fn notice_routing(routing: &NoticeRouting) -> String {
    let head = facts(&[
        ("version", routing.version.to_string()),
        ("word before the time to answer ends", days_before(routing.closing_soon_days)),
        ("news of an open case", every_days(routing.progress_days)),
        ("note", routing.note.clone()),
        ("made", time(routing.create_time.as_ref())),
        ("made by", routing.creator.clone()),
        ("in force since", time(routing.activate_time.as_ref())),
        ("put there by", routing.activator.clone()),
    ]);
    let mut table = Table::new(["rule", "kinds", "channels", "means, the first one first"]);
    for (place, rule) in routing.rules.iter().enumerate() {
        table.row([
            (place + 1).to_string(),
            listed::<NoticeKind>(&rule.kinds, "all"),
            listed::<Channel>(&rule.channels, "all"),
            listed::<NoticeMeans>(&rule.means, ""),
        ]);
    }
    format!("{head}\n{}", table.render())
}

fn days_before(days: Option<i32>) -> String {
    match days {
        None | Some(0) => "none".to_owned(),
        Some(days) => format!("{days} days"),
    }
}

fn every_days(days: Option<i32>) -> String {
    match days {
        None | Some(0) => "none".to_owned(),
        Some(days) => format!("every {days} days"),
    }
}

/// Values in words; what stands for none of them.
fn listed<W: Words>(values: &[i32], none: &str) -> String {
    let words: Vec<String> = values.iter().map(|value| word::<W>(*value)).collect();
    if words.is_empty() { none.to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use proto::redress::feedback::v1::{ContactCorrection, NoticeRoutingRule};

    use super::*;

    #[test]
    fn a_notice_sent_again_shows_what_became_of_it_before() {
        let sending = EarlierSending {
            number: 1,
            recipient: "wrong@example.org".to_owned(),
            state: NoticeState::Undelivered.into(),
            failure_reason: "550 no such user".to_owned(),
            requester: "lin".to_owned(),
            reason: "they spelt it".to_owned(),
            ..EarlierSending::default()
        };
        let report = DeliveryReport {
            sending_number: 2,
            action: DeliveryAction::Delayed.into(),
            status: "4.4.1".to_owned(),
            diagnostic: "smtp; 450 busy".to_owned(),
            reporting_server: "mx.example.com".to_owned(),
            report_time: None,
        };
        let shown = notice(&Notice {
            delivery_reports: vec![report],
            recipient: "right@example.org".to_owned(),
            state: NoticeState::Delivered.into(),
            means: NoticeMeans::Email.into(),
            earlier_sendings: vec![sending],
            ..Notice::default()
        });
        for part in [
            "right@example.org",
            "wrong@example.org",
            "they spelt it; 550 no such user",
            "lin",
            "email",
            "delayed",
            "4.4.1",
            "mx.example.com",
            "smtp; 450 busy",
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }

    #[test]
    fn a_letter_of_later_says_when_it_leaves() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let pending = Notice {
            notice_id: "n".to_owned(),
            create_time: at(1_796_990_400),
            next_attempt_time: at(1_797_595_200),
            ..Notice::default()
        };
        let shown = notices(&ListNoticesResponse { notices: vec![pending], ..Default::default() });
        let heads: Vec<&str> = shown.lines().next().unwrap_or_default().split_whitespace().collect();
        assert_eq!(heads[5..7], ["owed", "leaves"]);
        let leaves = time(at(1_797_595_200).as_ref());
        assert!(shown.contains(&leaves), "{leaves} is not in {shown}");
    }

    #[test]
    fn a_routing_shows_its_rules_in_order() {
        let rule = |kinds: &[NoticeKind], means: &[NoticeMeans]| NoticeRoutingRule {
            kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
            channels: Vec::new(),
            means: means.iter().map(|means| i32::from(*means)).collect(),
        };
        let rules = vec![
            rule(&[NoticeKind::Outcome, NoticeKind::Survey], &[NoticeMeans::Sms, NoticeMeans::Email]),
            rule(&[], &[NoticeMeans::Webhook]),
        ];
        let shown = notice_routing(&NoticeRouting { version: 7, rules, ..NoticeRouting::default() });
        for part in ["outcome, survey", "sms, email", "all", "webhook", "7"] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }

    #[test]
    fn a_contact_shows_what_it_was_before() {
        let correction = ContactCorrection {
            version: 2,
            previous_email: "wrong@example.org".to_owned(),
            actor: "lin".to_owned(),
            reason: "they spelt it".to_owned(),
            ..ContactCorrection::default()
        };
        let shown = contact(&Contact {
            version: 2,
            email: "right@example.org".to_owned(),
            corrections: vec![correction],
            ..Contact::default()
        });
        for part in ["right@example.org", "wrong@example.org", "they spelt it", "lin"] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }
}
