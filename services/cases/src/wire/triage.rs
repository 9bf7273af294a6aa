//! Contract ⇄ domain: rule sets, and what triage made of a case.

use fault::{Check, Fault};
use kernel::Money;
use kernel::page::Page;
use language::Trend;
use proto::redress::cases::v1::{
    CreateRuleSetRequest, ListRuleSetsRequest, LowerPriorityRequest, MatchedRule, Mood, MoodTrend,
    RaisePriorityRequest, ReplayRulesRequest, ReplayedCase, RetriageCaseRequest, Rule as WireRule,
    RuleSet as WireSet, Surge as WireSurge, Triage as WireTriage, TurnMood as WireTurn, WordList as WireList,
};
use proto::timestamp;
use triage::definition::{Definition, MajorLoss, Rule, Sets, WordList};
use triage::rules::Flaw;
use triage::{Attributes, Facts, Matched, MoodFacts, Surge, Triage, Verdict};
use vocabulary::{Level, Priority};

use super::{CaseTarget, classifiers, money};
use crate::conversation::TurnMood;
use crate::triage_record::{KeptSet, Past, Window};

/// Longest note about a version.
const MAX_NOTE: usize = 1_000;
/// Most lists of words, of categories, of currencies, of rules.
const MAX_LISTS: usize = 100;
const MAX_CATEGORIES: usize = 1_000;
const MAX_CURRENCIES: usize = 200;
const MAX_RULES: usize = 200;
/// Most words of a list, and the longest.
const MAX_WORDS: usize = 2_000;
const MAX_WORD: usize = 100;
/// Longest name of a list, of a rule; longest condition and reason.
const MAX_LIST_NAME: usize = 200;
const MAX_RULE_NAME: usize = 60;
const MAX_CONDITION: usize = 2_000;
const MAX_REASON: usize = 300;

const INVALID_RULE_SET: &str = "INVALID_RULE_SET";

/// Reads a rule set as far as its fields go; what its rules mean is checked next.
pub(crate) fn definition(request: CreateRuleSetRequest) -> Result<(Definition, String), Fault> {
    let CreateRuleSetRequest { request_id, rule_set } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(rule_set.is_some(), "rule_set", "is required");
    let WireSet { note, word_lists, categories, major_losses, surge, rules, .. } =
        rule_set.unwrap_or_default();
    let note = check.text("rule_set.note", note, MAX_NOTE);
    let definition = Definition {
        word_lists: lists(&mut check, "rule_set.word_lists", word_lists, MAX_LISTS),
        categories: lists(&mut check, "rule_set.categories", categories, MAX_CATEGORIES),
        major_losses: {
            let major_losses = check.list("rule_set.major_losses", major_losses, MAX_CURRENCIES);
            let sums = major_losses.into_iter().enumerate();
            let read = sums.filter_map(|(at, sum)| {
                let Money { minor, currency } =
                    check.money(&format!("rule_set.major_losses[{at}]"), Some(sum))?;
                Some(MajorLoss { currency, minor })
            });
            read.collect()
        },
        surge: surge.map_or_else(Surge::default, |WireSurge { at_least, times }| Surge { at_least, times }),
        rules: {
            let rules = check.list("rule_set.rules", rules, MAX_RULES);
            rules.into_iter().enumerate().map(|(at, rule)| read_rule(&mut check, at, rule)).collect()
        },
    };
    check.done(INVALID_RULE_SET)?;
    Ok((definition, note))
}

/// What is wrong with a set whose fields are well-formed.
pub(crate) fn refused(flaws: Vec<Flaw>) -> Result<(), Fault> {
    let mut check = Check::new();
    for Flaw { place, what } in flaws {
        check.fail(&format!("rule_set.{place}"), what);
    }
    check.done(INVALID_RULE_SET)
}

fn lists(check: &mut Check, field: &str, lists: Vec<WireList>, most_lists: usize) -> Vec<WordList> {
    let lists = check.list(field, lists, most_lists);
    let read = lists.into_iter().enumerate().map(|(at, WireList { name, words })| {
        let name = check.required(&format!("{field}[{at}].name"), name, MAX_LIST_NAME);
        let words = check.list(&format!("{field}[{at}].words"), words, MAX_WORDS);
        let each = words.into_iter().enumerate();
        let words =
            each.map(|(nth, word)| check.text(&format!("{field}[{at}].words[{nth}]"), word, MAX_WORD));
        WordList { name, words: words.collect() }
    });
    read.collect()
}

