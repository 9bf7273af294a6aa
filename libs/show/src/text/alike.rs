//! Links, similar cases, groups.

use proto::redress::cases::v1::{
    CaseLink, FindSimilarCasesResponse, GetGroupResponse, Group, GroupPolicy, LinkKind, LinkStanding,
    ListGroupsResponse, ListLinksResponse, Outcome,
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
    use proto::redress::cases::v1::SimilarCase;

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
}
