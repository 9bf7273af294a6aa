//! The rpcs of `ProblemService`.

use fault::Fault;
use kernel::{Caller, CaseId};
use pg::{Db, Tx};
use proto::redress::feedback::v1::problem_service_server::ProblemService;
use proto::redress::feedback::v1::{
    CloseProblemRequest, CloseProblemResponse, GetProblemRequest, GetProblemResponse, GetRootCausesRequest,
    GetRootCausesResponse, LinkProblemCasesRequest, LinkProblemCasesResponse, ListProblemCasesRequest,
    ListProblemCasesResponse, ListProblemTasksRequest, ListProblemTasksResponse, ListProblemsRequest,
    ListProblemsResponse, NameRootCauseRequest, NameRootCauseResponse, OpenProblemRequest,
    OpenProblemResponse, Problem as ProblemView, RequestProblemTaskRequest, RequestProblemTaskResponse,
    UnlinkProblemCasesRequest, UnlinkProblemCasesResponse, UpdateRootCausesRequest, UpdateRootCausesResponse,
};
use tonic::{Request, Response, Status};

use super::revisions::{self, Settled};
use crate::flow::problem_tasks;
use crate::problem::{Closing, MAX_CASES, Problem};
use crate::refusal::Refusal;
use crate::revision::{Revision, Subject};
use crate::root_cause::RootCauses;
use crate::wire::{AskedDepartment, OpenedProblem, Seen};
use crate::{store, wire};

const ROOT_CAUSES: Settled<'static> =
    Settled { subject: Subject::RootCauses, name: "", missing: Refusal::RootCausesNotFound };

/// Serves problems.
pub(crate) struct Problems {
    db: Db,
}

