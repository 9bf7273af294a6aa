//! Recalls: opened, given cases, read, closed, called off.

use std::collections::HashMap;

use fault::Fault;
use kernel::{Caller, CaseId, RecallId, TaskId};
use pg::{Db, Tx};
use proto::redress::resolution::v1::recall_service_server::RecallService;
use proto::redress::resolution::v1::{
    AddRecallCasesRequest, AddRecallCasesResponse, CancelRecallRequest, CancelRecallResponse,
    CloseRecallRequest, CloseRecallResponse, GetRecallRequest, GetRecallResponse,
    ListRecallCandidatesRequest, ListRecallCandidatesResponse, ListRecallCasesRequest,
    ListRecallCasesResponse, ListRecallsRequest, ListRecallsResponse, OpenRecallRequest, OpenRecallResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::case::CaseView;
use crate::flow::{progress, recalls};
use crate::recall::{End, KnownCases, Recall, RecallCase, RecallVerdict};
use crate::refusal::Refusal;
use crate::wire::recalls::{OfRecall, RecallListQuery, RecallTarget};
use crate::{store, wire};

/// The rpcs over one schema.
pub(crate) struct Recalls {
    db: Db,
}

impl Recalls {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl RecallService for Recalls {
    async fn open_recall(
        &self,
        request: Request<OpenRecallRequest>,
    ) -> Result<Response<OpenRecallResponse>, Status> {
        Ok(open(&self.db, request).await?)
    }

    async fn add_recall_cases(
        &self,
        request: Request<AddRecallCasesRequest>,
    ) -> Result<Response<AddRecallCasesResponse>, Status> {
        Ok(add(&self.db, request).await?)
    }

    async fn get_recall(
        &self,
        request: Request<GetRecallRequest>,
    ) -> Result<Response<GetRecallResponse>, Status> {
        Ok(get(&self.db, request).await?)
    }

    async fn list_recalls(
        &self,
        request: Request<ListRecallsRequest>,
    ) -> Result<Response<ListRecallsResponse>, Status> {
        Ok(list(&self.db, request).await?)
    }

    async fn list_recall_cases(
        &self,
        request: Request<ListRecallCasesRequest>,
    ) -> Result<Response<ListRecallCasesResponse>, Status> {
        Ok(list_cases(&self.db, request).await?)
    }

    async fn list_recall_candidates(
        &self,
        request: Request<ListRecallCandidatesRequest>,
    ) -> Result<Response<ListRecallCandidatesResponse>, Status> {
        Ok(list_candidates(&self.db, request).await?)
    }

    async fn close_recall(
        &self,
        request: Request<CloseRecallRequest>,
    ) -> Result<Response<CloseRecallResponse>, Status> {
        Ok(close(&self.db, request).await?)
    }

    async fn cancel_recall(
        &self,
        request: Request<CancelRecallRequest>,
    ) -> Result<Response<CancelRecallResponse>, Status> {
        Ok(cancel(&self.db, request).await?)
    }
}

async fn open(db: &Db, request: Request<OpenRecallRequest>) -> Result<Response<OpenRecallResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let defect = wire::recalls::opening(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let departments: Vec<&str> =
                defect.measures.iter().map(|measure| measure.department_id.as_str()).collect();
            let known = store::departments::known(&mut tx, &departments).await?;
            wire::recalls::known_departments(&defect.measures, &known)?;
            let recall = Recall::open(RecallId(tx.new_id()), defect, &caller.subject, tx.now());
            store::recalls::insert(&mut tx, &recall).await?;
            tx.emit(recall.recall_id.0, &wire::recalls::opened(&recall));
            Ok((tx, OpenRecallResponse { recall: Some(wire::recalls::recall(&recall)) }))
        })
        .await?;
    Ok(server::reply(done))
}

/// The recall a caller means, locked, as they have seen it.
async fn lock(tx: &mut Tx, target: RecallTarget) -> Result<Recall, Fault> {
    let recall = store::recalls::lock(tx, target.recall_id).await?.ok_or(Refusal::RecallNotFound)?;
    recall.seen_as(target.expected_version)?;
    Ok(recall)
}

async fn add(
    db: &Db,
    request: Request<AddRecallCasesRequest>,
) -> Result<Response<AddRecallCasesResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (target, asked) = wire::recalls::adding(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let mut recall = lock(&mut tx, target).await?;
            let known = known_cases(&mut tx, recall.recall_id, &asked).await?;
            let verdicts = recall.add(&asked, &known, &caller.subject)?;
            let added = verdicts.iter().filter(|(_, verdict)| *verdict == RecallVerdict::Added);
            let added: Vec<&CaseView> = added.filter_map(|(case_id, _)| known.views.get(case_id)).collect();
            if !added.is_empty() {
                take_in(&mut tx, &recall, &added, &caller).await?;
            }
            let verdicts = verdicts.iter().map(wire::recalls::verdict).collect();
            Ok((tx, AddRecallCasesResponse { recall: Some(wire::recalls::recall(&recall)), verdicts }))
        })
        .await?;
    Ok(server::reply(done))
}

/// What is known of cases: they are locked, so that one that ends meanwhile is found ended,
/// or ends after it was added.
async fn known_cases(tx: &mut Tx, recall_id: RecallId, asked: &[CaseId]) -> Result<KnownCases, Fault> {
    let ids: Vec<Uuid> = asked.iter().map(|case_id| case_id.0).collect();
    let views = store::cases::lock(tx, &ids).await?;
    let views: HashMap<CaseId, CaseView> = views.into_iter().map(|view| (view.case_id, view)).collect();
    Ok(KnownCases { views, inside: store::recalls::inside(tx, recall_id, &ids).await? })
}

