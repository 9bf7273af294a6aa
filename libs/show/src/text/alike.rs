//! Links, similar cases, groups.

use proto::redress::cases::v1::{
    CaseLink, CaseState, ComplainantIdentifier, FindSimilarCasesResponse, GetComplainantHistoryResponse,
    GetGroupResponse, Group, GroupPolicy, LinkKind, LinkStanding, ListGroupsResponse, ListLinksResponse,
    Outcome,
};
use proto::redress::intake::v1::Matter;

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// One link.
pub fn link(link: &CaseLink) -> String {
    facts(&[
        ("earlier", link.earlier_case_id.clone()),
        ("later", link.later_case_id.clone()),
        ("kind", word::<LinkKind>(link.kind)),
        ("standing", word::<LinkStanding>(link.standing)),
        ("score", score(link.score)),
        ("why", link.reasons.join("\n")),
        ("by", link.actor.clone()),
        ("time", time(link.time.as_ref())),
    ])
}

/// The links of a case, and what is merged into it.
pub fn links(case_id: &str, list: &ListLinksResponse) -> String {
    let mut text = if list.links.is_empty() {
        none_of("links", &list.next_page_token)
    } else {
        let mut table = Table::new(["other case", "kind", "standing", "score", "why"]);
        for link in &list.links {
            let is_later = link.later_case_id.eq_ignore_ascii_case(case_id);
            let other = if is_later { &link.earlier_case_id } else { &link.later_case_id };
            table.row([
                other.clone(),
                word::<LinkKind>(link.kind),
                word::<LinkStanding>(link.standing),
                score(link.score),
                link.reasons.join("; "),
            ]);
        }
        table.render() + &more(&list.next_page_token)
    };
    if !list.merged_case_ids.is_empty() {
        text += &facts(&[("merged into it", list.merged_case_ids.join("\n"))]);
    }
    text
}

/// Closed cases that are alike, and how they ended.
pub fn similar(found: &FindSimilarCasesResponse) -> String {
    if found.cases.is_empty() {
        return none_of("similar cases", "");
    }
    let ended = found.cases.iter().map(|case| {
        facts(&[
            ("case", format!("{}  {} alike", case.case_id, score(case.score))),
            ("subject", case.subject.clone()),
            ("category", case.category.clone()),
            ("outcome", word::<Outcome>(case.outcome)),
            ("reasons", case.decision_reasons.clone()),
            ("remedies", case.remedies.join("\n")),
            ("accepted", if case.accepted { "yes" } else { "no" }.to_owned()),
        ])
    });
    ended.collect::<Vec<_>>().join("\n")
}

/// Every case of a complainant, and how many there are of each outcome.
pub fn complainant_history(history: &GetComplainantHistoryResponse) -> String {
    let bound = if history.complete { "" } else { ", those registered last; there may be more" };
    let outcomes = history.outcomes.iter().map(|count| {
        let outcome = if count.outcome == 0 { "none".to_owned() } else { word::<Outcome>(count.outcome) };
        format!("{} {outcome}", count.count)
    });
    let head = facts(&[
        ("known by", identifiers(&history.identifiers)),
        ("cases", format!("{}{bound}", history.total)),
        ("open", history.open.to_string()),
        ("outcomes", outcomes.collect::<Vec<_>>().join(", ")),
    ]);
    if history.cases.is_empty() {
        return head + &none_of("cases", &history.next_page_token);
    }
    let mut table = Table::new([
        "case", "received", "closed", "state", "outcome", "category", "same", "other", "subject",
    ]);
    for case in &history.cases {
        table.row([
            case.case_id.clone(),
            time(case.receive_time.as_ref()),
            time(case.close_time.as_ref()),
            word::<CaseState>(case.state),
            word::<Outcome>(case.outcome),
            case.category.clone(),
            identifiers(&case.same),
            identifiers(&case.differing),
            case.subject.clone(),
        ]);
    }
    format!("{head}\n{}{}", table.render(), more(&history.next_page_token))
}

fn identifiers(numbers: &[i32]) -> String {
    let words = numbers.iter().map(|number| word::<ComplainantIdentifier>(*number));
    words.collect::<Vec<_>>().join(", ")
}

/// One group.
pub fn group(group: &Group) -> String {
    facts(&[
        ("group", group.group_id.clone()),
        ("version", group.version.to_string()),
        ("title", group.title.clone()),
        ("matter", word::<Matter>(group.matter)),
        ("cases", group.members.to_string()),
        ("representatives", group.representatives.to_string()),
        ("alarm", time(group.alarm_time.as_ref())),
        ("registered", time(group.create_time.as_ref())),
    ])
}

