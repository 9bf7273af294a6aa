//! Returns to regulators: mappings, what is asked for, and how complete it is.

use std::collections::BTreeMap;

use calendar::builtin;
use fault::{Check, Fault, Kind, Violation};
use jiff::civil::Date;
use proto::redress::cases::v1::Outcome;
use proto::redress::feedback::v1 as wire;
use proto::redress::intake::v1::Channel;
use proto::timestamp;

use super::INVALID_REQUEST;
use super::kpis::days_between;
use crate::returns::mapping::{
    MAX_CLOSED_DATES, MAX_CODES, MAX_CONDITION, MAX_CONSTANTS, MAX_FIELD, MAX_HEADINGS, MAX_ORGANISATIONS,
    MAX_REGION, MAX_RULES, MAX_VALUE, Rule, Values,
};
use crate::returns::{Completeness, Examined, Format, Issue, MAX_DAYS, Mapping, Regime, Return, Term};
use crate::revision::{MAX_NOTE, Revision};

/// Reason of a mapping that cannot be.
const INVALID_RETURN_MAPPING: &str = "INVALID_RETURN_MAPPING";

/// Which mapping.
#[derive(Clone, Debug)]
pub(crate) struct MappingKey {
    pub(crate) regime: Regime,
    pub(crate) entity: String,
}

impl MappingKey {
    /// What its versions are kept under.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.regime.name(), self.entity)
    }
}

/// A mapping somebody wants, why, and the version it replaces.
#[derive(Clone, Debug)]
pub(crate) struct WantedMapping {
    pub(crate) key: MappingKey,
    pub(crate) mapping: Mapping,
    pub(crate) note: String,
    pub(crate) expected: i64,
}

/// A return somebody asks for.
#[derive(Clone, Debug)]
pub(crate) struct AskedReturn {
    pub(crate) key: MappingKey,
    pub(crate) format: Format,
    pub(crate) term: Term,
}

/// Which return; none where the regime is none.
fn key_of(check: &mut Check, path: &str, regime: i32, entity: String) -> Option<MappingKey> {
    let known = Regime::of(regime);
    check.ensure(known.is_some(), &format!("{path}regime"), "must be a regime");
    let entity = check.optional_slug(&format!("{path}entity_id"), entity).unwrap_or_default();
    known.map(|regime| MappingKey { regime, entity })
}

fn done<T>(check: Check, reason: &'static str, read: Option<T>) -> Result<T, Fault> {
    check.done(reason)?;
    read.ok_or_else(|| Fault::internal("what was checked is none"))
}

pub(crate) fn wanted_return_mapping(
    request: wire::UpdateReturnMappingRequest,
) -> Result<WantedMapping, Fault> {
    let wire::UpdateReturnMappingRequest { request_id, expected_version, mapping } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(expected_version >= 0, "expected_version", "must not be negative");
    check.ensure(mapping.is_some(), "mapping", "is required");
    let read = mapping.and_then(|mapping| read_mapping(&mut check, mapping));
    let (key, mapping, note) = done(check, INVALID_RETURN_MAPPING, read)?;
    Ok(WantedMapping { key, mapping, note, expected: expected_version })
}

fn read_mapping(check: &mut Check, told: wire::ReturnMapping) -> Option<(MappingKey, Mapping, String)> {
    let wire::ReturnMapping {
        version: _,
        regime,
        entity_id,
        organisations,
        regulator_only,
        calendar,
        closed_dates,
        constants,
        rules,
        headings,
        note,
        create_time: _,
        creator: _,
    } = told;
    let key = key_of(check, "mapping.", regime, entity_id);
    let regime = key.as_ref().map(|key| key.regime);
    let organisations = organisations_of(check, organisations);
    let is_calendar = calendar.is_empty() || builtin::names().any(|name| name == calendar);
    check.ensure(is_calendar, "mapping.calendar", "is no calendar that ships with Redress");
    let closed_dates = dates_of(check, closed_dates);
    let fields = regime.map(Regime::constants);
    let constants = check.list("mapping.constants", constants, MAX_CONSTANTS);
    let constants = values_of(check, "mapping.constants", constants, fields);
    let rules = rules_of(check, rules, regime);
    let headings = check.list("mapping.headings", headings, MAX_HEADINGS);
    let columns: Option<Vec<(&str, Values)>> =
        regime.map(|regime| regime.headings().iter().map(|name| (*name, Values::Text(MAX_VALUE))).collect());
    let headings = values_of(check, "mapping.headings", headings, columns.as_deref());
    let note = check.text("mapping.note", note, MAX_NOTE);
    let mapping =
        Mapping { organisations, regulator_only, calendar, closed_dates, constants, rules, headings };
    // Of rules that are wrong in themselves nobody asks what they hide.
    if check.is_clean() {
        for (place, field) in mapping.shadowed() {
            let path = format!("mapping.rules[{place}]");
            check.fail(&path, format!("never gives its {field}: a rule before it matches whatever it does"));
        }
    }
    key.map(|key| (key, mapping, note))
}

