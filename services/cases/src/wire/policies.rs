//! Contract ⇄ domain: policies.

use calendar::{
    Action, Duty, Flaw, Ground, Kind, Ladder, Limits, Pack, Promise, Rung, When, packs, versions,
};
use fault::{Check, Fault};
use jiff::civil::Date;
use kernel::page::Page;
use proto::redress::cases::v1::{
    ActivatePolicyRequest, CreatePolicyRequest, GetPolicyRequest, LadderRung, ListPoliciesRequest,
    Policy as WirePolicy, PolicyDuty, PolicyGround, PolicyLimits, PolicyPackVersion, PolicyPromise,
    ReopeningLimits as WireReopening, RungAction,
};
use proto::timestamp;

use super::MAX_REASON;
use super::calendars::recount;
use crate::clocks::policy::{BREACH, KeptPolicy, KindLadder, default_ladders, packs as packs_of};
use crate::clocks::policy_activation::Progress;
use crate::clocks::rungs::STILL_PAUSED;
use crate::promise::{kind_of, number, reason_name};
use crate::reopening::ReopeningLimits;

/// Longest pack.
const MAX_PACK: usize = 100_000;

/// A policy that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The promises.
    pub(crate) pack: Pack,
    /// Whether they are shipped ones.
    pub(crate) shipped: bool,
    /// What is done as time runs out.
    pub(crate) ladders: Vec<KindLadder>,
    /// How long and how often a case may be taken up again.
    pub(crate) reopening: ReopeningLimits,
    /// Why there is this version.
    pub(crate) note: String,
}

/// Most rungs of all ladders, and actions of one rung.
const MAX_RUNGS: usize = 200;
const MAX_ACTIONS: usize = 10;

/// Reads a policy that is to be made.
pub(crate) fn create(request: CreatePolicyRequest) -> Result<Draft, Fault> {
    let CreatePolicyRequest { request_id, shipped_pack, pack_toml, rungs, note, reopening } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let pack_toml = check.text("pack_toml", pack_toml, MAX_PACK);
    let shipped = !shipped_pack.is_empty();
    let pack = match (shipped, pack_toml.is_empty()) {
        (true, true) => shipped_of(&mut check, &shipped_pack),
        (false, false) => own_of(&mut check, &pack_toml),
        _ => {
            check.fail("shipped_pack", "exactly one of shipped_pack and pack_toml is required");
            None
        }
    };
    let ladders = if rungs.is_empty() { default_ladders() } else { ladders(&mut check, rungs) };
    let note = check.text("note", note, MAX_REASON);
    let reopening = reopening.map_or(ReopeningLimits::SHIPPED, |limits| reopening_of(&mut check, limits));
    check.done("INVALID_POLICY")?;
    let pack = pack.ok_or_else(|| Fault::internal("a policy without a pack, and no flaw"))?;
    Ok(Draft { pack, shipped, ladders, reopening, note })
}

fn reopening_of(check: &mut Check, limits: WireReopening) -> ReopeningLimits {
    let WireReopening { window_days, maximum } = limits;
    let days = ReopeningLimits::MIN_DAYS..=ReopeningLimits::MAX_DAYS;
    let problem = format!("must be {} to {} days", days.start(), days.end());
    check.ensure(days.contains(&window_days), "reopening.window_days", &problem);
    let times = ReopeningLimits::MIN_TIMES..=ReopeningLimits::MAX_TIMES;
    let problem = format!("must be {} to {}", times.start(), times.end());
    check.ensure(times.contains(&maximum), "reopening.maximum", &problem);
    ReopeningLimits { window_days, maximum }
}

/// Limits of reopening as callers see them.
pub(super) fn reopening(limits: ReopeningLimits) -> WireReopening {
    WireReopening { window_days: limits.window_days, maximum: limits.maximum }
}

/// The pack names a calendar there is not.
pub(crate) fn no_such_calendar() -> Fault {
    let mut check = Check::new();
    check.fail("pack_toml.calendar", "is not the name of a calendar");
    check.done("INVALID_POLICY").err().unwrap_or_else(|| Fault::internal("a flaw that is none"))
}

fn shipped_of(check: &mut Check, name: &str) -> Option<Pack> {
    let pack = versions(name).next();
    if pack.is_none() {
        let mut all: Vec<&str> = packs().iter().map(|pack| pack.name.as_str()).collect();
        all.dedup();
        check.fail("shipped_pack", format!("must be one of {}", all.join(", ")));
    }
    pack.cloned()
}

fn own_of(check: &mut Check, text: &str) -> Option<Pack> {
    match Pack::from_toml(text) {
        Ok(pack) => Some(pack),
        Err(flaws) => {
            for Flaw { field, problem } in flaws {
                let field = if field.is_empty() { String::new() } else { format!(".{field}") };
                check.fail(&format!("pack_toml{field}"), problem);
            }
            None
        }
    }
}

