//! Duplicates found when a case is opened, links made and dismissed, merges and
//! their undoing, and what ended alike.

use proto::redress::assignment::v1::CaseQueued;
use proto::redress::cases::v1::link_service_client::LinkServiceClient;
use proto::redress::cases::v1::{
    AddNoteRequest, CaseLink, CaseLinked, CaseMerged, CaseState, CaseUnlinked, CaseUnmerged,
    FindSimilarCasesRequest, LinkCasesRequest, LinkKind, LinkStanding, ListLinksRequest, ListLinksResponse,
    MergeCaseRequest, SimilarCase, UnlinkCasesRequest, UnmergeCaseRequest, WithdrawCaseRequest,
};
use proto::redress::feedback::v1::Response;
use proto::redress::intake::v1::{Complainant, Complaint, Matter, Respondent};
use proto::redress::resolution::v1::{PlanApproved, PlanCompleted, RemedyKind, TaskCompleted};
use sqlx::{AssertSqlSafe, PgConnection};
use testkit::{CallerChannel, House, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::{Scene, assigned, complaint, registered};

type Links = LinkServiceClient<CallerChannel>;

fn links(scene: &Scene) -> Links {
    LinkServiceClient::new(scene.house.channel())
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refusal = answer.expect_err("it must be refused");
    (refusal.code(), reason(&refusal))
}

fn precondition(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}

async fn list(scene: &Scene, case: Uuid) -> ListLinksResponse {
    let request = ListLinksRequest { case_id: case.to_string(), ..ListLinksRequest::default() };
    links(scene).list_links(request).await.expect("the links can be read").into_inner()
}

/// The links of a case: to whom, what, how sure.
async fn linked(scene: &Scene, case: Uuid) -> Vec<(String, LinkKind, LinkStanding)> {
    let other = |link: &CaseLink| {
        let mine = link.later_case_id == case.to_string();
        if mine { link.earlier_case_id.clone() } else { link.later_case_id.clone() }
    };
    let links = list(scene, case).await.links;
    links.iter().map(|link| (other(link), link.kind(), link.standing())).collect()
}

fn merge(case: Uuid, into: Uuid) -> MergeCaseRequest {
    MergeCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        into_case_id: into.to_string(),
        reason: "told twice".to_owned(),
        different_complainants_reason: String::new(),
    }
}

fn unmerge(case: Uuid) -> UnmergeCaseRequest {
    UnmergeCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        reason: "two kettles".to_owned(),
    }
}

fn of(customer: &str, text: &str) -> Complaint {
    let customer_id = customer.to_owned();
    Complaint {
        subject: "Complaint".to_owned(),
        description: text.to_owned(),
        complainant: Some(Complainant { customer_id, ..Complainant::default() }),
        respondent: None,
        ..complaint()
    }
}

const KETTLE: &str = "The kettle arrived broken, the box was crushed and nobody answers the phone.";

#[tokio::test]
async fn the_same_is_linked_the_like_is_suggested_and_the_rest_is_left_alone() {
    let scene = Scene::open().await;
    let first = scene.register(of("", KETTLE)).await;
    let same = scene.register(of("", &KETTLE.to_uppercase())).await;
    let other = scene.register(of("", "我要退款,客服电话一直打不通,没有人处理")).await;
    let duplicate = |case: Uuid| (case.to_string(), LinkKind::Duplicate, LinkStanding::Linked);
    assert_eq!(linked(&scene, same).await, [duplicate(first)]);
    assert_eq!(linked(&scene, first).await, [duplicate(same)]);
    assert!(linked(&scene, other).await.is_empty());
    let link = list(&scene, first).await.links.swap_remove(0);
    assert_eq!(
        (link.actor.as_str(), link.reasons.as_slice()),
        ("<cases>", ["texts 1.00 alike".to_owned()].as_slice())
    );
    assert!((link.score - 1.0).abs() < f64::EPSILON);

    let ann = scene.register(of("ann", "The parcel is late, it was due a week ago")).await;
    let again = scene.register(of("ann", "Still no delivery, and no word from anybody: too late!")).await;
    let suggested = (ann.to_string(), LinkKind::Duplicate, LinkStanding::Suggested);
    assert_eq!(linked(&scene, again).await, [suggested]);
    let bob = scene.register(of("bob", "The parcel is late, it was due a week ago")).await;
    assert_eq!(linked(&scene, bob).await, [(ann.to_string(), LinkKind::Related, LinkStanding::Linked)]);
    scene.house.done().await;
}

