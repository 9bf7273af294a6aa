//! The rpcs that change a case: good, bad, repeated, too late, outdated.

use proto::redress::cases::v1::{
    AddNoteRequest, Case, CaseClosed, CaseDecided, CaseDeclined, CaseResolved, CaseState, CaseWithdrawn,
    CloseCaseRequest, CloseReason, DecideCaseRequest, DeclineCaseRequest, Outcome, RecordFindingsRequest,
    ReopenCaseRequest, TimelineKind, Visibility, WithdrawCaseRequest,
};
use testkit::{consistency_token, reason, request_id, violations};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::scene::{Client, Scene, decision};

/// A change, whichever rpc makes it.
#[derive(Clone, Debug)]
enum Change {
    Note(AddNoteRequest),
    Findings(RecordFindingsRequest),
    Decide(DecideCaseRequest),
    Withdraw(WithdrawCaseRequest),
    Decline(DeclineCaseRequest),
    Close(CloseCaseRequest),
    Reopen(ReopenCaseRequest),
}

/// One of each, good for a case in the right state.
fn changes(case: Uuid) -> Vec<Change> {
    let (case_id, text) = (case.to_string(), || "because".to_owned());
    let id = || case_id.clone();
    vec![
        Change::Note(AddNoteRequest { request_id: request_id(), case_id: id(), text: text(), visibility: 0 }),
        Change::Findings(RecordFindingsRequest {
            request_id: request_id(),
            case_id: id(),
            expected_version: None,
            findings: text(),
            root_cause: String::new(),
        }),
        Change::Decide(decision(case, true)),
        Change::Withdraw(WithdrawCaseRequest {
            request_id: request_id(),
            case_id: id(),
            expected_version: None,
            reason: text(),
        }),
        Change::Decline(DeclineCaseRequest {
            request_id: request_id(),
            case_id: id(),
            expected_version: None,
            referral: text(),
            ground: String::new(),
        }),
        Change::Close(CloseCaseRequest {
            request_id: request_id(),
            case_id: id(),
            expected_version: None,
            reason: text(),
        }),
        Change::Reopen(ReopenCaseRequest {
            request_id: request_id(),
            case_id: id(),
            expected_version: None,
            reason: text(),
        }),
    ]
}

/// An answer as bytes and its consistency token, or the refusal.
type Answer = Result<(Vec<u8>, String), Status>;

fn answer<A: prost::Message>(response: Result<tonic::Response<A>, Status>) -> Answer {
    response.map(|response| (response.get_ref().encode_to_vec(), consistency_token(&response)))
}

impl Change {
    async fn make(&self, client: &Client) -> Answer {
        let mut client = client.clone();
        match self.clone() {
            Self::Note(request) => answer(client.add_note(request).await),
            Self::Findings(request) => answer(client.record_findings(request).await),
            Self::Decide(request) => answer(client.decide_case(request).await),
            Self::Withdraw(request) => answer(client.withdraw_case(request).await),
            Self::Decline(request) => answer(client.decline_case(request).await),
            Self::Close(request) => answer(client.close_case(request).await),
            Self::Reopen(request) => answer(client.reopen_case(request).await),
        }
    }

    /// The same key with another text.
    fn altered(&self) -> Self {
        let mut other = self.clone();
        match &mut other {
            Self::Note(request) => request.text.push('!'),
            Self::Findings(request) => request.findings.push('!'),
            Self::Decide(request) => request.reasons.push('!'),
            Self::Withdraw(request) => request.reason.push('!'),
            Self::Decline(request) => request.referral.push('!'),
            Self::Close(request) => request.reason.push('!'),
            Self::Reopen(request) => request.reason.push('!'),
        }
        other
    }

    fn expecting(&self, version: i64) -> Self {
        let mut other = self.clone();
        match &mut other {
            Self::Note(_) => {}
            Self::Findings(request) => request.expected_version = Some(version),
            Self::Decide(request) => request.expected_version = Some(version),
            Self::Withdraw(request) => request.expected_version = Some(version),
            Self::Decline(request) => request.expected_version = Some(version),
            Self::Close(request) => request.expected_version = Some(version),
            Self::Reopen(request) => request.expected_version = Some(version),
        }
        other
    }

    /// A case in a state that allows it.
    async fn prepare(&self, scene: &Scene) -> Uuid {
        match self {
            Self::Note(_) | Self::Findings(_) | Self::Decide(_) | Self::Withdraw(_) | Self::Decline(_) => {
                scene.assigned().await
            }
            Self::Close(_) | Self::Reopen(_) => scene.resolved().await,
        }
    }
}