/// The rungs by kind, each where it was written; everything that is wrong with
/// them is noted at its place in the request.
fn ladders(check: &mut Check, rungs: Vec<LadderRung>) -> Vec<KindLadder> {
    let mut ladders: Vec<(KindLadder, Vec<usize>)> = Vec::new();
    let rungs = check.list("rungs", rungs, MAX_RUNGS);
    for (place, LadderRung { kind, name, at, actions }) in rungs.into_iter().enumerate() {
        let field = |name: &str| format!("rungs[{place}].{name}");
        let known = kind_of(kind);
        check.ensure(kind == 0 || known.is_some(), &field("kind"), "is not a known kind");
        check.ensure(name != BREACH, &field("name"), "breach is the due time itself, which needs no step");
        let is_reminder = name.starts_with(STILL_PAUSED);
        check.ensure(!is_reminder, &field("name"), "still-paused reminds of a pause, which needs no step");
        check.ensure(!name.chars().any(char::is_control), &field("name"), "must be on one line");
        let actions = check.list(&field("actions"), actions, MAX_ACTIONS);
        let actions: Vec<Action> =
            actions.into_iter().filter_map(|code| action(check, &field("actions"), code)).collect();
        let at = match at.parse() {
            Ok(at) => at,
            Err(error) => {
                check.fail(&field("at"), format!("{error}"));
                continue;
            }
        };
        let rung = Rung { name, at, actions };
        match ladders.iter_mut().find(|(ladder, _)| ladder.kind == known) {
            Some((ladder, places)) => {
                ladder.rungs.push(rung);
                places.push(place);
            }
            None => ladders.push((KindLadder { kind: known, rungs: vec![rung] }, vec![place])),
        }
    }
    for (ladder, places) in &ladders {
        for Flaw { field, problem } in Ladder::check(ladder.rungs.clone()).err().unwrap_or_default() {
            check.fail(&placed(&field, places), problem);
        }
    }
    ladders.into_iter().map(|(ladder, _)| ladder).collect()
}

/// `rungs[1].name` of one kind's ladder, as the request counts.
fn placed(field: &str, places: &[usize]) -> String {
    let inner = field.strip_prefix("rungs[").and_then(|rest| rest.split_once(']'));
    let place = inner.and_then(|(index, rest)| Some((places.get(index.parse::<usize>().ok()?)?, rest)));
    place.map_or_else(|| field.to_owned(), |(place, rest)| format!("rungs[{place}]{rest}"))
}

fn action(check: &mut Check, field: &str, code: i32) -> Option<Action> {
    match RungAction::try_from(code) {
        Ok(RungAction::Remind) => Some(Action::Remind),
        Ok(RungAction::RaisePriority) => Some(Action::RaisePriority),
        Ok(RungAction::Reassign) => Some(Action::Reassign),
        Ok(RungAction::Escalate) => Some(Action::Escalate),
        Ok(RungAction::Unspecified) | Err(_) => {
            check.fail(field, "must be known actions");
            None
        }
    }
}

/// Reads which version is to be put in force, and whether only to try it.
pub(crate) fn activate(request: ActivatePolicyRequest) -> Result<(i32, bool), Fault> {
    let ActivatePolicyRequest { request_id, version, validate_only } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(version >= 0, "version", "must not be negative");
    check.done("INVALID_POLICY")?;
    Ok((version, validate_only))
}

/// Reads which version is wanted, and for which day of receipt.
pub(crate) fn get(request: GetPolicyRequest) -> Result<(Option<i32>, Option<Date>), Fault> {
    let GetPolicyRequest { version, received_date } = request;
    let mut check = Check::new();
    let received = received_date.parse::<Date>().ok().filter(|date| date.to_string() == received_date);
    check.ensure(
        received_date.is_empty() || received.is_some(),
        "received_date",
        "must be a day, as 2026-04-14",
    );
    check.ensure(version.is_none_or(|version| version >= 0), "version", "must not be negative");
    check.done("INVALID_POLICY")?;
    Ok((version, received))
}

/// Reads which page of policies is wanted.
pub(crate) fn list(request: ListPoliciesRequest) -> Result<Page, Fault> {
    let ListPoliciesRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, "policies");
    check.done("INVALID_LIST")?;
    Ok(page)
}

