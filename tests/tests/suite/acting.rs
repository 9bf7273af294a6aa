//! Who may act on a case: every rpc that changes one, by whom the complaint is about
//! (as an agent and as a supervisor), another agent, the handler and a supervisor. And
//! who reads what is restricted: every rpc that reads of a case.

mod not_on_a_case;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use prost_reflect::MethodDescriptor;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{AcceptCaseRequest, Agent, CreateAgentRequest};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::decision_service_client::DecisionServiceClient;
use proto::redress::cases::v1::group_service_client::GroupServiceClient;
use proto::redress::cases::v1::link_service_client::LinkServiceClient;
use proto::redress::cases::v1::{
    AddNoteRequest, ClockKind, CorrectDecisionRequest, CreateGroupRequest, DecideCaseRequest,
    GetTimelineRequest, MergeCaseRequest, Outcome, RequestExtensionRequest, Visibility,
};
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{Complaint, Respondent, SubmitComplaintRequest};
use proto::redress::resolution::v1::ProposePlanRequest;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use testkit::{CallerChannel, House, request_id};
use tests::SERVICES;
use tests::complaint::{made_up, yuan};
use tests::life::refund;
use tests::roster::departments;

use not_on_a_case::NOT_ON_A_CASE;

use crate::contracts::{ask, ask_for_bytes, methods};

const TENANT: &str = "acme";

/// Who asks: whom it is about as an agent and as a supervisor, another agent, the
/// handler, a supervisor.
const PEOPLE: [(&str, &str); 5] = [
    ("Mallory", "agent"),
    ("MALLORY", "supervisor"),
    ("other", "agent"),
    ("Handler", "agent"),
    ("boss", "supervisor"),
];