/// One of each, with a case in a state that allows it.
async fn prepared(scene: &Scene) -> Vec<(Uuid, Change)> {
    let mut prepared = Vec::new();
    for (place, change) in changes(Uuid::nil()).into_iter().enumerate() {
        let case = change.prepare(scene).await;
        prepared.push((case, changes(case).swap_remove(place)));
    }
    prepared
}

#[tokio::test]
async fn repeated_it_has_one_effect_and_altered_it_is_refused() {
    let scene = Scene::open().await;
    for (case, change) in prepared(&scene).await {
        let first = change.make(&scene.cases).await.unwrap();
        let after = (scene.case(case).await, scene.timeline(case).await);
        let told = scene.house.published_by("cases").await.len();
        assert_eq!(change.make(&scene.cases).await.unwrap(), first, "{change:?}");
        assert_eq!((scene.case(case).await, scene.timeline(case).await), after, "{change:?}");
        assert_eq!(scene.house.published_by("cases").await.len(), told, "{change:?}");
        let refusal = change.altered().make(&scene.cases).await.unwrap_err();
        assert_eq!(
            (refusal.code(), reason(&refusal).as_str()),
            (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED")
        );
    }
    scene.house.done().await;
}

#[tokio::test]
async fn an_outdated_version_is_refused_with_the_current_one() {
    let scene = Scene::open().await;
    for (case, change) in prepared(&scene).await {
        if matches!(change, Change::Note(_)) {
            continue; // a note is right whatever the version
        }
        let version = scene.case(case).await.version;
        let refusal = change.expecting(version - 1).make(&scene.cases).await.unwrap_err();
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::Aborted, "VERSION_MISMATCH"));
        let current =
            refusal.get_details_error_info().and_then(|info| info.metadata.get("current_version").cloned());
        assert_eq!(current, Some(version.to_string()));
        change.expecting(version).make(&scene.cases).await.expect("the current version is right");
    }
    scene.house.done().await;
}

#[tokio::test]
async fn a_state_that_does_not_allow_it_is_named() {
    let scene = Scene::open().await;
    let triaged = scene.triaged().await;
    let withdrawn = scene.triaged().await;
    changes(withdrawn)[3].make(&scene.cases).await.expect("any open case can be withdrawn");
    // Findings and decision want a handler; closing and reopening an outcome.
    for (case, allowed) in [(triaged, vec![0, 3, 4]), (withdrawn, vec![0])] {
        for (place, change) in changes(case).into_iter().enumerate() {
            if allowed.contains(&place) {
                continue;
            }
            let refusal = change.make(&scene.cases).await.unwrap_err();
            let expected = (Code::FailedPrecondition, "INVALID_CASE_STATE".to_owned());
            assert_eq!((refusal.code(), reason(&refusal)), expected, "{change:?}");
        }
    }
    let decided = scene.assigned().await;
    scene.decide(decided, true).await;
    let refusal = changes(decided)[4].make(&scene.cases).await.unwrap_err();
    assert_eq!(reason(&refusal), "INVALID_CASE_STATE", "nothing is declined once decided");
    for change in changes(Uuid::from_u128(7)) {
        let refusal = change.make(&scene.cases).await.unwrap_err();
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "CASE_NOT_FOUND"));
    }
    scene.house.done().await;
}

#[tokio::test]
async fn bad_requests_name_every_violation() {
    let scene = Scene::open().await;
    let long = |count| "字".repeat(count);
    let bad = [
        (
            Change::Note(AddNoteRequest { visibility: 9, ..AddNoteRequest::default() }),
            "INVALID_NOTE",
            vec!["request_id", "case_id", "text", "visibility"],
        ),
        (
            Change::Findings(RecordFindingsRequest { root_cause: long(301), ..Default::default() }),
            "INVALID_FINDINGS",
            vec!["request_id", "case_id", "findings", "root_cause"],
        ),
        (
            Change::Decide(DecideCaseRequest::default()),
            "INVALID_DECISION",
            vec!["request_id", "case_id", "outcome", "reasons"],
        ),
        (
            Change::Decide(DecideCaseRequest {
                outcome: Outcome::NotUpheld.into(),
                remedy_due: true,
                reasons: long(10_001),
                ..decision(Uuid::nil(), true)
            }),
            "INVALID_DECISION",
            vec!["reasons", "remedy_due"],
        ),
        (
            Change::Withdraw(WithdrawCaseRequest { reason: long(2_001), ..Default::default() }),
            "INVALID_WITHDRAWAL",
            vec!["request_id", "case_id", "reason"],
        ),
        (
            Change::Decline(DeclineCaseRequest::default()),
            "INVALID_REFERRAL",
            vec!["request_id", "case_id", "referral"],
        ),
        (
            Change::Close(CloseCaseRequest { case_id: "x".to_owned(), ..Default::default() }),
            "INVALID_REASON",
            vec!["request_id", "case_id", "reason"],
        ),
        (
            Change::Reopen(ReopenCaseRequest { request_id: "r".repeat(101), ..Default::default() }),
            "INVALID_REASON",
            vec!["request_id", "case_id", "reason"],
        ),
    ];
    for (change, expected, fields) in bad {
        let refusal = change.make(&scene.cases).await.unwrap_err();
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, expected));
        assert_eq!(violations(&refusal), fields, "{change:?}");
    }
    scene.house.done().await;
}