/// A policy as callers see it.
pub(crate) fn policy(kept: &KeptPolicy, progress: Option<&Progress>) -> WirePolicy {
    let pack = &kept.pack;
    WirePolicy {
        version: kept.version,
        pack: pack.reference(),
        title: pack.title.clone(),
        source: pack.source.clone(),
        calendar: pack.calendar.clone(),
        effective_from: pack.effective_from.to_string(),
        effective_until: pack.effective_until.map(|date| date.to_string()).unwrap_or_default(),
        shipped: kept.shipped,
        unverified: pack.unverified,
        promises: pack.promises.iter().map(|one| promise(pack, one)).collect(),
        rungs: kept
            .ladders
            .iter()
            .flat_map(|ladder| ladder.rungs.iter().map(|one| rung(ladder.kind, one)))
            .collect(),
        note: kept.note.clone(),
        create_time: kept.created.map(timestamp),
        creator: kept.creator.clone(),
        activate_time: kept.activated.map(timestamp),
        activator: kept.activator.clone(),
        duties: pack.duties.iter().map(duty).collect(),
        limits: Some(limits(&pack.limits)),
        refusal_grounds: pack.refusal_grounds.iter().map(ground).collect(),
        ending_grounds: pack.ending_grounds.iter().map(ground).collect(),
        hints: pack.hints.iter().map(ground).collect(),
        versions: packs_of(&kept.pack, kept.shipped).iter().map(pack_version).collect(),
        effective_unverified: pack.effective_unverified,
        recount: progress.map(recount),
        reopening: Some(reopening(kept.reopening)),
    }
}

fn duty(duty: &Duty) -> PolicyDuty {
    PolicyDuty { text: duty.text.clone(), unverified: duty.unverified }
}

fn ground(ground: &Ground) -> PolicyGround {
    PolicyGround { code: ground.code.clone(), text: ground.text.clone() }
}

fn pack_version(pack: &Pack) -> PolicyPackVersion {
    PolicyPackVersion {
        pack: pack.reference(),
        effective_from: pack.effective_from.to_string(),
        effective_until: pack.effective_until.map(|date| date.to_string()).unwrap_or_default(),
    }
}

fn limits(limits: &Limits) -> PolicyLimits {
    let Limits { group_alarm, representatives, oldest, reports_apart, withdrawn_same_day, early_settlement } =
        limits;
    let count = |number: Option<u32>| number.map_or(0, |number| i32::try_from(number).unwrap_or(i32::MAX));
    PolicyLimits {
        group_alarm: count(*group_alarm),
        representatives: count(*representatives),
        oldest: oldest.map(|oldest| oldest.to_string()).unwrap_or_default(),
        reports_apart: *reports_apart,
        withdrawn_same_day: *withdrawn_same_day,
        early_settlement: early_settlement.map(|budget| budget.to_string()).unwrap_or_default(),
    }
}

fn promise(pack: &Pack, promise: &Promise) -> PolicyPromise {
    let pausing = promise.pause.as_ref();
    let reasons = pausing.map(|pausing| pausing.reasons.iter().map(|reason| reason_name(*reason).to_owned()));
    PolicyPromise {
        kind: number(promise.kind).into(),
        budget: promise.budget.to_string(),
        starts: kebab(&format!("{:?}", promise.starts)),
        when: condition(&promise.when),
        own_target: promise.own_target,
        unverified: pack.unverified || promise.unverified,
        pause_reasons: reasons.into_iter().flatten().collect(),
        pause_cap: pausing.and_then(|pausing| pausing.cap).map(|cap| cap.to_string()).unwrap_or_default(),
        most_extension: i32::try_from(promise.terms().most_extension()).unwrap_or(i32::MAX),
        note: promise.note.clone(),
        holding_reply: promise.extension.as_ref().is_some_and(|more| more.holding_reply),
        beside: promise.beside.map(|beside| beside.to_string()).unwrap_or_default(),
        reopened: kebab(&format!("{:?}", promise.reopening())),
        causes: promise.extension.as_ref().map(|more| more.causes.clone()).unwrap_or_default(),
        names_date: promise.extension.as_ref().is_some_and(|more| more.names_date),
    }
}

fn condition(when: &When) -> String {
    let When { complexity, priority, region, matter, stage, channel } = when;
    let mut parts = Vec::new();
    parts.extend(complexity.map(|complexity| kebab(&format!("{complexity:?}"))));
    parts.extend(priority.map(|priority| format!("priority {priority}")));
    parts.extend((!region.is_empty()).then(|| format!("region {region}")));
    parts.extend((!matter.is_empty()).then(|| format!("matter {matter}")));
    parts.extend(stage.map(|stage| format!("stage {stage}")));
    parts.extend(channel.map(|channel| format!("channel {}", channel.name())));
    parts.join(", ")
}

/// `ReviewRequest` as data has it: `review-request`.
pub(super) fn kebab(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 2);
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

fn rung(kind: Option<Kind>, rung: &Rung) -> LadderRung {
    let action = |action: &Action| match action {
        Action::Remind => RungAction::Remind.into(),
        Action::RaisePriority => RungAction::RaisePriority.into(),
        Action::Reassign => RungAction::Reassign.into(),
        Action::Escalate => RungAction::Escalate.into(),
    };
    LadderRung {
        kind: kind.map_or(0, |kind| number(kind).into()),
        name: rung.name.clone(),
        at: rung.at.to_string(),
        actions: rung.actions.iter().map(action).collect(),
    }
}