fn read_rule(check: &mut Check, at: usize, rule: WireRule) -> Rule {
    let WireRule {
        name,
        when,
        reason,
        priority,
        raises,
        severity,
        complexity,
        impact,
        urgency,
        safety,
        vulnerable,
    } = rule;
    let field = |name: &str| format!("rule_set.rules[{at}].{name}");
    Rule {
        name: check.required(&field("name"), name, MAX_RULE_NAME),
        when: check.required(&field("when"), when, MAX_CONDITION),
        reason: check.required(&field("reason"), reason, MAX_REASON),
        sets: Sets {
            priority: known(check, &field("priority"), priority, Priority::of(priority)),
            raises,
            severity: known(check, &field("severity"), severity, Level::of(severity)),
            complexity: known(check, &field("complexity"), complexity, Level::of(complexity)),
            impact: known(check, &field("impact"), impact, Level::of(impact)),
            urgency: known(check, &field("urgency"), urgency, Level::of(urgency)),
            safety,
            vulnerable,
        },
    }
}

/// A value of an enum, or none for the unspecified.
fn known<T>(check: &mut Check, field: &str, code: i32, value: Option<T>) -> Option<T> {
    check.ensure(code == 0 || value.is_some(), field, "is not a known value");
    value
}

/// Reads a version of a rule set; 0 is the one that is shipped.
pub(crate) fn version(check: &mut Check, version: i64) -> i64 {
    check.ensure(version >= 0, "version", "must not be negative");
    version
}

/// Reads the paging of a list of rule sets.
pub(crate) fn list(request: &ListRuleSetsRequest) -> Result<Page, Fault> {
    let mut check = Check::new();
    let page = check.page(request.page_size, &request.page_token, "");
    check.done("INVALID_LIST")?;
    Ok(page)
}

/// Reads what is to be replayed over what.
pub(crate) fn replay(request: ReplayRulesRequest) -> Result<(i64, Window, Page), Fault> {
    let ReplayRulesRequest { version: replayed, start_time, end_time, page_size, page_token } = request;
    let mut check = Check::new();
    let filters = format!("{replayed} {start_time:?} {end_time:?}");
    let page = check.page(page_size, &page_token, &filters);
    let replayed = version(&mut check, replayed);
    let window =
        Window { start: check.time("start_time", start_time), end: check.time("end_time", end_time) };
    let in_order = window.start.zip(window.end).is_none_or(|(start, end)| start < end);
    check.ensure(in_order, "end_time", "must be after start_time");
    check.done("INVALID_REPLAY")?;
    Ok((replayed, window, page))
}

/// Reads which case is to be triaged again.
pub(crate) fn retriage(request: RetriageCaseRequest) -> Result<CaseTarget, Fault> {
    let RetriageCaseRequest { request_id, case_id, expected_version } = request;
    let mut check = Check::new();
    let target = super::target(&mut check, request_id, &case_id, expected_version);
    check.done("INVALID_RETRIAGE")?;
    Ok(target)
}

/// The case, its new priority and why.
pub(crate) struct Urgency {
    /// The case.
    pub(crate) target: CaseTarget,
    /// How urgent it is to be.
    pub(crate) priority: Priority,
    /// Why.
    pub(crate) reason: String,
}

/// Reads how much more urgent a case is to be.
pub(crate) fn raise(request: RaisePriorityRequest) -> Result<Urgency, Fault> {
    let RaisePriorityRequest { request_id, case_id, expected_version, priority, reason } = request;
    urgency(request_id, &case_id, expected_version, (priority, reason))
}

/// Reads how much less urgent a case is to be.
pub(crate) fn lower(request: LowerPriorityRequest) -> Result<Urgency, Fault> {
    let LowerPriorityRequest { request_id, case_id, expected_version, priority, reason } = request;
    urgency(request_id, &case_id, expected_version, (priority, reason))
}

fn urgency(
    request_id: String,
    case_id: &str,
    version: Option<i64>,
    (priority, reason): (i32, String),
) -> Result<Urgency, Fault> {
    let mut check = Check::new();
    let target = super::target(&mut check, request_id, case_id, version);
    let known = i16::try_from(priority).ok().and_then(Priority::of);
    check.ensure(
        known.is_some(),
        "priority",
        if priority == 0 { "is required" } else { "is not a known priority" },
    );
    let reason = check.required("reason", reason, super::MAX_REASON);
    check.done("INVALID_PRIORITY")?;
    Ok(Urgency { target, priority: known.unwrap_or(Priority::P1), reason })
}

