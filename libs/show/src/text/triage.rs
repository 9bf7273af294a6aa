//! Rule sets, what they make of cases, and the tree of categories.

use proto::redress::cases::v1::{
    EmotionLevel, ExplainTriageResponse, GetCategoryResponse, Level, ListCategoriesResponse,
    ListRuleSetsResponse, ReplayRulesResponse, Rule, RuleSet, Threat, Triage,
};

use super::knowledge::suggested;
use super::{more, none_of};
use crate::lines::{money, time};
use crate::table::{Table, facts};
use crate::words::{priority, word};

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
        ("threatens", threats.collect::<Vec<_>>().join(", ")),
        ("channel says", triage.category_hint.clone()),
    ]);
    let mut table = Table::new(["rule that matched", "decided", "because"]);
    for rule in &triage.matched_rules {
        table.row([rule.name.clone(), yes(rule.decided), rule.reason.clone()]);
    }
    if triage.matched_rules.is_empty() { head } else { format!("{head}\n{}", table.render()) }
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