impl Problems {
    /// Serves the problems of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

/// Problems, each with how many cases it has and its signals.
async fn shown(tx: &mut Tx, problems: Vec<Problem>) -> Result<Vec<(String, ProblemView)>, Fault> {
    let ids: Vec<_> = problems.iter().map(|problem| problem.id).collect();
    let mut sizes = store::problem_sizes(tx, &ids).await?;
    let view = |problem: Problem| {
        let size = sizes.remove(&problem.id).unwrap_or_default();
        (wire::problem_key(&problem), wire::problem(problem, size))
    };
    Ok(problems.into_iter().map(view).collect())
}

/// One problem, with what departments are asked about it.
async fn shown_one(tx: &mut Tx, problem: Problem) -> Result<ProblemView, Fault> {
    let tasks = store::tasks_of_problems(tx, &[problem.id]).await?;
    let view = shown(tx, vec![problem]).await?.pop();
    let (_, view) = view.ok_or_else(|| Fault::internal("nothing is shown"))?;
    Ok(ProblemView { tasks: tasks.into_iter().map(wire::problem_task).collect(), ..view })
}

/// The problem that the caller has seen, for them alone.
async fn held(tx: &mut Tx, seen: Seen) -> Result<Problem, Fault> {
    let problem = store::lock_problem(tx, seen.id).await?.ok_or(Refusal::ProblemNotFound)?;
    if problem.version != seen.version {
        return Err(Fault::version_mismatch(problem.version));
    }
    Ok(problem)
}

async fn saved(tx: &mut Tx, problem: Problem) -> Result<ProblemView, Fault> {
    store::save_problems(tx, std::slice::from_ref(&problem)).await?;
    shown_one(tx, problem).await
}

/// Opens a problem. Signals are held: none opens one of the same series meanwhile.
async fn open(tx: &mut Tx, wanted: OpenedProblem, caller: &Caller) -> Result<ProblemView, Fault> {
    let OpenedProblem { title, description, series } = wanted;
    store::hold_signals(tx).await?;
    let joined = store::problems_of_series(tx).await?;
    if series.as_ref().is_some_and(|series| joined.contains_key(series)) {
        return Err(Refusal::ProblemOpenAlready.into());
    }
    let problem = Problem {
        id: tx.new_id(),
        version: 1,
        title,
        description,
        series,
        cause: None,
        opened: tx.now(),
        opener: caller.subject.to_string(),
        closing: None,
    };
    tx.emit(problem.id, &wire::problem_opened(&problem));
    saved(tx, problem).await
}

async fn link(tx: &mut Tx, seen: Seen, cases: &[CaseId], caller: &Caller) -> Result<ProblemView, Fault> {
    let mut problem = held(tx, seen).await?;
    problem.touch()?;
    if usize::try_from(store::known_cases(tx, cases).await?) != Ok(cases.len()) {
        return Err(Refusal::ProblemCaseNotFound.into());
    }
    store::link_cases(tx, problem.id, cases, &caller.subject).await?;
    problem_tasks::ask_waiting(tx, &[problem.id]).await?;
    let view = saved(tx, problem).await?;
    if view.case_count > MAX_CASES {
        return Err(Refusal::TooManyProblemCases.into());
    }
    Ok(view)
}

async fn unlink(tx: &mut Tx, seen: Seen, cases: &[CaseId], caller: &Caller) -> Result<ProblemView, Fault> {
    let mut problem = held(tx, seen).await?;
    problem.touch()?;
    store::unlink_cases(tx, problem.id, cases, &caller.subject).await?;
    saved(tx, problem).await
}

async fn request(
    tx: &mut Tx,
    (seen, asked): (Seen, AskedDepartment),
    caller: &Caller,
) -> Result<RequestProblemTaskResponse, Fault> {
    let mut problem = held(tx, seen).await?;
    problem.touch()?;
    let task = problem_tasks::ask(tx, &problem, asked, caller).await?;
    let problem = Some(saved(tx, problem).await?);
    Ok(RequestProblemTaskResponse { problem, task: Some(wire::problem_task(task)) })
}

async fn close(tx: &mut Tx, seen: Seen, conclusion: String, caller: &Caller) -> Result<ProblemView, Fault> {
    let mut problem = held(tx, seen).await?;
    problem.close(Closing { at: tx.now(), by: caller.subject.to_string(), conclusion })?;
    problem_tasks::problem_closed(tx, problem.id).await?;
    let view = saved(tx, problem.clone()).await?;
    tx.emit(problem.id, &wire::problem_closed(&problem, view.case_count));
    Ok(view)
}

async fn causes(tx: &mut Tx, version: Option<i64>) -> Result<Revision<RootCauses>, Fault> {
    revisions::read(tx, ROOT_CAUSES, version, RootCauses::shipped()).await
}

/// Makes the next version, which is in force at once.
async fn update(
    tx: &mut Tx,
    (wanted, note, expected): (RootCauses, String, i64),
    caller: &Caller,
) -> Result<Revision<RootCauses>, Fault> {
    let latest = store::hold_revisions(tx, Subject::RootCauses, "").await?;
    if latest != expected {
        return Err(Fault::version_mismatch(latest));
    }
    let made = revisions::create(tx, ROOT_CAUSES, wanted, note, &caller.subject).await?;
    revisions::activate(tx, ROOT_CAUSES, made.version, RootCauses::shipped(), &caller.subject).await
}

#[tonic::async_trait]
impl ProblemService for Problems {
    async fn open_problem(
        &self,
        request: Request<OpenProblemRequest>,
    ) -> Result<Response<OpenProblemResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let wanted = wire::opened_problem(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let problem = Some(open(&mut tx, wanted, &caller).await?);
            Ok((tx, OpenProblemResponse { problem }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_problem(
        &self,
        request: Request<GetProblemRequest>,
    ) -> Result<Response<GetProblemResponse>, Status> {
        let caller = server::caller(&request)?;
        let id = wire::problem_of(request.into_inner())?;
        let read = self.db.transact("problems.get", &caller.tenant, async move |mut tx| {
            let problem = store::problem(&mut tx, id).await?.ok_or(Refusal::ProblemNotFound)?;
            let problem = shown_one(&mut tx, problem).await?;
            Ok((tx, problem))
        });
        Ok(Response::new(GetProblemResponse { problem: Some(read.await?) }))
    }

    async fn list_problems(
        &self,
        request: Request<ListProblemsRequest>,
    ) -> Result<Response<ListProblemsResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::ProblemListQuery { state, page, after } = wire::problems_of(request.into_inner())?;
        let wanted = page.clone();
        let listed = self.db.transact("problems.list", &caller.tenant, async move |mut tx| {
            let problems = store::problems(&mut tx, state, &wanted, after).await?;
            let shown = shown(&mut tx, problems).await?;
            Ok((tx, shown))
        });
        let (problems, next_page_token) = server::page(&page, listed.await?);
        Ok(Response::new(ListProblemsResponse { problems, next_page_token }))
    }

    async fn list_problem_cases(
        &self,
        request: Request<ListProblemCasesRequest>,
    ) -> Result<Response<ListProblemCasesResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::ProblemCaseQuery { problem, page, after } = wire::problem_cases_of(request.into_inner())?;
        let wanted = page.clone();
        let listed = self.db.transact("problem_cases.list", &caller.tenant, async move |mut tx| {
            store::problem(&mut tx, problem).await?.ok_or(Refusal::ProblemNotFound)?;
            let cases = store::problem_cases(&mut tx, problem, &wanted, after).await?;
            Ok((tx, cases))
        });
        let rows = listed.await?.into_iter().map(|case| (case.case_id.to_string(), wire::problem_case(case)));
        let (cases, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListProblemCasesResponse { cases, next_page_token }))
    }