#[tokio::test]
async fn the_same_order_is_found_in_one_batch_and_by_the_telephone() {
    let scene = Scene::open().await;
    let order = |text: &str, order: &str, phone: &str| Complaint {
        complainant: Some(Complainant { phone: phone.to_owned(), ..Complainant::default() }),
        respondent: Some(Respondent { order_ref: order.to_owned(), ..Respondent::default() }),
        ..of("", text)
    };
    let cases = [scene.new_id(), scene.new_id(), scene.new_id()];
    let complaints = [
        order("The box was crushed, the kettle is broken.", "A-17", "+86 138 0013 8000"),
        order("Broken again? Nobody answers me!", "a17", ""),
        order("The second kettle came broken as well.", "B-2", "13800138000"),
    ];
    for (case, complaint) in cases.iter().zip(complaints) {
        scene.house.tell("intake", *case, &registered(*case, complaint, scene.now())).await;
    }
    scene.house.settled().await;
    let why = |link: &CaseLink| link.reasons.join("; ");
    let second = list(&scene, cases[1]).await.links;
    assert_eq!(second.iter().map(why).collect::<Vec<_>>(), ["same order and issue"]);
    assert_eq!(second[0].standing(), LinkStanding::Linked);
    let third = list(&scene, cases[2]).await.links;
    assert_eq!(third.iter().map(why).collect::<Vec<_>>(), ["same telephone within 30 days; same issue"]);
    assert_eq!(third[0].standing(), LinkStanding::Suggested);
    scene.house.done().await;
}