/// Stores cases that were added, with the tasks they make, and tells each.
async fn take_in(tx: &mut Tx, recall: &Recall, views: &[&CaseView], caller: &Caller) -> Result<(), Fault> {
    let (now, adder) = (tx.now(), caller.subject.as_ref());
    let mut tasks = Vec::with_capacity(views.len() * recall.defect.measures.len());
    let mut cases = Vec::with_capacity(views.len());
    for case in views {
        tasks.extend(recall.tasks(case, adder, now, || TaskId(tx.new_id())));
        cases.push(RecallCase { case_id: case.case_id, adder: adder.to_owned(), added_at: now });
        let event = wire::recalls::case_added(recall, case, adder);
        tx.emit_in(case.traceparent.clone(), case.case_id.0, &event);
    }
    store::recalls::save(tx, recall).await?;
    store::recalls::insert_cases(tx, recall.recall_id, &cases).await?;
    store::tasks::insert(tx, &tasks).await?;
    tx.notify(progress::TASKS);
    Ok(())
}

async fn get(db: &Db, request: Request<GetRecallRequest>) -> Result<Response<GetRecallResponse>, Fault> {
    let caller = server::caller(&request)?;
    let recall_id = wire::recalls::reading(request.into_inner())?;
    let (recall, progress) = db
        .transact("resolution.get_recall", &caller.tenant, async move |mut tx| {
            let recall = store::recalls::get(&mut tx, recall_id).await?.ok_or(Refusal::RecallNotFound)?;
            let progress = store::recalls::progress(&mut tx, recall_id).await?;
            Ok((tx, (recall, progress)))
        })
        .await?;
    let (recall, progress) = (wire::recalls::recall(&recall), wire::recalls::progress(&progress));
    Ok(Response::new(GetRecallResponse { recall: Some(recall), progress: Some(progress) }))
}

async fn list(db: &Db, request: Request<ListRecallsRequest>) -> Result<Response<ListRecallsResponse>, Fault> {
    let caller = server::caller(&request)?;
    let RecallListQuery { state, sku, page, after } = wire::recalls::listing(request.into_inner())?;
    let limit = page.limit();
    let recalls = db
        .transact("resolution.list_recalls", &caller.tenant, async move |mut tx| {
            let recalls = store::recalls::list(&mut tx, (state, &sku), after, limit).await?;
            Ok((tx, recalls))
        })
        .await?;
    let recalls = recalls.iter().map(|recall| (recall.recall_id.to_string(), wire::recalls::recall(recall)));
    let (recalls, next_page_token) = server::page(&page, recalls);
    Ok(Response::new(ListRecallsResponse { recalls, next_page_token }))
}

async fn list_cases(
    db: &Db,
    request: Request<ListRecallCasesRequest>,
) -> Result<Response<ListRecallCasesResponse>, Fault> {
    let caller = server::caller(&request)?;
    let OfRecall { recall_id, page, after } = wire::recalls::cases(request.into_inner())?;
    let limit = page.limit();
    let cases = db
        .transact("resolution.list_recall_cases", &caller.tenant, async move |mut tx| {
            let cases = store::recalls::list_cases(&mut tx, recall_id, after, limit).await?;
            Ok((tx, cases))
        })
        .await?;
    let cases = cases.iter().map(|case| (case.0.case_id.to_string(), wire::recalls::case(case)));
    let (cases, next_page_token) = server::page(&page, cases);
    Ok(Response::new(ListRecallCasesResponse { cases, next_page_token }))
}

async fn list_candidates(
    db: &Db,
    request: Request<ListRecallCandidatesRequest>,
) -> Result<Response<ListRecallCandidatesResponse>, Fault> {
    let caller = server::caller(&request)?;
    let OfRecall { recall_id, page, after } = wire::recalls::candidates(request.into_inner())?;
    let limit = page.limit();
    let cases = db
        .transact("resolution.list_recall_candidates", &caller.tenant, async move |mut tx| {
            let cases = store::recalls::candidates(&mut tx, recall_id, after, limit).await?;
            Ok((tx, cases))
        })
        .await?;
    let cases = cases.iter().map(|case_id| (case_id.to_string(), case_id.to_string()));
    let (case_ids, next_page_token) = server::page(&page, cases);
    Ok(Response::new(ListRecallCandidatesResponse { case_ids, next_page_token }))
}

async fn close(
    db: &Db,
    request: Request<CloseRecallRequest>,
) -> Result<Response<CloseRecallResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (target, reason) = wire::recalls::closing(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let mut recall = lock(&mut tx, target).await?;
            let open = store::recalls::progress(&mut tx, recall.recall_id).await?.counts.open();
            recall.close(End { by: caller.subject.to_string(), at: tx.now(), reason }, open)?;
            store::recalls::save(&mut tx, &recall).await?;
            tx.emit(recall.recall_id.0, &wire::recalls::closed(&recall));
            Ok((tx, CloseRecallResponse { recall: Some(wire::recalls::recall(&recall)) }))
        })
        .await?;
    Ok(server::reply(done))
}

async fn cancel(
    db: &Db,
    request: Request<CancelRecallRequest>,
) -> Result<Response<CancelRecallResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (target, reason) = wire::recalls::cancellation(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let mut recall = lock(&mut tx, target).await?;
            if recall.cancel(End { by: caller.subject.to_string(), at: tx.now(), reason })? {
                store::recalls::save(&mut tx, &recall).await?;
                tx.emit(recall.recall_id.0, &wire::recalls::closed(&recall));
            }
            recalls::call_off(&mut tx, recall.recall_id).await?;
            Ok((tx, CancelRecallResponse { recall: Some(wire::recalls::recall(&recall)) }))
        })
        .await?;
    Ok(server::reply(done))
}
