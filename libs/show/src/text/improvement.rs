//! What is done about problems, and its effect.

use proto::redress::feedback::v1::{
    ImprovementAction, ImprovementEffect, ImprovementEffectState, ImprovementKind, ImprovementState,
    ListImprovementActionsResponse,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// A page of actions.
pub fn improvement_actions(list: &ListImprovementActionsResponse) -> String {
    if list.actions.is_empty() {
        return none_of("actions", &list.next_page_token);
    }
    let mut table = Table::new(["action", "problem", "kind", "state", "due", "", "owner", "title"]);
    for one in &list.actions {
        table.row([
            one.action_id.clone(),
            one.problem_id.clone(),
            word::<ImprovementKind>(one.kind),
            word::<ImprovementState>(one.state),
            one.due_date.clone(),
            if one.overdue { "overdue".to_owned() } else { String::new() },
            one.owner.clone(),
            one.title.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// One action, and what has become of the complaints.
pub fn improvement_action(one: &ImprovementAction) -> String {
    let due = if one.overdue { format!("{}, overdue", one.due_date) } else { one.due_date.clone() };
    facts(&[
        ("action", one.action_id.clone()),
        ("version", one.version.to_string()),
        ("problem", one.problem_id.clone()),
        ("kind", word::<ImprovementKind>(one.kind)),
        ("title", one.title.clone()),
        ("owner", one.owner.clone()),
        ("due", due),
        ("state", word::<ImprovementState>(one.state)),
        ("created", time(one.create_time.as_ref())),
        ("by", one.creator.clone()),
        ("done", time(one.done_time.as_ref())),
        ("said by", one.done_by.clone()),
        ("what was done", one.done_note.clone()),
        ("assessed", time(one.assess_time.as_ref())),
        ("assessor", one.assessor.clone()),
        ("finding", one.finding.clone()),
        ("effect", one.effect.as_ref().map(effect).unwrap_or_default()),
    ])
}

fn effect(effect: &ImprovementEffect) -> String {
    let counted = format!(
        "{} complaints on {} days before, {} on as many after",
        effect.before_count, effect.days, effect.after_count
    );
    match ImprovementEffectState::try_from(effect.state) {
        Ok(ImprovementEffectState::Measured) => {
            let end = |end: Option<f64>| end.map_or_else(|| "∞".to_owned(), |end| format!("{end:.2}"));
            let ratio =
                effect.ratio.map_or_else(|| "none before".to_owned(), |ratio| format!("× {ratio:.2}"));
            format!("{ratio} (95 %: {}–{}), {counted}", end(effect.ratio_lower), end(effect.ratio_upper))
        }
        Ok(ImprovementEffectState::NotEnoughData) => format!("not enough data: {counted}"),
        _ => word::<ImprovementEffectState>(effect.state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_never_a_bare_difference() {
        let measured = ImprovementEffect {
            state: ImprovementEffectState::Measured.into(),
            days: 28,
            before_count: 40,
            after_count: 10,
            ratio: Some(0.25),
            ratio_lower: Some(0.11),
            ratio_upper: Some(0.51),
            ..ImprovementEffect::default()
        };
        let expected = "× 0.25 (95 %: 0.11–0.51), 40 complaints on 28 days before, 10 on as many after";
        assert_eq!(effect(&measured), expected);
        let new = ImprovementEffect { ratio: None, ratio_upper: None, before_count: 0, ..measured };
        assert!(effect(&new).starts_with("none before (95 %: 0.11–∞)"));
        let few = ImprovementEffect { state: ImprovementEffectState::NotEnoughData.into(), ..new };
        assert!(effect(&few).starts_with("not enough data"));
    }
}
