//! Training cases, and the cases that are picked to make them of.

use proto::redress::cases::v1::{
    CaseChallenge, ListTrainingCasesResponse, Outcome, PickTrainingCasesResponse, TimelineKind, TrainingCase,
    TrainingCaseState, TrainingStep,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::{priority, word};

/// A page of training cases.
pub fn training_cases(list: &ListTrainingCasesResponse) -> String {
    if list.training_cases.is_empty() {
        return none_of("training cases", &list.next_page_token);
    }
    let headings =
        ["training case", "state", "in force", "language", "category", "priority", "hard as it was", "title"];
    let mut table = Table::new(headings);
    for one in &list.training_cases {
        table.row([
            one.training_case_id.clone(),
            word::<TrainingCaseState>(one.state),
            in_force(one),
            one.language.clone(),
            one.category.clone(),
            priority(one.priority),
            hard(&one.challenges),
            one.content.as_ref().map(|content| content.title.clone()).unwrap_or_default(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// One training case, as one of its revisions has it.
pub fn training_case(one: &TrainingCase) -> String {
    let content = one.content.clone().unwrap_or_default();
    let steps: Vec<String> = content.steps.iter().map(step).collect();
    facts(&[
        ("training case", one.training_case_id.clone()),
        ("version", one.version.to_string()),
        ("state", word::<TrainingCaseState>(one.state)),
        ("revision", format!("{} of {}", one.revision, one.latest_revision)),
        ("in force", in_force(one)),
        ("made of", one.source_case_id.clone()),
        ("language", one.language.clone()),
        ("category", one.category.clone()),
        ("priority", priority(one.priority)),
        ("outcome", word::<Outcome>(one.outcome)),
        ("hard as it was", hard(&one.challenges)),
        ("title", content.title),
        ("complaint", content.description),
        ("what was done", steps.join("\n")),
        ("findings", content.findings),
        ("root cause", content.root_cause),
        ("reasons", content.decision_reasons),
        ("lesson", content.lesson),
        ("written by", one.author.clone()),
        ("written", time(one.revise_time.as_ref())),
        ("published by", one.reviewer.clone()),
        ("published", time(one.publish_time.as_ref())),
        ("retired by", one.retirer.clone()),
        ("because", one.retire_reason.clone()),
    ])
}

fn in_force(one: &TrainingCase) -> String {
    if one.published_revision == 0 { String::new() } else { format!("revision {}", one.published_revision) }
}

fn hard(challenges: &[i32]) -> String {
    challenges.iter().map(|one| word::<CaseChallenge>(*one)).collect::<Vec<_>>().join(", ")
}

fn step(step: &TrainingStep) -> String {
    let minutes = step.after.as_ref().map_or(0, |after| after.seconds / 60);
    let (days, hours) = (minutes / (24 * 60), minutes / 60 % 24);
    let kind = word::<TimelineKind>(step.kind);
    format!("after {days} d {hours} h {} min, {kind}: {}", minutes % 60, step.text)
}

/// Cases that were picked, and why these.
pub fn training_picks(answer: &PickTrainingCasesResponse) -> String {
    let looked_at = format!("{} closed cases were looked at\n", answer.case_count);
    if answer.picks.is_empty() {
        return looked_at;
    }
    let mut table = Table::new(["case", "category", "priority", "outcome", "hard as it was", "why"]);
    for one in &answer.picks {
        let kind = if one.challenges.is_empty() { "ordinary" } else { "hard" };
        let why = format!(
            "round {}: by lot of {} {kind} ones, of {} of its category and priority",
            one.round, one.drawn_from_count, one.stratum_case_count
        );
        table.row([
            one.case_id.clone(),
            one.category.clone(),
            priority(one.priority),
            word::<Outcome>(one.outcome),
            hard(&one.challenges),
            why,
        ]);
    }
    format!("{}\n{looked_at}", table.render())
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::{TrainingContent, TrainingPick};

    use super::*;

    #[test]
    fn a_training_case_tells_its_steps_by_when_they_were_done() {
        let after = Some(prost_types::Duration { seconds: 90_061, nanos: 0 });
        let step = TrainingStep {
            after,
            cycle: 1,
            kind: TimelineKind::Note.into(),
            text: "[NAME 1] called".to_owned(),
        };
        let content = TrainingContent { title: "Kettle".to_owned(), steps: vec![step], ..Default::default() };
        let challenges = vec![CaseChallenge::Rework.into(), CaseChallenge::Disputed.into()];
        let one = TrainingCase { content: Some(content), challenges, ..TrainingCase::default() };
        let text = training_case(&one);
        for said in ["after 1 d 1 h 1 min, note: [NAME 1] called", "rework, disputed", "Kettle"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        let list = ListTrainingCasesResponse { training_cases: vec![one], ..Default::default() };
        assert!(training_cases(&list).contains("rework, disputed"));
    }

    #[test]
    fn a_pick_says_why_and_what_is_empty_says_so() {
        let pick =
            TrainingPick { round: 2, drawn_from_count: 7, stratum_case_count: 9, ..Default::default() };
        let answer = PickTrainingCasesResponse { picks: vec![pick], case_count: 12 };
        let text = training_picks(&answer);
        assert!(
            text.contains("round 2: by lot of 7 ordinary ones, of 9") && text.contains("12 closed"),
            "{text}"
        );
        assert!(training_picks(&PickTrainingCasesResponse::default()).contains("0 closed cases"));
        assert!(training_cases(&ListTrainingCasesResponse::default()).contains("no training cases"));
    }
}