#[tokio::test]
async fn notes_are_written_for_whom_they_are_meant_in_any_state() {
    let scene = Scene::open().await;
    let case = scene.triaged().await;
    changes(case)[4].make(&scene.cases).await.unwrap();
    let before = scene.case(case).await;
    for (asked, given) in [(0, Visibility::Internal), (1, Visibility::Public), (3, Visibility::Restricted)] {
        let request = AddNoteRequest {
            request_id: request_id(),
            case_id: case.to_string(),
            text: "they called".to_owned(),
            visibility: asked,
        };
        let entry = scene.cases.clone().add_note(request).await.unwrap().into_inner().entry.unwrap();
        assert_eq!((entry.kind(), entry.visibility()), (TimelineKind::Note, given));
        assert_eq!((entry.actor.as_str(), entry.text.as_str()), ("developer", "they called"));
        assert_eq!(scene.timeline(case).await.last(), Some(&entry));
    }
    assert_eq!(scene.case(case).await, before, "a note changes nothing but the timeline");
    scene.house.done().await;
}

#[tokio::test]
async fn findings_replace_earlier_ones_and_begin_the_investigation() {
    let scene = Scene::open().await;
    let case = scene.triaged().await;
    scene.house.tell("assignment", case, &crate::scene::assigned(case, 1, "bob")).await;
    scene.house.settled().await;
    for findings in ["dropped", "dropped twice"] {
        let request = RecordFindingsRequest {
            request_id: request_id(),
            case_id: case.to_string(),
            expected_version: None,
            findings: findings.to_owned(),
            root_cause: "thin boxes".to_owned(),
        };
        let answer = scene.cases.clone().record_findings(request).await.unwrap().into_inner().case.unwrap();
        assert_eq!((answer.state(), answer.findings.as_str()), (CaseState::Investigating, findings));
    }
    let timeline = scene.timeline(case).await;
    assert_eq!(timeline[3].text, "dropped\nroot cause: thin boxes");
    assert_eq!(timeline[4].text, "dropped twice\nroot cause: thin boxes");
    scene.house.done().await;
}

#[tokio::test]
async fn a_decision_without_remedy_takes_effect_at_once() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    let resolved: Case = scene.decide(case, false).await;
    assert_eq!((resolved.state(), resolved.outcome()), (CaseState::Resolved, Outcome::Upheld));
    assert!(resolved.resolve_time.is_some());
    assert_eq!(scene.case(case).await, resolved, "the answer is what is read later");
    let decided: Vec<CaseDecided> = scene.house.published("cases").await;
    assert!(!decided[0].remedy_due);
    assert_eq!(scene.house.published::<CaseResolved>("cases").await.len(), 1);
    assert_eq!(scene.kinds(case).await[4..], [TimelineKind::Decided, TimelineKind::Resolved]);
    scene.house.done().await;
}

#[tokio::test]
async fn withdrawn_declined_and_closed_cases_are_events() {
    let scene = Scene::open().await;
    let (withdrawn, declined, closed) =
        (scene.assigned().await, scene.triaged().await, scene.resolved().await);
    changes(withdrawn)[3].make(&scene.cases).await.unwrap();
    changes(declined)[4].make(&scene.cases).await.unwrap();
    changes(closed)[5].make(&scene.cases).await.unwrap();
    let told: Vec<CaseWithdrawn> = scene.house.published("cases").await;
    assert_eq!((told[0].case_id.clone(), told[0].reason.as_str()), (withdrawn.to_string(), "because"));
    let told: Vec<CaseDeclined> = scene.house.published("cases").await;
    assert_eq!((told[0].case_id.clone(), told[0].referral.as_str()), (declined.to_string(), "because"));
    let told: Vec<CaseClosed> = scene.house.published("cases").await;
    assert_eq!((told[0].case_id.clone(), told[0].reason()), (closed.to_string(), CloseReason::Staff));
    for (case, state) in
        [(withdrawn, CaseState::Withdrawn), (declined, CaseState::OutOfScope), (closed, CaseState::Closed)]
    {
        let ended = scene.case(case).await;
        assert_eq!(ended.state(), state);
        assert!(ended.close_time.is_some());
    }
    scene.house.done().await;
}
