//! Clock policies: a shipped pack by its name, or a pack in TOML, and ladders in JSON; tried on
//! every open clock.

use proto::redress::cases::v1::policy_service_client::PolicyServiceClient;
use proto::redress::cases::v1::{
    ActivatePolicyRequest, CreatePolicyRequest, GetPolicyRequest, LadderRung, ListPoliciesRequest,
    MovedDeadline, Policy, ReopeningLimits,
};

use super::contract;
use super::input::{Input, InputKind, Placed, all_wrong, place_in};
use super::trial::{Cell, Trial};
use super::versioned::{Row, Rows, Version, Versioned};
use super::{Admin, ROWS};
use crate::form::Posted;
use crate::moment::Moment;
use crate::problem::{Problem, Violation};
use crate::words::Words;

/// Most moved due times that a page shows.
const MOVED_MAX: usize = 200;
/// Longest pack in TOML, as the contract has it.
const TOML_MAX: usize = 100_000;

pub(super) struct Policies;

fn number(key: &str) -> Result<Option<i32>, Problem> {
    if key.is_empty() { Ok(None) } else { key.parse().map(Some).map_err(|_| Problem::not_found()) }
}

/// The one in force is the one activated last.
fn row(admin: &Admin, policy: &Policy) -> Row {
    let t = admin.words();
    let is_shipped = policy.version == 0;
    let number = if is_shipped { t.shipped_version().to_owned() } else { t.version_number(policy.version) };
    Row {
        key: policy.version.to_string(),
        name: if policy.pack.is_empty() { number } else { format!("{number} · {}", policy.pack) },
        note: if policy.note.is_empty() { policy.title.clone() } else { policy.note.clone() },
        creator: policy.creator.clone(),
        created: Moment::of(policy.create_time.as_ref(), &admin.visitor),
        activated: Moment::of(policy.activate_time.as_ref(), &admin.visitor),
        is_active: false,
    }
}

async fn get(admin: &Admin, version: Option<i32>) -> Result<Policy, Problem> {
    let mut service = PolicyServiceClient::new(admin.client.calls());
    let request = GetPolicyRequest { version, received_date: String::new() };
    let answer = service.get_policy(request).await?.into_inner();
    answer.policy.ok_or_else(|| Problem::broken("a policy is missing from its answer"))
}

/// The steps of ladders, from JSON: a list of them.
fn rungs(text: &str) -> Result<Vec<LadderRung>, Problem> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    // The contract that has nothing but them and what is beside this field on the page.
    let whole = format!("{{\"rungs\": {text}}}");
    let read: CreatePolicyRequest = contract::read(&whole, "rungs").map_err(|mut problem| {
        for one in &mut problem.violations {
            one.field = one.field.replacen("rungs.rungs", "rungs", 1);
        }
        problem
    })?;
    Ok(read.rungs)
}

/// How long and how often cases may be reopened; none where neither is told. A number that is
/// left out is one that the service refuses.
fn reopening(days: &str, times: &str) -> Result<Option<ReopeningLimits>, Problem> {
    if days.is_empty() && times.is_empty() {
        return Ok(None);
    }
    let number = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<i32>().ok() };
    match (number(days), number(times)) {
        (Some(window_days), Some(maximum)) => Ok(Some(ReopeningLimits { window_days, maximum })),
        read => {
            let wrong = |field: &str| Violation {
                field: field.to_owned(),
                description: "must be a whole number".to_owned(),
            };
            let days = read.0.is_none().then(|| wrong("reopening.window_days"));
            let times = read.1.is_none().then(|| wrong("reopening.maximum"));
            Err(all_wrong(days.into_iter().chain(times).collect()))
        }
    }
}

/// Due times that something moves, as rows.
pub(super) fn moved_rows(admin: &Admin, moved: &[MovedDeadline]) -> Vec<Vec<Cell>> {
    let t = admin.words();
    let time = |time: Option<&prost_types::Timestamp>| {
        Moment::of(time, &admin.visitor).map(|moment| moment.text).unwrap_or_default()
    };
    let row = |one: &MovedDeadline| {
        let path = Some(admin.path(&format!("/cases/{}", one.case_id)));
        vec![
            Cell { text: one.case_id.clone(), path },
            t.clock_kind(one.kind).into(),
            time(one.before_time.as_ref()).into(),
            time(one.after_time.as_ref()).into(),
        ]
    };
    moved.iter().take(MOVED_MAX).map(row).collect()
}

