//! Rule sets, what they make of cases, and the tree of categories.

use proto::redress::cases::v1::{
    EmotionLevel, ExplainTriageResponse, GetCategoryResponse, Level, ListCategoriesResponse,
    ListRuleSetsResponse, Mood, MoodTrend, ReplayRulesResponse, Rule, RuleSet, Threat, Triage, TurnMood,
};
use proto::redress::intake::v1::HandOverReason;

use super::knowledge::suggested;
use super::{more, none_of};
use crate::lines::{money, time};
use crate::table::{Table, facts};
use crate::words::{priority, word};

/// A bar for each level of anger, from calm to furious.
const HEIGHTS: [char; 5] = ['▁', '▃', '▅', '▆', '█'];

/// One rule set: its rules in order, its lists by name.
pub fn rule_set(set: &RuleSet) -> String {
    let names = |lists: &[proto::redress::cases::v1::WordList]| {
        let each = lists.iter().map(|list| format!("{} ({})", list.name, list.words.len()));
        each.collect::<Vec<_>>().join(", ")
    };
    let losses: Vec<String> = set.major_losses.iter().map(|sum| money(Some(sum))).collect();
    let surge = set.surge.unwrap_or_default();
    let head = facts(&[
        ("version", set.version.to_string()),
        ("note", set.note.clone()),
        ("active", if set.active { "yes".to_owned() } else { "no".to_owned() }),
        ("created", time(set.create_time.as_ref())),
        ("by", set.creator.clone()),
        ("activated", time(set.activate_time.as_ref())),
        ("word lists", names(&set.word_lists)),
        ("categories", names(&set.categories)),
        ("major losses", losses.join(", ")),
        ("surge", format!("{} complaints and {} times the usual", surge.at_least, surge.times)),
    ]);
    let mut table = Table::new(["rule", "sets", "when"]);
    for rule in &set.rules {
        table.row([rule.name.clone(), sets(rule), rule.when.clone()]);
    }
    format!("{head}\n{}", table.render())
}

/// What a rule sets, in a few words.
fn sets(rule: &Rule) -> String {
    let levels = [
        ("severity", rule.severity),
        ("complexity", rule.complexity),
        ("impact", rule.impact),
        ("urgency", rule.urgency),
    ];
    let mut sets: Vec<String> = Vec::new();
    if rule.priority != 0 {
        sets.push(priority(rule.priority));
    }
    for (word, set) in [("raised", rule.raises), ("safety", rule.safety), ("vulnerable", rule.vulnerable)] {
        sets.extend(set.then(|| word.to_owned()));
    }
    let levels = levels.iter().filter(|(_, level)| *level != 0);
    sets.extend(levels.map(|(name, level)| format!("{name} {}", word::<Level>(*level))));
    sets.join(", ")
}