/// A group and its members.
pub fn members(page: &GetGroupResponse) -> String {
    let head = page.group.as_ref().map(group).unwrap_or_default();
    let mut table = Table::new(["case", "speaks for all", "since", "added by"]);
    for member in &page.members {
        let speaks = if member.representative { "yes" } else { "" };
        let since = time(member.join_time.as_ref());
        table.row([member.case_id.clone(), speaks.to_owned(), since, member.actor.clone()]);
    }
    format!("{head}\n{}{}", table.render(), more(&page.next_page_token))
}

/// A page of groups.
pub fn groups(list: &ListGroupsResponse) -> String {
    if list.groups.is_empty() {
        return none_of("groups", &list.next_page_token);
    }
    let mut table = Table::new(["group", "cases", "matter", "alarm", "title"]);
    for group in &list.groups {
        table.row([
            group.group_id.clone(),
            group.members.to_string(),
            word::<Matter>(group.matter),
            time(group.alarm_time.as_ref()),
            group.title.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What a tenant has decided about groups.
pub fn group_policy(policy: &GroupPolicy) -> String {
    facts(&[
        ("most representatives", policy.max_representatives.to_string()),
        ("alarm from", format!("{} cases", policy.alarm_from)),
        ("why", policy.reason.clone()),
    ])
}

fn score(score: f64) -> String {
    format!("{score:.2}")
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::{ComplainantCase, OutcomeCount, SimilarCase};

    use super::*;

    #[test]
    fn a_link_names_the_other_case() {
        let link = CaseLink {
            earlier_case_id: "one".to_owned(),
            later_case_id: "two".to_owned(),
            kind: LinkKind::Duplicate.into(),
            standing: LinkStanding::Suggested.into(),
            score: 0.8123,
            reasons: vec!["same order".to_owned(), "texts 0.62 alike".to_owned()],
            ..CaseLink::default()
        };
        let list = ListLinksResponse {
            links: vec![link],
            merged_case_ids: vec!["six".to_owned()],
            ..ListLinksResponse::default()
        };
        let text = links("two", &list);
        assert!(text.contains("one") && !text.contains("two"), "{text}");
        assert!(text.contains("duplicate") && text.contains("suggested") && text.contains("0.81"), "{text}");
        assert!(text.contains("same order; texts 0.62 alike") && text.contains("six"), "{text}");
    }

    #[test]
    fn a_similar_case_tells_its_solution() {
        let case = SimilarCase {
            case_id: "one".to_owned(),
            score: 0.5,
            remedies: vec!["finance carried out the refund".to_owned()],
            accepted: true,
            ..SimilarCase::default()
        };
        let text = similar(&FindSimilarCasesResponse { cases: vec![case] });
        assert!(text.contains("0.50 alike") && text.contains("finance carried out"), "{text}");
        assert!(text.contains("yes"), "{text}");
    }

    #[test]
    fn a_history_says_how_each_case_ended_and_by_what_it_was_found() {
        let case = ComplainantCase {
            case_id: "one".to_owned(),
            state: CaseState::OutOfScope.into(),
            outcome: Outcome::PartlyUpheld.into(),
            same: vec![ComplainantIdentifier::Phone.into(), ComplainantIdentifier::Email.into()],
            differing: vec![ComplainantIdentifier::CustomerNumber.into()],
            ..ComplainantCase::default()
        };
        let history = GetComplainantHistoryResponse {
            cases: vec![case],
            identifiers: vec![ComplainantIdentifier::Phone.into()],
            total: 1_000,
            open: 3,
            outcomes: vec![
                OutcomeCount { outcome: Outcome::PartlyUpheld.into(), count: 990 },
                OutcomeCount { outcome: Outcome::Unspecified.into(), count: 10 },
            ],
            ..GetComplainantHistoryResponse::default()
        };
        let text = complainant_history(&history);
        for part in [
            "known by",
            "1000, those registered last; there may be more",
            "990 partly upheld, 10 none",
            "out of scope",
            "phone, email",
            "customer number",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let none =
            GetComplainantHistoryResponse { complete: true, ..GetComplainantHistoryResponse::default() };
        let text = complainant_history(&none);
        assert!(text.contains("no cases") && !text.contains("may be more"), "{text}");
    }
}
