//! Problems: opened, given cases and a root cause, closed.

use kernel::Clock as _;
use proto::redress::feedback::v1::problem_service_client::ProblemServiceClient;
use proto::redress::feedback::v1::{
    CloseProblemRequest, GetProblemRequest, GetRootCausesRequest, LinkProblemCasesRequest,
    ListProblemCasesRequest, ListProblemsRequest, NameRootCauseRequest, OpenProblemRequest, Problem,
    ProblemClosed, ProblemOpened, ProblemState, RootCause, RootCauses, SignalSeries,
    UnlinkProblemCasesRequest, UpdateRootCausesRequest,
};
use testkit::{CallerChannel, House, MockClock, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{case, house, refused, registered};

type Problems = ProblemServiceClient<CallerChannel>;

fn problems(house: &House) -> Problems {
    Problems::new(house.channel())
}

fn opening(title: &str, product: &str) -> OpenProblemRequest {
    let series = SignalSeries { product: product.to_owned(), ..SignalSeries::default() };
    OpenProblemRequest {
        request_id: request_id(),
        title: title.to_owned(),
        description: "Reported by the shops.".to_owned(),
        series: (!product.is_empty()).then_some(series),
    }
}

async fn open(house: &House, request: OpenProblemRequest) -> Result<Problem, Status> {
    Ok(problems(house).open_problem(request).await?.into_inner().problem.unwrap())
}

async fn get(house: &House, id: &str) -> Result<Problem, Status> {
    let request = GetProblemRequest { problem_id: id.to_owned() };
    Ok(problems(house).get_problem(request).await?.into_inner().problem.unwrap())
}

fn linking(problem: &Problem, cases: &[Uuid]) -> LinkProblemCasesRequest {
    LinkProblemCasesRequest {
        request_id: request_id(),
        problem_id: problem.problem_id.clone(),
        expected_version: problem.version,
        case_ids: cases.iter().map(Uuid::to_string).collect(),
    }
}

async fn link(house: &House, request: LinkProblemCasesRequest) -> Result<Problem, Status> {
    Ok(problems(house).link_problem_cases(request).await?.into_inner().problem.unwrap())
}

async fn unlink(house: &House, request: LinkProblemCasesRequest) -> Result<Problem, Status> {
    let LinkProblemCasesRequest { request_id, problem_id, expected_version, case_ids } = request;
    let request = UnlinkProblemCasesRequest { request_id, problem_id, expected_version, case_ids };
    Ok(problems(house).unlink_problem_cases(request).await?.into_inner().problem.unwrap())
}

fn naming(problem: &Problem, root_cause: &str) -> NameRootCauseRequest {
    NameRootCauseRequest {
        request_id: request_id(),
        problem_id: problem.problem_id.clone(),
        expected_version: problem.version,
        root_cause: root_cause.to_owned(),
    }
}

async fn name(house: &House, request: NameRootCauseRequest) -> Result<Problem, Status> {
    Ok(problems(house).name_root_cause(request).await?.into_inner().problem.unwrap())
}

fn closing(problem: &Problem) -> CloseProblemRequest {
    CloseProblemRequest {
        request_id: request_id(),
        problem_id: problem.problem_id.clone(),
        expected_version: problem.version,
        conclusion: "The supplier packs in pairs now.".to_owned(),
    }
}

async fn close(house: &House, request: CloseProblemRequest) -> Result<Problem, Status> {
    Ok(problems(house).close_problem(request).await?.into_inner().problem.unwrap())
}

/// Cases that feedback knows of.
async fn known(house: &House, count: usize) -> Vec<Uuid> {
    let mut cases: Vec<Uuid> = (0..count).map(|_| case()).collect();
    cases.sort();
    for one in &cases {
        house.tell("intake", *one, &registered(*one, "")).await;
    }
    house.settled().await;
    cases
}

#[tokio::test]
async fn a_problem_is_opened_given_cases_and_a_cause_and_closed_each_once() {
    let house = house().await;
    let cases = known(&house, 3).await;
    let request = opening("Cups arrive broken", "cup");
    let opened = open(&house, request.clone()).await.unwrap();
    assert_eq!(open(&house, request).await.unwrap(), opened, "repeated");
    assert_eq!((opened.version, opened.state(), opened.case_count), (1, ProblemState::Open, 0));
    assert_eq!(get(&house, &opened.problem_id).await.unwrap(), opened);

    let request = linking(&opened, &cases);
    let linked = link(&house, request.clone()).await.unwrap();
    assert_eq!(link(&house, request).await.unwrap(), linked, "repeated");
    assert_eq!((linked.version, linked.case_count), (2, 3));
    let request = linking(&linked, &cases[..1]);
    let fewer = unlink(&house, request.clone()).await.unwrap();
    assert_eq!(unlink(&house, request).await.unwrap(), fewer, "repeated");
    assert_eq!((fewer.version, fewer.case_count), (3, 2));

    let request = naming(&fewer, "supplier/goods");
    let named = name(&house, request.clone()).await.unwrap();
    assert_eq!(name(&house, request).await.unwrap(), named, "repeated");
    assert_eq!((named.root_cause.as_str(), named.root_causes_version), ("supplier/goods", 0));
    let request = closing(&named);
    let closed = close(&house, request.clone()).await.unwrap();
    assert_eq!(close(&house, request).await.unwrap(), closed, "repeated");
    assert_eq!((closed.version, closed.state()), (5, ProblemState::Closed));
    let now = Some(proto::timestamp(MockClock::default().now()));
    assert_eq!((closed.close_time, closed.conclusion.as_str()), (now, "The supplier packs in pairs now."));

    let told: Vec<ProblemOpened> = house.published("feedback").await;
    assert_eq!(told.len(), 1);
    let told: Vec<ProblemClosed> = house.published("feedback").await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].root_cause.as_str(), told[0].case_count), ("supplier/goods", 2));
    for refusal in [
        refused(link(&house, linking(&closed, &cases)).await),
        refused(unlink(&house, linking(&closed, &cases)).await),
        refused(name(&house, naming(&closed, "people")).await),
        refused(close(&house, closing(&closed)).await),
    ] {
        assert_eq!(refusal, (Code::FailedPrecondition, "PROBLEM_CLOSED".to_owned()));
    }
    house.done().await;
}