/// A page of rule sets.
pub fn rule_sets(list: &ListRuleSetsResponse) -> String {
    if list.rule_sets.is_empty() {
        return none_of("rule sets; the one that is shipped is active", &list.next_page_token);
    }
    let mut table = Table::new(["version", "active", "created", "by", "note"]);
    for set in &list.rule_sets {
        table.row([
            set.version.to_string(),
            if set.active { "yes".to_owned() } else { String::new() },
            time(set.create_time.as_ref()),
            set.creator.clone(),
            set.note.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// Which cases would have come out otherwise.
pub fn replayed(page: &ReplayRulesResponse) -> String {
    let mut table = Table::new(["case", "pri", "complexity", "category", "subject"]);
    let change = |before: &str, after: &str| {
        if before == after { before.to_owned() } else { format!("{before} -> {after}") }
    };
    for case in &page.cases {
        table.row([
            case.case_id.clone(),
            change(&priority(case.priority), &priority(case.new_priority)),
            change(&word::<Level>(case.complexity), &word::<Level>(case.new_complexity)),
            change(&case.category, &case.new_category),
            case.subject.clone(),
        ]);
    }
    let count = format!("{} of {} cases would come out otherwise\n", page.cases.len(), page.examined);
    let rows = if page.cases.is_empty() { String::new() } else { table.render() };
    rows + &count + &more(&page.next_page_token)
}

/// How a case was triaged.
pub fn triage(triage: &Triage) -> String {
    let yes = |yes: bool| if yes { "yes".to_owned() } else { "no".to_owned() };
    let threats = triage.threats.iter().map(|threat| word::<Threat>(*threat));
    let head = facts(&[
        ("case", triage.case_id.clone()),
        ("rules", format!("version {}", triage.rule_set_version)),
        ("at", time(triage.triage_time.as_ref())),
        ("category", triage.category.clone()),
        ("priority", priority(triage.priority)),
        ("why", triage.reasons.join("\n")),
        ("severity", word::<Level>(triage.severity)),
        ("complexity", word::<Level>(triage.complexity)),
        ("impact", word::<Level>(triage.impact)),
        ("urgency", word::<Level>(triage.urgency)),
        ("safety", yes(triage.safety)),
        ("vulnerable", yes(triage.vulnerable)),
        ("earlier cases", triage.repeat_count.to_string()),
        ("surge", yes(triage.surge)),
        ("emotion", word::<EmotionLevel>(triage.emotion)),
        ("mood", triage.mood.as_ref().map(mood).unwrap_or_default()),
        ("missed call", if triage.missed_call { yes(true) } else { String::new() }),
        ("handed over", if triage.handed_over { handed_over(triage) } else { String::new() }),
        ("threatens", threats.collect::<Vec<_>>().join(", ")),
        ("channel says", triage.category_hint.clone()),
    ]);
    let mut table = Table::new(["rule that matched", "decided", "because"]);
    for rule in &triage.matched_rules {
        table.row([rule.name.clone(), yes(rule.decided), rule.reason.clone()]);
    }
    if triage.matched_rules.is_empty() { head } else { format!("{head}\n{}", table.render()) }
}

/// Where a mood went, with a bar for each of the customer's turns, the angrier the higher.
fn mood(mood: &Mood) -> String {
    // The scale, and not the worst turn, is the height of the line.
    let most = EmotionLevel::Furious as i32;
    let height = |turn: &TurnMood| turn.emotion.saturating_sub(1).clamp(0, most - 1);
    let bars = mood.turns.iter().map(|turn| HEIGHTS[usize::try_from(height(turn)).unwrap_or(0)]);
    let trend = match MoodTrend::try_from(mood.trend) {
        Ok(MoodTrend::Unspecified) | Err(_) => String::new(),
        Ok(_) => format!("{}, ", word::<MoodTrend>(mood.trend)),
    };
    let [first, worst, last] = [mood.first, mood.worst, mood.last].map(word::<EmotionLevel>);
    let at = mood.turns.iter().find(|turn| turn.emotion == mood.worst);
    let at = at.map(|turn| format!(" (turn {})", turn.turn.saturating_add(1))).unwrap_or_default();
    format!("{}  {trend}from {first} to {last}, worst {worst}{at}", bars.collect::<String>())
}

fn handed_over(triage: &Triage) -> String {
    match triage.hand_over_reason {
        0 => "yes".to_owned(),
        reason => format!("yes: {}", word::<HandOverReason>(reason)),
    }
}

/// How a case was triaged, and which articles may help with it.
pub fn explained_triage(answer: &ExplainTriageResponse) -> String {
    let triaged = answer.triage.as_ref().map(triage).unwrap_or_default();
    if answer.suggestions.is_empty() {
        return triaged;
    }
    format!("{triaged}\narticles that may help\n\n{}", suggested(&answer.suggestions))
}

/// A page of categories.
pub fn categories(list: &ListCategoriesResponse) -> String {
    if list.categories.is_empty() {
        return none_of("categories", &list.next_page_token);
    }
    let mut table = Table::new(["category", "title"]);
    for category in &list.categories {
        table.row([category.path.clone(), category.title.clone()]);
    }
    table.render() + &more(&list.next_page_token)
}

/// One category.
pub fn category(answer: &GetCategoryResponse) -> String {
    let category = answer.category.clone().unwrap_or_default();
    facts(&[
        ("category", category.path),
        ("title", category.title),
        ("below it", if category.leaf { "nothing".to_owned() } else { "others".to_owned() }),
        ("tree version", answer.version.to_string()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mood_is_drawn_turn_by_turn() {
        let turn = |turn, level: EmotionLevel| TurnMood { turn, emotion: level.into() };
        let turns =
            vec![turn(0, EmotionLevel::Calm), turn(2, EmotionLevel::Furious), turn(5, EmotionLevel::Annoyed)];
        let told = Mood {
            turns,
            first: EmotionLevel::Calm.into(),
            worst: EmotionLevel::Furious.into(),
            last: EmotionLevel::Annoyed.into(),
            trend: MoodTrend::Rising.into(),
        };
        assert_eq!(mood(&told), "▁█▅  rising, from calm to annoyed, worst furious (turn 3)");
        let odd =
            Mood { turns: vec![TurnMood { turn: 0, emotion: 99 }, TurnMood::default()], ..Mood::default() };
        assert_eq!(mood(&odd).chars().take(2).collect::<String>(), "█▁");
    }
}