/// What an rpc answers each of [`PEOPLE`]: recused, not the handler, not the role, or
/// it goes on to look at the request.
type Answers = [&'static str; 5];

const HANDLE: Answers = ["recused", "recused", "no", "yes", "yes"];
const SUPERVISE: Answers = ["role", "recused", "role", "role", "yes"];
const ASSIST: Answers = ["recused", "recused", "yes", "yes", "yes"];
const COMMENT: Answers = ["yes"; 5];

/// Every rpc that changes a case or what is done about it, with a request that has no
/// effect when it passes: one of an old version, or one that does no harm.
const ACTS: &[(&str, &str, Answers)] = &[
    ("CaseService.AddNote", r#""text": "x""#, COMMENT),
    ("CaseService.AddNote", r#""text": "x", "visibility": 1"#, HANDLE),
    ("CaseService.AddNote", r#""text": "x", "visibility": 3"#, ASSIST),
    ("CaseService.RecordFindings", r#""expected_version": 999, "findings": "x""#, HANDLE),
    ("CaseService.DecideCase", r#""expected_version": 999, "outcome": 1, "reasons": "x""#, HANDLE),
    ("CaseService.WithdrawCase", r#""expected_version": 999"#, SUPERVISE),
    ("CaseService.DeclineCase", r#""expected_version": 999, "referral": "x""#, HANDLE),
    ("CaseService.CloseCase", r#""expected_version": 999, "reason": "x""#, SUPERVISE),
    ("CaseService.ReopenCase", r#""expected_version": 999, "reason": "x""#, SUPERVISE),
    (
        "DecisionService.CorrectDecision",
        r#""expected_version": 999, "outcome": 1, "reasons": "x", "reason": "x""#,
        HANDLE,
    ),
    ("ClockService.PauseClocks", r#""expected_version": 999, "reason": 1, "remark": "x""#, HANDLE),
    ("ClockService.ResumeClocks", r#""expected_version": 999, "remark": "x""#, HANDLE),
    (
        "ClockService.RequestExtension",
        r#""expected_version": 999, "kind": 6, "amount": 1, "reason": "x""#,
        HANDLE,
    ),
    ("ClockService.ApproveExtension", r#""extension_id": "$EXTENSION", "expected_version": 999"#, SUPERVISE),
    ("ClockService.SendHoldingReply", r#""expected_version": 999, "text": "x", "reason": "x""#, HANDLE),
    ("TriageService.RetriageCase", r#""expected_version": 999"#, HANDLE),
    ("TriageService.RaisePriority", r#""expected_version": 999, "priority": 1, "reason": "x""#, HANDLE),
    ("TriageService.LowerPriority", r#""expected_version": 999, "priority": 4, "reason": "x""#, SUPERVISE),
    ("ClassifierService.ConfirmCategory", r#""expected_version": 999, "category": "x""#, HANDLE),
    ("KnowledgeService.RecordArticleUse", r#""article_id": "$OTHER", "useful": true"#, ASSIST),
    ("TrainingService.CreateTrainingCase", r#""details": []"#, ASSIST),
    ("CallBackService.RequestCallBack", r#""phone": "+86 138 0013 8000""#, ASSIST),
    ("LinkService.LinkCases", r#""other_case_id": "$OTHER", "kind": 2"#, HANDLE),
    ("LinkService.UnlinkCases", r#""other_case_id": "$OTHER""#, HANDLE),
    ("LinkService.MergeCase", r#""expected_version": 999, "into_case_id": "$OTHER", "reason": "x""#, HANDLE),
    ("LinkService.UnmergeCase", r#""case_id": "$MERGED", "expected_version": 999, "reason": "x""#, HANDLE),
    ("GroupService.AddToGroup", r#""group_id": "$GROUP", "case_ids": ["$CASE"]"#, ASSIST),
    ("GroupService.RemoveFromGroup", r#""group_id": "$GROUP", "case_id": "$OTHER", "reason": "x""#, ASSIST),
    ("ClockService.RefuseExtension", r#""extension_id": "$EXTENSION", "reason": "x""#, SUPERVISE),
    ("GroupService.CreateGroup", r#""title": "x", "case_ids": ["$CASE"]"#, ASSIST),
    // Of a department that there is not.
    (
        "InvestigationService.RequestInvestigation",
        r#""department_id": "nowhere", "inquiry": 1, "question": "x""#,
        HANDLE,
    ),
    ("AssignmentService.AssignCase", r#""expected_version": 999"#, SUPERVISE),
    ("AssignmentService.AcceptCase", r#""expected_version": 999, "agent_id": "handler""#, HANDLE),
    (
        "AssignmentService.DeclineAssignment",
        r#""expected_version": 999, "agent_id": "handler", "reason": "x""#,
        HANDLE,
    ),
    (
        "AssignmentService.TransferCase",
        r#""expected_version": 999, "agent_id": "other", "reason": "x""#,
        HANDLE,
    ),
];

/// The same, for the case for which a plan is proposed.
const PLANS: &[(&str, &str, Answers)] = &[
    (
        "ResolutionService.ProposePlan",
        r#""case_id": "$CASE", "steps": [{"step_id": "s", "kind": 1, "department_id": "care"}]"#,
        HANDLE,
    ),
    (
        "DecisionService.ConfirmCorrection",
        r#""correction_id": "$CORRECTION", "expected_version": 999"#,
        SUPERVISE,
    ),
    ("DecisionService.RefuseCorrection", r#""correction_id": "$CORRECTION", "reason": "x""#, SUPERVISE),
    ("ResolutionService.ApprovePlan", r#""plan_id": "$PLAN", "expected_version": 999"#, SUPERVISE),
    (
        "ResolutionService.RejectPlan",
        r#""plan_id": "$PLAN", "expected_version": 999, "reason": "x""#,
        SUPERVISE,
    ),
    (
        "ResolutionService.CancelPlan",
        r#""plan_id": "$PLAN", "expected_version": 999, "reason": "x""#,
        SUPERVISE,
    ),
    (
        "RevisionService.RevisePlan",
        r#""plan_id": "$PLAN", "expected_version": 999, "reason": "x",
            "steps": [{"step_id": "s", "kind": 1, "department_id": "care"}]"#,
        HANDLE,
    ),
    (
        "RevisionService.ApprovePlanRevision",
        r#""plan_id": "$PLAN", "number": 1, "expected_version": 999"#,
        SUPERVISE,
    ),
    (
        "RevisionService.RejectPlanRevision",
        r#""plan_id": "$PLAN", "number": 1, "expected_version": 999, "reason": "x""#,
        SUPERVISE,
    ),
];

struct Scene {
    house: House,
}

impl Scene {
    async fn open() -> Self {
        let house = House::builder(&SERVICES).identified().open().await;
        let scene = Self { house };
        let mut assignment = AssignmentServiceClient::new(scene.line("admin", "admin"));
        for request in departments() {
            assignment.create_department(request).await.unwrap();
        }
        // Only the handler is given cases.
        for (agent_id, display_name) in
            [("handler", "Han Dler"), ("mallory", "Mallory Jones"), ("other", "Otto")]
        {
            let agent = Agent {
                agent_id: agent_id.to_owned(),
                department_id: "care".to_owned(),
                display_name: display_name.to_owned(),
                capacity: 9,
                available: agent_id == "handler",
                ..Agent::default()
            };
            let request = CreateAgentRequest { request_id: request_id(), agent: Some(agent) };
            assignment.create_agent(request).await.unwrap();
        }
        scene.house.settled().await;
        scene
    }

    fn line(&self, subject: &str, role: &str) -> CallerChannel {
        self.house.channel_as(TENANT, subject, &[role])
    }

    /// A case about somebody, taken up by its handler.
    async fn taken_up(&self, number: usize, staff: &str) -> String {
        let mut complaint: Complaint = made_up(number);
        complaint.respondent = Some(Respondent { staff: staff.to_owned(), ..Respondent::default() });
        let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(complaint) };
        let submitted = IntakeServiceClient::new(self.line("web", "channel")).submit_complaint(request).await;
        let case_id = submitted.unwrap().into_inner().complaint_id;
        self.house.settled().await;
        let accept = AcceptCaseRequest {
            request_id: request_id(),
            case_id: case_id.clone(),
            agent_id: "handler".to_owned(),
            expected_version: None,
        };
        AssignmentServiceClient::new(self.line("handler", "agent")).accept_case(accept).await.unwrap();
        self.house.settled().await;
        case_id
    }

    /// A case merged into another of other people.
    async fn merged_into(&self, case: &str) -> String {
        let merged = self.taken_up(3, "mallory").await;
        let merge = MergeCaseRequest {
            request_id: request_id(),
            case_id: merged.clone(),
            expected_version: None,
            into_case_id: case.to_owned(),
            reason: "told twice".to_owned(),
            different_complainants_reason: "one household".to_owned(),
        };
        LinkServiceClient::new(self.line("boss", "supervisor")).merge_case(merge).await.unwrap();
        merged
    }

    /// A group with one case.
    async fn group_of(&self, case: &str) -> String {
        let group = CreateGroupRequest {
            request_id: request_id(),
            title: "late parcels".to_owned(),
            case_ids: vec![case.to_owned()],
            representative_case_ids: Vec::new(),
        };
        let mut groups = GroupServiceClient::new(self.line("boss", "supervisor"));
        groups.create_group(group).await.unwrap().into_inner().group.unwrap().group_id
    }

    /// How an rpc answers everybody, told where it is otherwise.
    async fn check(&self, acts: &[(&str, &str, Answers)], ids: &[(&str, &str)], otherwise: &mut String) {
        let methods = methods();
        for (rpc, fields, expected) in acts {
            for ((subject, role), expected) in PEOPLE.iter().zip(expected) {
                let method = &methods[*rpc];
                let mut json = format!(r#"{{"request_id": "$KEY", {fields}}}"#);
                if method.input().get_field_by_name("case_id").is_some() && !fields.contains("\"case_id\"") {
                    json = json.replacen('{', r#"{"case_id": "$CASE", "#, 1);
                }
                for (name, id) in ids {
                    json = json.replace(name, id);
                }
                let refusal = ask(self.line(subject, role), method, &json).await.err();
                let reason = refusal.as_ref().map(testkit::reason).unwrap_or_default();
                let told = match reason.as_str() {
                    "CALLER_RECUSED" => "recused",
                    "NOT_THE_HANDLER" => "no",
                    "ROLE_REQUIRED" => "role",
                    "INVALID_NOTE" | "INVALID_REQUEST" => "misread",
                    _ => "yes",
                };
                if told != *expected {
                    let _ =
                        writeln!(otherwise, "{rpc} {fields} by {subject}: {told} for {expected}, {reason}");
                }
            }
        }
    }
}

#[test]
fn of_all_contracts_every_rpc_that_changes_something_is_in_a_table() {
    let all: BTreeSet<String> = methods()
        .into_iter()
        .filter(|(_, method)| method.input().get_field_by_name("request_id").is_some())
        .filter(|(_, method)| !method.is_client_streaming())
        .map(|(name, _)| name)
        .collect();
    let acts = ACTS.iter().chain(PLANS).map(|(rpc, ..)| *rpc);
    let others: Vec<&str> = NOT_ON_A_CASE.iter().map(|(rpc, _)| *rpc).collect();
    let named: BTreeSet<String> = acts.chain(others.iter().copied()).map(str::to_owned).collect();
    let unnamed: Vec<_> = all.difference(&named).collect();
    assert!(unnamed.is_empty(), "say who may call {unnamed:?}");
    assert!(named.is_subset(&all), "{:?}", named.difference(&all));
    assert!(ACTS.iter().chain(PLANS).all(|(rpc, ..)| !others.contains(rpc)));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_works_a_case_acts_on_it_and_never_whom_it_is_about() {
    let scene = Scene::open().await;
    // By the name they are registered under, and by the subject they sign in as.
    let (case, other) = (scene.taken_up(1, " mallory  JONES").await, scene.taken_up(2, "mallory").await);
    let mut clocks = ClockServiceClient::new(scene.line("handler", "agent"));
    let extension = RequestExtensionRequest {
        request_id: request_id(),
        case_id: case.clone(),
        expected_version: None,
        kind: ClockKind::Decide.into(),
        amount: 1,
        reason: "an expert looks at it".to_owned(),
    };
    let extension = clocks.request_extension(extension).await.unwrap().into_inner().extension.unwrap();
    let mut otherwise = String::new();
    let merged = scene.merged_into(&case).await;
    let group = scene.group_of(&other).await;
    let ids = [
        ("$MERGED", merged.as_str()),
        ("$GROUP", &group),
        ("$CASE", &case),
        ("$OTHER", &other),
        ("$EXTENSION", &extension.extension_id),
    ];
    scene.check(ACTS, &ids, &mut otherwise).await;

    let decide = DecideCaseRequest {
        request_id: request_id(),
        case_id: other.clone(),
        expected_version: None,
        outcome: Outcome::Upheld.into(),
        reasons: "we looked into it".to_owned(),
        remedy_due: true,
        ground: String::new(),
    };
    CaseServiceClient::new(scene.line("handler", "agent")).decide_case(decide).await.unwrap();
    scene.house.settled().await;
    let propose = ProposePlanRequest {
        request_id: request_id(),
        case_id: other.clone(),
        steps: vec![refund(yuan(10, 0))],
    };
    let mut resolution = ResolutionServiceClient::new(scene.line("handler", "agent"));
    let plan = resolution.propose_plan(propose).await.unwrap().into_inner().plan.unwrap();
    let correct = CorrectDecisionRequest {
        request_id: request_id(),
        case_id: other.clone(),
        expected_version: None,
        outcome: Outcome::PartlyUpheld.into(),
        reasons: "half of it".to_owned(),
        remedy_due: true,
        reason: "the invoice was misread".to_owned(),
        ground: String::new(),
    };
    let mut decisions = DecisionServiceClient::new(scene.line("handler", "agent"));
    let correction = decisions.correct_decision(correct).await.unwrap().into_inner().correction.unwrap();
    let ids =
        [("$CASE", other.as_str()), ("$PLAN", &plan.plan_id), ("$CORRECTION", &correction.correction_id)];
    scene.check(PLANS, &ids, &mut otherwise).await;
    assert!(otherwise.is_empty(), "{otherwise}");
    scene.house.done().await;
}

/// The rpcs that read of one case, and a request for each.
fn readers() -> Vec<(String, MethodDescriptor)> {
    let reads = |method: &MethodDescriptor| {
        let input = method.input();
        let about =
            ["case_id", "complaint_id", "filter"].iter().any(|name| input.get_field_by_name(name).is_some());
        about && input.get_field_by_name("request_id").is_none() && !method.is_client_streaming()
    };
    methods().into_iter().filter(|(_, method)| reads(method)).collect()
}

/// The text of a restricted note is in no answer to, and in no event for, anybody but
/// the handler, a supervisor and who wrote it.
#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_note_is_read_by_those_who_handle_and_supervise_and_who_wrote_it() {
    const SECRET: &str = "zebrafish";
    let scene = Scene::open().await;
    let case = scene.taken_up(1, "Mallory Jones").await;
    let note = AddNoteRequest {
        request_id: request_id(),
        case_id: case.clone(),
        text: format!("the {SECRET} is kept to few"),
        visibility: Visibility::Restricted.into(),
    };
    CaseServiceClient::new(scene.line("writer", "agent")).add_note(note).await.unwrap();
    scene.house.settled().await;

    let timeline = GetTimelineRequest { case_id: case.clone(), ..GetTimelineRequest::default() };
    for (subject, role, reads) in [
        ("boss", "supervisor", true),
        ("Handler", "agent", true),
        ("writer", "agent", true),
        ("other", "agent", false),
        ("auditor", "reader", false),
        ("mallory", "agent", false),
        ("mallory", "supervisor", false),
    ] {
        let mut cases = CaseServiceClient::new(scene.line(subject, role));
        let entries = cases.get_timeline(timeline.clone()).await.unwrap().into_inner().entries;
        let read = entries.iter().any(|entry| entry.text.contains(SECRET));
        assert_eq!(read, reads, "{subject} as {role}");
    }

    let tried = readers();
    assert!(tried.len() >= 15, "{}", tried.len());
    for (name, method) in &tried {
        let input = method.input();
        let fields: Vec<String> = [("case_id", case.as_str()), ("complaint_id", &case), ("filter", SECRET)]
            .into_iter()
            .filter(|(field, _)| input.get_field_by_name(field).is_some())
            .map(|(field, value)| format!("{field:?}: {value:?}"))
            .collect();
        let json = format!("{{{}}}", fields.join(", "));
        for (subject, role) in [("other", "agent"), ("auditor", "reader"), ("web", "channel")] {
            let Ok(answer) = ask_for_bytes(scene.line(subject, role), method, &json).await else { continue };
            let found = answer.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
            let echoes = name == "SearchService.FacetCases";
            assert!(!found || echoes, "{name} shows it to {subject}");
        }
    }
    for source in ["cases", "assignment", "resolution", "feedback"] {
        for event in scene.house.published_by(source).await {
            assert!(
                !event.payload.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()),
                "{source} tells it"
            );
        }
    }
    scene.house.done().await;
}