#[tokio::test]
async fn cases_of_a_problem_come_in_pages_and_all_of_a_request_are_known_or_none_is_linked() {
    let house = house().await;
    let cases = known(&house, 3).await;
    let opened = open(&house, opening("Late", "")).await.unwrap();
    let unknown = refused(link(&house, linking(&opened, &[cases[0], case()])).await);
    assert_eq!(unknown, (Code::NotFound, "PROBLEM_CASE_NOT_FOUND".to_owned()));
    assert_eq!(get(&house, &opened.problem_id).await.unwrap(), opened, "nothing was stored");
    link(&house, linking(&opened, &cases)).await.unwrap();
    let page = async |page_token: String| {
        let problem_id = opened.problem_id.clone();
        let request = ListProblemCasesRequest { problem_id, page_size: 2, page_token };
        problems(&house).list_problem_cases(request).await.unwrap().into_inner()
    };
    let first = page(String::new()).await;
    let second = page(first.next_page_token.clone()).await;
    let listed: Vec<String> =
        first.cases.iter().chain(&second.cases).map(|one| one.case_id.clone()).collect();
    assert_eq!(listed, cases.iter().map(Uuid::to_string).collect::<Vec<_>>());
    assert!(!first.cases[0].linker.is_empty() && second.next_page_token.is_empty());
    house.done().await;
}

#[tokio::test]
async fn one_problem_of_a_series_is_open_at_a_time_and_problems_come_in_pages() {
    let house = house().await;
    let first = open(&house, opening("Cups arrive broken", "cup")).await.unwrap();
    let again = refused(open(&house, opening("Broken cups", "cup")).await);
    assert_eq!(again, (Code::FailedPrecondition, "PROBLEM_OPEN_ALREADY".to_owned()));
    let other = open(&house, opening("Kettles leak", "kettle")).await.unwrap();
    let none = open(&house, opening("Something else", "")).await.unwrap();
    let more = open(&house, opening("And else", "")).await.unwrap();
    let closed = close(&house, closing(&first)).await.unwrap();
    let reopened = open(&house, opening("Broken cups", "cup")).await.unwrap();
    let list = async |state: ProblemState| {
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListProblemsRequest { page_size: 2, page_token, state: state.into() };
            let page = problems(&house).list_problems(request).await.unwrap().into_inner();
            listed.extend(page.problems);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return listed;
            }
        }
    };
    assert_eq!(list(ProblemState::Closed).await, [closed]);
    let open_ones = list(ProblemState::Open).await;
    assert_eq!(open_ones.len(), 4);
    for problem in [&other, &none, &more, &reopened] {
        assert!(open_ones.contains(problem), "{problem:?}");
    }
    assert_eq!(list(ProblemState::Unspecified).await.len(), 5);
    house.done().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_problem_is_told_all_at_once_and_what_is_unknown_or_stale_refused() {
    let house = house().await;
    let series = SignalSeries { category: "a".into(), product: "b".into(), region: "c".into() };
    let wrong = OpenProblemRequest { series: Some(series), ..OpenProblemRequest::default() };
    let status = open(&house, wrong).await.unwrap_err();
    assert_eq!(violations(&status), ["request_id", "title", "series"]);
    assert_eq!(violations(&get(&house, "x").await.unwrap_err()), ["problem_id"]);
    let empty = link(&house, LinkProblemCasesRequest::default()).await.unwrap_err();
    assert_eq!(violations(&empty), ["request_id", "problem_id", "expected_version", "case_ids"]);
    let empty = name(&house, NameRootCauseRequest::default()).await.unwrap_err();
    assert_eq!(violations(&empty), ["request_id", "problem_id", "expected_version", "root_cause"]);
    let empty = close(&house, CloseProblemRequest::default()).await.unwrap_err();
    assert_eq!(violations(&empty), ["request_id", "problem_id", "expected_version", "conclusion"]);

    let opened = open(&house, opening("Late", "")).await.unwrap();
    let missing = refused(name(&house, naming(&opened, "people/nobody")).await);
    assert_eq!(missing, (Code::NotFound, "ROOT_CAUSE_NOT_FOUND".to_owned()));
    let stale = Problem { version: 7, ..opened.clone() };
    for refusal in [
        refused(link(&house, linking(&stale, &[case()])).await),
        refused(unlink(&house, linking(&stale, &[case()])).await),
        refused(name(&house, naming(&stale, "people")).await),
        refused(close(&house, closing(&stale)).await),
    ] {
        assert_eq!(refusal, (Code::Aborted, "VERSION_MISMATCH".to_owned()));
    }
    assert_eq!(get(&house, &opened.problem_id).await.unwrap(), opened);
    house.done().await;
}