fn organisations_of(check: &mut Check, told: Vec<String>) -> Vec<String> {
    let told = check.list("mapping.organisations", told, MAX_ORGANISATIONS);
    let read = told.into_iter().enumerate().map(|(place, name)| {
        let path = format!("mapping.organisations[{place}]");
        check.required(&path, name.trim().to_owned(), MAX_CONDITION)
    });
    read.collect()
}

fn dates_of(check: &mut Check, told: Vec<String>) -> Vec<Date> {
    let told = check.list("mapping.closed_dates", told, MAX_CLOSED_DATES);
    let mut read = Vec::new();
    for (place, text) in told.iter().enumerate() {
        let day: Option<Date> = (text.len() == 10).then(|| text.parse().ok()).flatten();
        check.ensure(
            day.is_some(),
            &format!("mapping.closed_dates[{place}]"),
            "must be a day, as `2026-12-28`",
        );
        read.extend(day);
    }
    read.sort();
    read.dedup();
    read
}

/// Values by field; of a regime, those that it has.
fn values_of(
    check: &mut Check,
    path: &str,
    told: Vec<wire::ReturnValue>,
    fields: Option<&[(&str, Values)]>,
) -> BTreeMap<String, String> {
    let mut read = BTreeMap::new();
    for (place, wire::ReturnValue { field, value }) in told.into_iter().enumerate() {
        let at = |name: &str| format!("{path}[{place}].{name}");
        let field = check.required(&at("field"), field, MAX_FIELD);
        let value = check.required(&at("value"), value.trim().to_owned(), MAX_VALUE);
        if field.is_empty() || value.is_empty() {
            continue;
        }
        if let Some(fields) = fields {
            let known = fields.iter().find(|(name, _)| *name == field);
            check.ensure(known.is_some(), &at("field"), "is no field of this regime here");
            if let Some(flaw) = known.and_then(|(_, values)| values.flaw(&value)) {
                check.fail(&at("value"), flaw);
            }
        }
        check.ensure(read.insert(field, value).is_none(), &at("field"), "is named already");
    }
    read
}

fn rules_of(check: &mut Check, told: Vec<wire::ReturnRule>, regime: Option<Regime>) -> Vec<Rule> {
    let told = check.list("mapping.rules", told, MAX_RULES);
    let read = told.into_iter().enumerate();
    read.map(|(place, rule)| read_rule(check, &format!("mapping.rules[{place}]"), rule, regime)).collect()
}

fn read_rule(check: &mut Check, path: &str, told: wire::ReturnRule, regime: Option<Regime>) -> Rule {
    let wire::ReturnRule { category, product, channel, root_cause, outcome, region, codes } = told;
    let at = |field: &str| format!("{path}.{field}");
    let mut text =
        |field: &str, text: String, most: usize| check.text(&at(field), text.trim().to_owned(), most);
    let category = text("category", category, MAX_CONDITION).trim_end_matches('/').to_owned();
    let product = text("product", product, MAX_CONDITION);
    let root_cause = text("root_cause", root_cause, MAX_CONDITION).trim_end_matches('/').to_owned();
    let region = text("region", region, MAX_REGION);
    check.ensure(Channel::try_from(channel).is_ok(), &at("channel"), "is no channel");
    check.ensure(Outcome::try_from(outcome).is_ok(), &at("outcome"), "is no outcome");
    let codes = check.some(&at("codes"), codes, MAX_CODES);
    let codes = values_of(check, &at("codes"), codes, regime.map(Regime::codes));
    let number = |number: i32| i16::try_from(number).unwrap_or(0);
    Rule { category, product, channel: number(channel), root_cause, outcome: number(outcome), region, codes }
}

pub(crate) fn mapping_of(request: wire::GetReturnMappingRequest) -> Result<(MappingKey, Option<i64>), Fault> {
    let wire::GetReturnMappingRequest { regime, entity_id, version } = request;
    let mut check = Check::new();
    let key = key_of(&mut check, "", regime, entity_id);
    check.ensure(version.is_none_or(|version| version >= 0), "version", "must not be negative");
    Ok((done(check, INVALID_REQUEST, key)?, version))
}