#[tokio::test]
async fn people_link_confirm_and_dismiss() {
    let scene = Scene::open().await;
    let (one, other) = (scene.register(of("", KETTLE)).await, scene.register(of("", "Hello there")).await);
    let request = LinkCasesRequest {
        request_id: request_id(),
        case_id: one.to_string(),
        other_case_id: other.to_string(),
        kind: LinkKind::Related.into(),
        reason: "the same van".to_owned(),
    };
    let made = links(&scene).link_cases(request.clone()).await.unwrap().into_inner();
    assert_eq!(links(&scene).link_cases(request.clone()).await.unwrap().into_inner(), made);
    let changed = LinkCasesRequest { reason: "another".to_owned(), ..request.clone() };
    assert_eq!(refused(links(&scene).link_cases(changed).await).1, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(linked(&scene, other).await, [(one.to_string(), LinkKind::Related, LinkStanding::Linked)]);

    let unlink = UnlinkCasesRequest {
        request_id: request_id(),
        case_id: other.to_string(),
        other_case_id: one.to_string(),
        reason: "another van".to_owned(),
    };
    let dismissed = links(&scene).unlink_cases(unlink.clone()).await.unwrap().into_inner().link.unwrap();
    assert_eq!((dismissed.standing(), dismissed.actor.as_str()), (LinkStanding::Dismissed, "developer"));
    let texts: Vec<String> = scene.timeline(one).await.into_iter().skip(2).map(|entry| entry.text).collect();
    let (linked, unlinked) = (
        format!("linked to case {other} as related: the same van"),
        format!("no longer linked to case {other}: another van"),
    );
    assert_eq!(texts, [linked, unlinked]);

    let nobody = UnlinkCasesRequest {
        request_id: request_id(),
        other_case_id: scene.triaged().await.to_string(),
        ..unlink.clone()
    };
    assert_eq!(
        refused(links(&scene).unlink_cases(nobody).await),
        (Code::NotFound, "LINK_NOT_FOUND".to_owned())
    );
    let itself = LinkCasesRequest { other_case_id: one.to_string(), kind: 9, ..request };
    let refusal = links(&scene).link_cases(itself).await.unwrap_err();
    assert_eq!(
        (reason(&refusal).as_str(), violations(&refusal)),
        ("INVALID_LINK", vec!["other_case_id".to_owned(), "kind".to_owned()])
    );
    scene.house.done().await;
}

/// Every row of a case, of its clocks and of its timers but for what counts up: its version, the
/// number of its entries and the entries of the merge.
async fn rows(owner: &mut PgConnection, case: Uuid) -> String {
    let of = |table: &str, id: &str, without: &str, but: &str| {
        format!(
            "SELECT coalesce(string_agg((to_jsonb(t) {without})::text, E'\n' ORDER BY to_jsonb(t)::text), '')
             FROM cases.{table} t WHERE {id} = '{case}' {but}"
        )
    };
    let statements = [
        of("cases", "case_id", "- 'version' - 'entries' - 'due_changes'", ""),
        of("timeline", "case_id", "- 'ordinal'", "AND kind NOT IN (21, 22)"),
        of("clock", "case_id", "", ""),
        of("timer", "key", "- 'generation'", ""),
        of("sketch", "case_id", "", ""),
        of("mark", "case_id", "", ""),
        of("case_link", "later_id", "", ""),
    ];
    let mut all = String::new();
    for statement in statements {
        let rows: String = sqlx::query_scalar(AssertSqlSafe(statement))
            .fetch_one(&mut *owner)
            .await
            .expect("they can be read");
        all.push_str(&rows);
        all.push('\n');
    }
    all
}

async fn armed(owner: &mut PgConnection, case: Uuid) -> i64 {
    let timers = "SELECT count(*) FROM cases.timer WHERE kind = 'clock' AND key = $1";
    sqlx::query_scalar(timers).bind(case).fetch_one(owner).await.expect("counted")
}

#[tokio::test]
async fn a_merge_and_its_undoing_leave_every_row_as_it_was() {
    let scene = Scene::open().await;
    let into = scene.triaged().await;
    let waiting = scene.triaged().await;
    let given = scene.triaged().await;
    scene.house.tell("assignment", given, &assigned(given, 1, "bob")).await;
    let taken_up = scene.assigned().await;
    let mut owner = scene.house.owner().await;
    for (case, state) in
        [(waiting, CaseState::Triaged), (given, CaseState::Assigned), (taken_up, CaseState::Investigating)]
    {
        let before = rows(&mut owner, case).await;
        let seen = scene.case(case).await;
        assert_eq!(seen.state(), state);
        let request = merge(case, into);
        let merged = links(&scene).merge_case(request.clone()).await.unwrap().into_inner();
        assert_eq!(links(&scene).merge_case(request).await.unwrap().into_inner(), merged);
        let merged = merged.case.unwrap();
        assert_eq!((merged.state(), merged.merged_into_case_id), (CaseState::Merged, into.to_string()));
        assert_eq!(list(&scene, into).await.merged_case_ids, [case.to_string()]);
        assert_ne!(rows(&mut owner, case).await, before);
        assert_eq!(armed(&mut owner, case).await, 0, "nothing fires while another stands for it");
        let request = unmerge(case);
        let unmerged = links(&scene).unmerge_case(request.clone()).await.unwrap().into_inner();
        assert_eq!(links(&scene).unmerge_case(request).await.unwrap().into_inner(), unmerged);
        assert_eq!(unmerged.case.unwrap().version, seen.version + 2);
        assert_eq!(rows(&mut owner, case).await, before, "from {state:?}");
        assert_eq!(armed(&mut owner, case).await, 1);
        assert!(list(&scene, into).await.merged_case_ids.is_empty());
    }
    let told: Vec<CaseMerged> = scene.house.published("cases").await;
    assert_eq!(
        told.iter().map(|event| event.case_id.as_str()).collect::<Vec<_>>(),
        [waiting, given, taken_up].map(|case| case.to_string())
    );
    assert!(told.iter().all(|event| event.into_case_id == into.to_string() && event.cycle == 1));
    assert_eq!(scene.house.published::<CaseUnmerged>("cases").await.len(), 3);
    let texts: Vec<String> =
        scene.timeline(into).await.into_iter().skip(2).take(2).map(|entry| entry.text).collect();
    let expected = [
        format!("case {waiting} was merged into this one: told twice"),
        format!("case {waiting} is no longer merged into this one: two kettles"),
    ];
    assert_eq!(texts, expected);
    scene.house.done().await;
}

#[tokio::test]
async fn a_merged_case_takes_no_moves_and_loses_no_news() {
    let scene = Scene::open().await;
    let (into, case) = (scene.triaged().await, scene.triaged().await);
    links(&scene).merge_case(merge(case, into)).await.unwrap();
    let withdraw = WithdrawCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        ..WithdrawCaseRequest::default()
    };
    assert_eq!(
        refused(scene.cases.clone().withdraw_case(withdraw).await),
        precondition("INVALID_CASE_STATE")
    );
    let note = AddNoteRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        text: "rang again".to_owned(),
        visibility: 0,
    };
    scene.cases.clone().add_note(note).await.unwrap();
    // Given to somebody before the news of the merge had got there.
    scene.house.tell("assignment", case, &assigned(case, 1, "bob")).await;
    scene.house.settled().await;
    let merged = scene.case(case).await;
    assert_eq!((merged.state(), merged.agent_id.as_str()), (CaseState::Merged, "bob"));
    links(&scene).unmerge_case(unmerge(case)).await.unwrap();
    let case = scene.case(case).await;
    assert_eq!((case.state(), case.agent_id.as_str()), (CaseState::Assigned, "bob"));
    // Undone, but bob has no room left.
    let id: Uuid = case.case_id.parse().unwrap();
    let queued = CaseQueued { case_id: case.case_id, cycle: 1, ..CaseQueued::default() };
    scene.house.tell("assignment", id, &queued).await;
    scene.house.settled().await;
    assert_eq!(scene.case(id).await.state(), CaseState::Triaged);
    scene.house.done().await;
}