    async fn link_problem_cases(
        &self,
        request: Request<LinkProblemCasesRequest>,
    ) -> Result<Response<LinkProblemCasesResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (seen, cases) = wire::linked_cases(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let problem = Some(link(&mut tx, seen, &cases, &caller).await?);
            Ok((tx, LinkProblemCasesResponse { problem }))
        });
        Ok(server::reply(done.await?))
    }

    async fn unlink_problem_cases(
        &self,
        request: Request<UnlinkProblemCasesRequest>,
    ) -> Result<Response<UnlinkProblemCasesResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (seen, cases) = wire::unlinked_cases(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let problem = Some(unlink(&mut tx, seen, &cases, &caller).await?);
            Ok((tx, UnlinkProblemCasesResponse { problem }))
        });
        Ok(server::reply(done.await?))
    }

    async fn name_root_cause(
        &self,
        request: Request<NameRootCauseRequest>,
    ) -> Result<Response<NameRootCauseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (seen, path) = wire::named_cause(request)?;
        let done = self.db.mutate(context, async move |mut tx, _| {
            let mut problem = held(&mut tx, seen).await?;
            problem.name_cause(path, &causes(&mut tx, None).await?)?;
            let problem = Some(saved(&mut tx, problem).await?);
            Ok((tx, NameRootCauseResponse { problem }))
        });
        Ok(server::reply(done.await?))
    }

    async fn request_problem_task(
        &self,
        request: Request<RequestProblemTaskRequest>,
    ) -> Result<Response<RequestProblemTaskResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let wanted = wire::requested_task(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let answer = self::request(&mut tx, wanted, &caller).await?;
            Ok((tx, answer))
        });
        Ok(server::reply(done.await?))
    }

    async fn list_problem_tasks(
        &self,
        request: Request<ListProblemTasksRequest>,
    ) -> Result<Response<ListProblemTasksResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::ProblemTaskQuery { problem, state, page, after } =
            wire::problem_tasks_of(request.into_inner())?;
        let wanted = page.clone();
        let listed = self.db.transact("problem_tasks.list", &caller.tenant, async move |mut tx| {
            if let Some(problem) = problem {
                store::problem(&mut tx, problem).await?.ok_or(Refusal::ProblemNotFound)?;
            }
            let tasks = store::problem_tasks(&mut tx, (problem, state), &wanted, after).await?;
            Ok((tx, tasks))
        });
        let rows = listed.await?.into_iter().map(|task| (task.id.to_string(), wire::problem_task(task)));
        let (tasks, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListProblemTasksResponse { tasks, next_page_token }))
    }

    async fn close_problem(
        &self,
        request: Request<CloseProblemRequest>,
    ) -> Result<Response<CloseProblemResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (seen, conclusion) = wire::closed_problem(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let problem = Some(close(&mut tx, seen, conclusion, &caller).await?);
            Ok((tx, CloseProblemResponse { problem }))
        });
        Ok(server::reply(done.await?))
    }

    async fn update_root_causes(
        &self,
        request: Request<UpdateRootCausesRequest>,
    ) -> Result<Response<UpdateRootCausesResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let wanted = wire::wanted_causes(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let made = update(&mut tx, wanted, &caller).await?;
            Ok((tx, UpdateRootCausesResponse { root_causes: Some(wire::root_causes(made)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_root_causes(
        &self,
        request: Request<GetRootCausesRequest>,
    ) -> Result<Response<GetRootCausesResponse>, Status> {
        let caller = server::caller(&request)?;
        let version = wire::version_of(request.into_inner().version)?;
        let read = self.db.transact("root_causes.get", &caller.tenant, async move |mut tx| {
            let read = causes(&mut tx, version).await?;
            Ok((tx, read))
        });
        Ok(Response::new(GetRootCausesResponse { root_causes: Some(wire::root_causes(read.await?)) }))
    }
}