#[tokio::test]
async fn a_problem_of_another_tenant_is_unknown() {
    let house = House::builder(&[feedback::SERVICE]).clock(MockClock::default()).identified().open().await;
    let line = |tenant: &str| Problems::new(house.channel_as(tenant, "su", &["supervisor"]));
    let made = line("ours").open_problem(opening("Late", "kettle")).await.unwrap().into_inner();
    let problem = made.problem.unwrap();
    let mut theirs = line("theirs");
    let request = GetProblemRequest { problem_id: problem.problem_id.clone() };
    let missing = (Code::NotFound, "PROBLEM_NOT_FOUND".to_owned());
    assert_eq!(refused(theirs.get_problem(request).await), missing);
    let request = ListProblemCasesRequest { problem_id: problem.problem_id.clone(), ..Default::default() };
    assert_eq!(refused(theirs.list_problem_cases(request).await), missing);
    assert_eq!(refused(theirs.link_problem_cases(linking(&problem, &[case()])).await), missing);
    assert_eq!(refused(theirs.name_root_cause(naming(&problem, "people")).await), missing);
    assert_eq!(refused(theirs.close_problem(closing(&problem)).await), missing);
    let listed = theirs.list_problems(ListProblemsRequest::default()).await.unwrap().into_inner();
    assert!(listed.problems.is_empty());
    theirs.open_problem(opening("Late", "kettle")).await.unwrap();
    house.done().await;
}

#[tokio::test]
async fn root_causes_are_a_tree_of_versions_and_what_was_named_keeps_its_own() {
    let house = house().await;
    let read = async |version: Option<i64>| {
        let answer = problems(&house).get_root_causes(GetRootCausesRequest { version }).await?;
        Ok::<_, Status>(answer.into_inner().root_causes.unwrap())
    };
    let shipped = read(None).await.unwrap();
    assert_eq!((shipped.version, shipped.causes.len()), (0, 24));
    let cause = |path: &str| RootCause { path: path.into(), name: "x".into(), ..RootCause::default() };
    let update = async |expected_version: i64, causes: Vec<RootCause>| {
        let root_causes = Some(RootCauses { causes, ..RootCauses::default() });
        let request = UpdateRootCausesRequest { request_id: request_id(), expected_version, root_causes };
        let made = problems(&house).update_root_causes(request.clone()).await?.into_inner();
        assert_eq!(problems(&house).update_root_causes(request).await?.into_inner(), made, "repeated");
        Ok::<_, Status>(made.root_causes.unwrap())
    };
    let opened = open(&house, opening("Late", "")).await.unwrap();
    let named = name(&house, naming(&opened, "process")).await.unwrap();
    let made = update(0, vec![cause("shop"), cause("shop/till")]).await.unwrap();
    assert_eq!((made.version, made.causes.len()), (1, 2));
    assert_eq!(read(None).await.unwrap(), made);
    assert_eq!(read(Some(0)).await.unwrap(), shipped);
    assert_eq!(get(&house, &named.problem_id).await.unwrap(), named);
    let gone = refused(name(&house, naming(&named, "process")).await);
    assert_eq!(gone, (Code::NotFound, "ROOT_CAUSE_NOT_FOUND".to_owned()));
    let renamed = name(&house, naming(&named, "shop/till")).await.unwrap();
    assert_eq!((renamed.root_cause.as_str(), renamed.root_causes_version), ("shop/till", 1));

    assert_eq!(refused(update(0, vec![cause("a")]).await), (Code::Aborted, "VERSION_MISMATCH".to_owned()));
    let wrong = vec![cause("a/b"), cause("C"), RootCause { path: "d".into(), ..RootCause::default() }];
    let status = update(1, [wrong, vec![cause("d")]].concat()).await.unwrap_err();
    assert_eq!(reason(&status), "INVALID_ROOT_CAUSES");
    let at = |place: usize, field: &str| format!("root_causes.causes[{place}].{field}");
    assert_eq!(violations(&status), [at(0, "path"), at(1, "path"), at(2, "name"), at(3, "path")]);
    let missing = refused(read(Some(7)).await);
    assert_eq!(missing, (Code::NotFound, "ROOT_CAUSES_NOT_FOUND".to_owned()));
    house.done().await;
}