/// What an edit or a policy moves.
pub(super) fn moved_trial(admin: &Admin, moved: &[MovedDeadline], count: i64, said: Vec<String>) -> Trial {
    let t = admin.words();
    let earlier = |one: &&MovedDeadline| {
        let seconds = |time: Option<&prost_types::Timestamp>| time.map_or(i64::MAX, |time| time.seconds);
        seconds(one.after_time.as_ref()) < seconds(one.before_time.as_ref())
    };
    let sooner = moved.iter().filter(earlier).count();
    let mut said = said;
    if moved.len() > MOVED_MAX {
        said.push(t.moved_first(MOVED_MAX));
    }
    Trial {
        said,
        facts: vec![
            (t.due_times_moved().to_owned(), count.to_string()),
            (t.moved_sooner().to_owned(), sooner.to_string()),
        ],
        columns: vec![t.case_word(), t.promise_word(), t.due_before(), t.due_after()],
        rows: moved_rows(admin, moved),
        ..Trial::default()
    }
}

impl Versioned for Policies {
    const KEY: &'static str = "policies";

    fn title(t: Words) -> &'static str {
        t.policies()
    }

    fn about(t: Words) -> &'static str {
        t.policies_about()
    }

    fn inputs(t: Words) -> Vec<Input> {
        let mut packs = vec![(String::new(), t.pack_of_own().to_owned())];
        let mut names: Vec<String> = calendar::packs().iter().map(|pack| pack.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        packs.extend(names.into_iter().map(|name| (name.clone(), name)));
        vec![
            Input::new("note", t.version_note(), InputKind::Line(2_000)),
            Input::new("shipped_pack", t.shipped_pack(), InputKind::Choice(packs))
                .saying(t.shipped_pack_help()),
            Input::new("pack_toml", t.pack_toml(), InputKind::Code { rows: 16, max: TOML_MAX })
                .saying(t.pack_toml_help()),
            Input::new("rungs", t.rungs_json(), InputKind::Code { rows: 12, max: TOML_MAX })
                .saying(t.rungs_help()),
            Input::new("reopen_days", t.reopen_days(), InputKind::Number).saying(t.reopen_help()),
            Input::new("reopen_times", t.reopen_times(), InputKind::Number).saying(t.reopen_help()),
        ]
    }

    fn place(path: &str, inputs: &[Input]) -> Option<Placed> {
        let value = |name: &str| inputs.iter().find(|input| input.name == name).map_or("", |one| &one.value);
        if path.starts_with("rungs") {
            let place = place_in(path, "rungs");
            let rest = place.map_or(String::new(), |_| path.trim_start_matches("rungs").to_owned());
            return Some(Placed { input: "rungs", line: contract::line_of(value("rungs"), &rest) });
        }
        let plain = [
            ("note", "note"),
            ("reopening.window_days", "reopen_days"),
            ("reopening.maximum", "reopen_times"),
        ];
        if let Some((_, input)) = plain.into_iter().find(|(named, _)| *named == path) {
            return Some(Placed { input, line: None });
        }
        let is_own = value("shipped_pack").is_empty();
        let input = if path.starts_with("shipped_pack") || !is_own { "shipped_pack" } else { "pack_toml" };
        Some(Placed { input, line: None })
    }

    async fn list(admin: &Admin) -> Result<Rows, Problem> {
        let mut service = PolicyServiceClient::new(admin.client.calls());
        let request = ListPoliciesRequest { page_size: ROWS, page_token: String::new() };
        let answer = service.list_policies(request).await?.into_inner();
        let latest = answer
            .policies
            .iter()
            .filter_map(|policy| Some((policy.activate_time?, policy.version)))
            .max_by_key(|(time, version)| (time.seconds, time.nanos, *version))
            .map(|(_, version)| version);
        let active = |policy: &Policy| Row {
            is_active: policy.version == latest.unwrap_or_default(),
            ..row(admin, policy)
        };
        let mut rows: Vec<Row> = answer.policies.iter().map(active).collect();
        rows.push(active(&Policy::default()));
        Ok(Rows { rows, has_more: !answer.next_page_token.is_empty() })
    }

    async fn get(admin: &Admin, key: &str) -> Result<Version, Problem> {
        let policy = get(admin, number(key)?).await?;
        let t = admin.words();
        let known = if policy.shipped { policy.pack.split('@').next().unwrap_or_default() } else { "" };
        let ladders = CreatePolicyRequest { rungs: policy.rungs.clone(), ..CreatePolicyRequest::default() };
        let ladders = contract::write(&ladders)?;
        let list = ladders.find('[').zip(ladders.rfind(']')).and_then(|(from, to)| ladders.get(from..=to));
        let promises = policy.promises.iter().map(|promise| {
            let when = if promise.when.is_empty() { String::new() } else { format!(" ({})", promise.when) };
            let budget = crate::sentences::budget(t, &promise.budget);
            format!("{}: {budget}{when}", t.clock_kind(promise.kind))
        });
        let also = vec![
            (t.promises_word(), promises.collect()),
            (t.duties_word(), policy.duties.iter().map(|duty| duty.text.clone()).collect()),
        ];
        let values = vec![
            ("note", policy.note.clone()),
            ("shipped_pack", known.to_owned()),
            // One level less deep than within the contract.
            ("rungs", list.unwrap_or_default().replace("\n  ", "\n")),
            (
                "reopen_days",
                policy.reopening.map(|limits| limits.window_days.to_string()).unwrap_or_default(),
            ),
            ("reopen_times", policy.reopening.map(|limits| limits.maximum.to_string()).unwrap_or_default()),
        ];
        let is_active = Self::list(admin)
            .await?
            .rows
            .iter()
            .any(|row| row.is_active && row.key == policy.version.to_string());
        Ok(Version { row: Row { is_active, ..row(admin, &policy) }, values, also })
    }

    async fn create(admin: &Admin, posted: &Posted) -> Result<String, Problem> {
        let request = CreatePolicyRequest {
            request_id: posted.request_id(),
            shipped_pack: posted.text("shipped_pack").to_owned(),
            pack_toml: posted.text("pack_toml").to_owned(),
            rungs: rungs(posted.text("rungs"))?,
            note: posted.text("note").to_owned(),
            reopening: reopening(posted.text("reopen_days"), posted.text("reopen_times"))?,
        };
        let answer = PolicyServiceClient::new(admin.client.calls()).create_policy(request).await?;
        Ok(answer.into_inner().policy.map(|policy| policy.version.to_string()).unwrap_or_default())
    }

    async fn trial(admin: &Admin, key: &str) -> Result<Trial, Problem> {
        let version = number(key)?.unwrap_or_default();
        let request_id = crate::form::request_id();
        let request = ActivatePolicyRequest { request_id, version, validate_only: true };
        let mut service = PolicyServiceClient::new(admin.client.calls());
        let tried = service.activate_policy(request).await?.into_inner();
        let said = vec![admin.words().policies_trial().to_owned()];
        let stand = Self::list(admin).await?.stand();
        Ok(Trial { stand, ..moved_trial(admin, &tried.moved, tried.moved_count, said) })
    }

    async fn activate(admin: &Admin, key: &str, request_id: String) -> Result<(), Problem> {
        let version = number(key)?.unwrap_or_default();
        let request = ActivatePolicyRequest { request_id, version, validate_only: false };
        PolicyServiceClient::new(admin.client.calls()).activate_policy(request).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ladders_are_a_list_and_what_is_wrong_names_its_place() {
        let read = rungs(
            r#"[{ "kind": "CLOCK_KIND_DECIDE", "name": "soon", "at": "80%", "actions": ["RUNG_ACTION_REMIND"] }]"#,
        );
        assert_eq!(read.unwrap()[0].name, "soon");
        assert!(rungs("").unwrap().is_empty());
        assert_eq!(reopening("", "").unwrap(), None);
        let limits = ReopeningLimits { window_days: 90, maximum: 2 };
        assert_eq!(reopening("90", "2").unwrap(), Some(limits));
        assert_eq!(reopening("x", "y").unwrap_err().violations.len(), 2);
        let wrong = rungs("[\n{ \"nmae\": 1 }]").unwrap_err();
        assert_eq!(wrong.violations[0].field, "rungs[0].nmae");
        let inputs =
            [Input { value: "[\n{ \"nmae\": 1 }]".into(), ..Input::new("rungs", "", InputKind::Number) }];
        assert_eq!(Policies::place("rungs[0].nmae", &inputs).unwrap().line, Some(2));
    }
}