#[tokio::test]
async fn what_cannot_be_merged_is_told_why() {
    let scene = Scene::open().await;
    let (into, case) = (scene.triaged().await, scene.assigned().await);
    let mut client = links(&scene);
    assert_eq!(refused(client.unmerge_case(unmerge(case)).await), precondition("INVALID_CASE_STATE"));
    let other = scene.register(of("somebody else", KETTLE)).await;
    assert_eq!(refused(client.merge_case(merge(other, into)).await), precondition("COMPLAINANTS_DIFFER"));
    let report = scene.register(Complaint { matter: Matter::Report.into(), ..complaint() }).await;
    assert_eq!(scene.case(report).await.matter(), Matter::Report);
    assert_eq!(refused(client.merge_case(merge(report, into)).await), precondition("MATTERS_DIFFER"));
    let outdated = MergeCaseRequest { expected_version: Some(99), ..merge(case, into) };
    assert_eq!(refused(client.merge_case(outdated).await), (Code::Aborted, "VERSION_MISMATCH".to_owned()));
    let nobody = merge(case, Uuid::from_u128(7));
    assert_eq!(refused(client.merge_case(nobody).await), (Code::NotFound, "CASE_NOT_FOUND".to_owned()));
    scene.decide(case, true).await;
    assert_eq!(refused(client.merge_case(merge(case, into)).await), precondition("INVALID_CASE_STATE"));
    let over = scene.resolved().await;
    scene.respond(over, 1, Response::Accepted, "").await;
    assert_eq!(refused(client.merge_case(merge(into, over)).await), precondition("MERGE_TARGET_OVER"));
    scene.house.done().await;
}

async fn similar(scene: &Scene, request: FindSimilarCasesRequest) -> Vec<SimilarCase> {
    links(scene).find_similar_cases(request).await.expect("it can be asked").into_inner().cases
}

#[tokio::test]
async fn links_are_told_with_whether_the_order_is_the_same() {
    let scene = Scene::open().await;
    let ordered = |order: &str, text: &str| {
        let respondent = Respondent { order_ref: order.to_owned(), ..Respondent::default() };
        Complaint { respondent: Some(respondent), ..of("ann", text) }
    };
    let first = scene.register(ordered("A-1", KETTLE)).await;
    let same = scene.register(ordered("A-1", KETTLE)).await;
    let other = scene.register(ordered("A-2", KETTLE)).await;
    let told = async || {
        let linked = scene.house.published::<CaseLinked>("cases").await;
        let pair = |one: &CaseLinked| (one.case_id.clone(), one.other_case_id.clone(), one.same_order);
        linked.iter().map(pair).collect::<Vec<_>>()
    };
    let of = |case: Uuid, other: Uuid, same_order| (case.to_string(), other.to_string(), same_order);
    let mut found = told().await;
    found.sort();
    let mut expected = vec![of(same, first, true), of(other, first, false), of(other, same, false)];
    expected.sort();
    assert_eq!(found, expected);

    let unlink = UnlinkCasesRequest {
        request_id: request_id(),
        case_id: first.to_string(),
        other_case_id: same.to_string(),
        reason: "two kettles".to_owned(),
    };
    links(&scene).unlink_cases(unlink).await.expect("it is dismissed");
    let gone = scene.house.published::<CaseUnlinked>("cases").await;
    let pairs: Vec<_> = gone.iter().map(|one| (one.case_id.clone(), one.other_case_id.clone())).collect();
    assert_eq!(pairs, [(same.to_string(), first.to_string())]);
    let link = LinkCasesRequest {
        request_id: request_id(),
        case_id: first.to_string(),
        other_case_id: same.to_string(),
        kind: LinkKind::Duplicate.into(),
        reason: "one kettle after all".to_owned(),
    };
    links(&scene).link_cases(link).await.expect("it is made");
    assert_eq!(told().await.pop(), Some(of(same, first, true)), "of the later case, whoever is named first");
    scene.house.done().await;
}