/// A mapping, as it is told.
pub(crate) fn return_mapping(key: &MappingKey, revision: Revision<Mapping>) -> wire::ReturnMapping {
    let Revision { version, content, note, created, activated: _ } = revision;
    let Mapping { organisations, regulator_only, calendar, closed_dates, constants, rules, headings } =
        content;
    let (create_time, creator) = created.map_or((None, String::new()), |(at, by)| (Some(timestamp(at)), by));
    let values = |values: BTreeMap<String, String>| -> Vec<wire::ReturnValue> {
        values.into_iter().map(|(field, value)| wire::ReturnValue { field, value }).collect()
    };
    let rule = |rule: Rule| {
        let Rule { category, product, channel, root_cause, outcome, region, codes } = rule;
        let (channel, outcome) = (channel.into(), outcome.into());
        wire::ReturnRule { category, product, channel, root_cause, outcome, region, codes: values(codes) }
    };
    wire::ReturnMapping {
        version,
        regime: key.regime.number().into(),
        entity_id: key.entity.clone(),
        organisations,
        regulator_only,
        calendar,
        closed_dates: closed_dates.iter().map(ToString::to_string).collect(),
        constants: values(constants),
        rules: rules.into_iter().map(rule).collect(),
        headings: values(headings),
        note,
        create_time,
        creator,
    }
}

fn asked(
    check: &mut Check,
    (regime, entity): (i32, String),
    (start, end): (&str, &str),
    format: i32,
) -> Option<AskedReturn> {
    let key = key_of(check, "", regime, entity);
    let days = days_between(check, "", (start, end), MAX_DAYS);
    let known = if format == 0 { Some(Format::Csv) } else { Format::of(format) };
    let is_lawful = known.is_some_and(|format| {
        format == Format::Csv || key.as_ref().is_none_or(|key| key.regime == Regime::FcaDisp1Annex1r)
    });
    check.ensure(is_lawful, "format", "must be CSV, or of the FCA JSON");
    let (key, (start, end), format) = (key?, days?, known?);
    let term = Term { start, end };
    if let Some(flaw) = term.flaw(key.regime) {
        check.fail("end_date", flaw);
    }
    Some(AskedReturn { key, format, term })
}

pub(crate) fn checked_return(request: wire::CheckReturnRequest) -> Result<AskedReturn, Fault> {
    let wire::CheckReturnRequest { regime, entity_id, start_date, end_date } = request;
    let mut check = Check::new();
    let read = asked(&mut check, (regime, entity_id), (&start_date, &end_date), 0);
    done(check, INVALID_REQUEST, read)
}

pub(crate) fn exported_return(request: wire::ExportReturnRequest) -> Result<AskedReturn, Fault> {
    let wire::ExportReturnRequest { regime, entity_id, start_date, end_date, format } = request;
    let mut check = Check::new();
    let read = asked(&mut check, (regime, entity_id), (&start_date, &end_date), format);
    done(check, INVALID_REQUEST, read)
}

/// How complete a return is, as it is told.
pub(crate) fn return_check(of: &Return, completeness: Completeness) -> wire::ReturnCheck {
    let Completeness { records, incomplete, issues, first } = completeness;
    let issue = |Issue { case, field, problem }: Issue| wire::ReturnIssue {
        case_id: case.map(|case| case.to_string()).unwrap_or_default(),
        field: field.to_owned(),
        description: problem,
    };
    wire::ReturnCheck {
        record_count: records,
        incomplete_record_count: incomplete,
        issue_count: issues,
        issues: first.into_iter().map(issue).collect(),
        mapping_version: of.mapping_version,
        as_of_time: Some(timestamp(of.as_of)),
    }
}

/// Says no to a return that lacks something, and names as much of it as there is room for.
pub(crate) fn refuse_incomplete(completeness: &Completeness) -> Result<(), Fault> {
    let Completeness { records, incomplete, issues, first } = completeness;
    if *issues == 0 {
        return Ok(());
    }
    let field = |issue: &Issue| match issue.case {
        Some(case) => format!("{case}.{}", issue.field),
        None => issue.field.to_owned(),
    };
    let violations = first.iter().map(|issue| Violation::new(field(issue), issue.problem.clone())).collect();
    let message =
        format!("{incomplete} of {records} records are incomplete, and {issues} fields missing or wrong");
    let more = usize::try_from(*issues).unwrap_or(usize::MAX).saturating_sub(first.len());
    let fault = Fault::new(Kind::Precondition, "RETURN_INCOMPLETE", message);
    Err(fault.violating(violations).and_more(more).with("issue_count", issues.to_string()))
}

/// What a file is, as it is told.
pub(crate) fn return_file(of: &Return, entity: &str, examined: &Examined) -> wire::ReturnFile {
    wire::ReturnFile {
        name: of.file_name(entity),
        regime: of.regime.number().into(),
        format: of.format.number().into(),
        record_count: examined.completeness.records,
        mapping_version: of.mapping_version,
        size_bytes: i64::try_from(examined.size).unwrap_or(i64::MAX),
        sha256: examined.sha256.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")),
    }
}