/// A rule set as callers see it.
pub(crate) fn rule_set(kept: KeptSet) -> WireSet {
    let KeptSet { version, note, creator, create_time, activate_time, active, definition } = kept;
    let about = WireSet {
        version,
        note,
        active,
        create_time: create_time.map(timestamp),
        creator,
        activate_time: activate_time.map(timestamp),
        ..WireSet::default()
    };
    let Some(Definition { word_lists, categories, major_losses, surge, rules }) = definition else {
        return about;
    };
    let list = |WordList { name, words }| WireList { name, words };
    let sum = |MajorLoss { currency, minor }| money(&Money { minor, currency });
    WireSet {
        word_lists: word_lists.into_iter().map(list).collect(),
        categories: categories.into_iter().map(list).collect(),
        major_losses: major_losses.into_iter().map(sum).collect(),
        surge: Some(WireSurge { at_least: surge.at_least, times: surge.times }),
        rules: rules.into_iter().map(rule).collect(),
        ..about
    }
}

fn rule(rule: Rule) -> WireRule {
    let Rule { name, when, reason, sets } = rule;
    let Sets { priority, raises, severity, complexity, impact, urgency, safety, vulnerable } = sets;
    let level = |level: Option<Level>| level.map_or(0, |level| level.number().into());
    WireRule {
        name,
        when,
        reason,
        priority: priority.map_or(0, |priority| priority.number().into()),
        raises,
        severity: level(severity),
        complexity: level(complexity),
        impact: level(impact),
        urgency: level(urgency),
        safety,
        vulnerable,
    }
}

/// What triage made of a case, as callers see it.
pub(crate) fn triage(past: &Past, verdict: &Verdict, at: jiff::Timestamp) -> WireTriage {
    let Verdict { triage, rule_set, attributes, matched } = verdict.clone();
    let Triage { category, priority, complexity: _, reasons } = triage;
    let Attributes { severity, complexity, impact, urgency, safety, vulnerable } = attributes;
    let Facts { around, anger, threats, conversation, .. } = past.facts();
    let rule = |Matched { name, reason, decided }| MatchedRule { name, reason, decided };
    WireTriage {
        case_id: past.case.to_string(),
        rule_set_version: rule_set,
        category,
        priority: priority.number().into(),
        reasons,
        matched_rules: matched.into_iter().map(rule).collect(),
        severity: severity.number().into(),
        complexity: complexity.number().into(),
        impact: impact.number().into(),
        urgency: urgency.number().into(),
        safety,
        vulnerable,
        repeat_count: around.repeats,
        surge: around.surge,
        emotion: classifiers::level(anger).into(),
        threats: classifiers::threats(threats),
        category_hint: past.hint.clone(),
        triage_time: Some(timestamp(at)),
        mood: conversation.mood.map(|told| mood(told, &past.moods)),
        missed_call: conversation.missed_call,
        handed_over: conversation.handed_over,
        hand_over_reason: conversation.hand_over_reason.map_or(0, |reason| reason.number().into()),
    }
}

/// How the customer's mood went.
fn mood(told: MoodFacts, moods: &[TurnMood]) -> Mood {
    let MoodFacts { first, worst, last, trend } = told;
    let trend = trend.map_or(MoodTrend::Unspecified, |trend| match trend {
        Trend::Rising => MoodTrend::Rising,
        Trend::Falling => MoodTrend::Falling,
        Trend::Steady => MoodTrend::Steady,
    });
    let turn =
        |mood: &TurnMood| WireTurn { turn: mood.place, emotion: classifiers::level(mood.level).into() };
    Mood {
        turns: moods.iter().map(turn).collect(),
        first: classifiers::level(first).into(),
        worst: classifiers::level(worst).into(),
        last: classifiers::level(last).into(),
        trend: trend.into(),
    }
}

/// What other rules make of a case; none when they make the same of it.
pub(crate) fn replayed(past: Past, verdict: Verdict) -> Option<ReplayedCase> {
    let (before, after) = (past.verdict.triage, verdict.triage);
    let decided = |triage: &Triage| (triage.category.clone(), triage.priority, triage.complexity);
    let is_same = decided(&before) == decided(&after);
    (!is_same).then(|| ReplayedCase {
        case_id: past.case.to_string(),
        subject: past.subject,
        category: before.category,
        new_category: after.category,
        priority: before.priority.number().into(),
        new_priority: after.priority.number().into(),
        reasons: after.reasons,
        complexity: before.complexity.number().into(),
        new_complexity: after.complexity.number().into(),
    })
}