#[tokio::test]
async fn what_ended_alike_is_found_with_its_solution() {
    let scene = Scene::open().await;
    let case = scene.register(of("", KETTLE)).await;
    scene.assign(case, 1).await;
    scene.decide(case, true).await;
    let (case_id, plan_id) = (case.to_string(), Uuid::from_u128(9).to_string());
    let approved = PlanApproved {
        case_id: case_id.clone(),
        plan_id: plan_id.clone(),
        cycle: 1,
        approver: "eve".to_owned(),
        ..PlanApproved::default()
    };
    scene.house.tell("resolution", case, &approved).await;
    let done = TaskCompleted {
        case_id: case_id.clone(),
        plan_id: plan_id.clone(),
        cycle: 1,
        department_id: "finance".to_owned(),
        kind: RemedyKind::Refund.into(),
        reference: "R-1".to_owned(),
        ..TaskCompleted::default()
    };
    scene.house.tell("resolution", case, &done).await;
    scene
        .house
        .tell("resolution", case, &PlanCompleted { case_id: case_id.clone(), plan_id, cycle: 1 })
        .await;
    scene.house.settled().await;
    let by_text = FindSimilarCasesRequest {
        text: "nobody answers the phone, and the kettle arrived broken, the box was crushed".to_owned(),
        ..FindSimilarCasesRequest::default()
    };
    assert!(similar(&scene, by_text.clone()).await.is_empty(), "not closed yet");
    scene.respond(case, 1, Response::Accepted, "").await;
    let found = similar(&scene, FindSimilarCasesRequest { accepted_only: true, ..by_text }).await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].case_id.as_str(), found[0].accepted), (case_id.as_str(), true));
    assert_eq!(found[0].decision_reasons, "the carrier dropped it");
    assert_eq!(found[0].remedies, ["finance carried out the refund, reference R-1"]);
    assert!(found[0].score > 0.5, "{}", found[0].score);
    let again = scene.register(of("", KETTLE)).await;
    let by_case =
        FindSimilarCasesRequest { case_id: again.to_string(), ..FindSimilarCasesRequest::default() };
    assert_eq!(similar(&scene, by_case).await.len(), 1);
    let itself = FindSimilarCasesRequest { case_id, ..FindSimilarCasesRequest::default() };
    assert!(similar(&scene, itself).await.is_empty());
    scene.house.done().await;
}

#[tokio::test]
async fn another_tenant_sees_and_changes_nothing() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let (one, other) = (Uuid::from_u128(1 << 80 | 1), Uuid::from_u128(1 << 80 | 2));
    let now = house.db("cases").clock().now();
    for case in [one, other] {
        house.tell_as("tenant-a", "intake", case, &registered(case, of("", KETTLE), now)).await;
    }
    house.settled().await;
    let mut a = LinkServiceClient::new(house.channel_as("tenant-a", "ann", &["agent"]));
    let mut b = LinkServiceClient::new(house.channel_as("tenant-b", "bob", &["agent"]));
    let ask = ListLinksRequest { case_id: one.to_string(), ..ListLinksRequest::default() };
    assert_eq!(a.list_links(ask.clone()).await.unwrap().into_inner().links.len(), 1);
    let not_found = (Code::NotFound, "CASE_NOT_FOUND".to_owned());
    assert_eq!(refused(b.list_links(ask).await), not_found);
    assert_eq!(refused(b.merge_case(merge(one, other)).await), not_found);
    house
        .tell_as(
            "tenant-b",
            "intake",
            Uuid::from_u128(3),
            &registered(Uuid::from_u128(3), of("", KETTLE), now),
        )
        .await;
    house.settled().await;
    let ask = ListLinksRequest { case_id: Uuid::from_u128(3).to_string(), ..ListLinksRequest::default() };
    assert!(b.list_links(ask).await.unwrap().into_inner().links.is_empty(), "found across tenants");
    house.done().await;
}
