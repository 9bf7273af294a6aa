//! `TrainingService`: read, transact, render.

use fault::Fault;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::{CaseId, TenantId};
use language::Anonymiser;
use pg::{Db, Tx};
use proto::redress::cases::v1::training_service_server::TrainingService;
use proto::redress::cases::v1::{
    CreateTrainingCaseRequest, CreateTrainingCaseResponse, EditTrainingCaseRequest, EditTrainingCaseResponse,
    ExportTrainingCasesRequest, ExportTrainingCasesResponse, GetTrainingCaseRequest, GetTrainingCaseResponse,
    ListTrainingCasesRequest, ListTrainingCasesResponse, PickTrainingCasesRequest, PickTrainingCasesResponse,
    PublishTrainingCaseRequest, PublishTrainingCaseResponse, RetireTrainingCaseRequest,
    RetireTrainingCaseResponse, SubmitTrainingCaseRequest, SubmitTrainingCaseResponse,
    TrainingCase as TrainingCaseView,
};
use server::Length;
use tonic::{Request, Response, Status};
use uuid::Uuid;
use vocabulary::State;

use super::acting;
use crate::acting::Act;
use crate::case::Case;
use crate::refusal::Refusal;
use crate::review::{Reviewed, ReviewedKind};
use crate::store::{self, reviewed as review, training as rows};
use crate::training::picking::{Candidate, pick};
use crate::training::{
    About, Challenge, Content, MAX_STEPS, MAX_TRAINING_CASES, Revision, Source, TOLD_KINDS, TrainingCase,
    TrainingCaseFilter,
};
use crate::wire::review::ReviewTarget;
use crate::wire::training as wire;

/// Training cases that are read at once to be exported.
const EXPORT_PAGE: i64 = 20;

/// The rpcs of `TrainingService`.
#[derive(Clone)]
pub(crate) struct Training {
    db: Db,
}

impl Training {
    /// Serves the training cases of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// A case as it is known, to be made a training case of; and what made it hard.
    async fn source(&self, tenant: &TenantId, id: CaseId) -> Result<(Source, Vec<Challenge>), Fault> {
        self.db
            .transact("training.source", tenant, async move |mut tx| {
                let case = store::get(&mut tx, id).await?.ok_or(Refusal::CaseNotFound)?;
                let source = source(&mut tx, case, &[]).await?;
                let hard = rows::challenges(&mut tx, &[id]).await?.remove(&id).unwrap_or_default();
                Ok((tx, (source, hard)))
            })
            .await
    }

    /// Refuses texts that still tell who somebody is, as far as the case they were made of lets
    /// know. The texts are those of the latest revision where none are given. Looked through
    /// beside the calls, and in no transaction.
    async fn look_through(&self, tenant: &TenantId, id: Uuid, given: Option<Content>) -> Result<(), Fault> {
        let read = self.db.transact("training.known", tenant, async move |mut tx| {
            let found = rows::get(&mut tx, id, None).await?.ok_or(Refusal::TrainingCaseNotFound)?;
            let case = match found.source {
                Some(case) => store::get(&mut tx, case).await?,
                None => None,
            };
            let content = given.unwrap_or(found.revision.content);
            let source = match case {
                Some(case) => Some(source(&mut tx, case, &content.texts()).await?),
                None => None,
            };
            Ok((tx, (source, content)))
        });
        let (source, content) = read.await?;
        let check = move || {
            let texts: Vec<(String, &str)> = content.texts();
            let anonymiser = match &source {
                Some(source) => source.anonymiser(Vec::new(), texts.iter().map(|(_, text)| *text)),
                None => Anonymiser::new([], None),
            };
            wire::without_details(&content, &anonymiser)
        };
        server::blocking(tenant, Length::Quick, "training.check", check).await?
    }
}

/// What is known of a case beside itself, and of whoever of the staff is mentioned in it or in
/// texts that are told of it: those who were not chosen for it are named where it says why.
async fn source(tx: &mut Tx, case: Case, told: &[(String, &str)]) -> Result<Source, Fault> {
    let (description, order_key) = rows::text_of(tx, case.id).await?;
    let entries = store::timeline::first_of(tx, case.id, &TOLD_KINDS, MAX_STEPS).await?;
    let mut names = store::staff::names(tx, &Source::subjects(&case, &entries)).await?;
    let own = [
        case.origin.subject.as_str(),
        &description,
        &case.findings,
        &case.root_cause,
        &case.decision_reasons,
    ];
    let texts = own.into_iter().chain(entries.iter().map(|entry| entry.text.as_str()));
    let all: Vec<&str> = texts.chain(told.iter().map(|(_, text)| *text)).collect();
    names.extend(store::staff::mentioned(tx, &kernel::person::folded(&all.join("\n"))).await?);
    Ok(Source { case, description, order_key, entries, names })
}

/// A revision of a training case, the latest where none is named.
async fn shown(tx: &mut Tx, id: Uuid, revision: Option<i32>) -> Result<Option<TrainingCaseView>, Fault> {
    let read = rows::get(tx, id, revision).await?.ok_or(Refusal::TrainingCaseNotFound)?;
    Ok(Some(wire::training_case(read)))
}

/// A training case as the caller has seen it; nobody else changes it.
async fn locked(tx: &mut Tx, target: ReviewTarget) -> Result<TrainingCase, Fault> {
    let read = rows::lock(tx, target.id).await?.ok_or(Refusal::TrainingCaseNotFound)?;
    if read.reviewed.version != target.version {
        return Err(Fault::version_mismatch(read.reviewed.version));
    }
    Ok(read)
}

/// Writes a revision of a training case that is saved.
async fn add(tx: &mut Tx, (id, number): (Uuid, i32), content: Content, author: &str) -> Result<(), Fault> {
    let (author, revise_time) = (author.to_owned(), tx.now());
    rows::add_revision(tx, id, &Revision { number, content, author, revise_time, published: None }).await
}

async fn create(
    tx: &mut Tx,
    case: CaseId,
    (about, content): (About, Content),
    caller: &kernel::Caller,
) -> Result<Uuid, Fault> {
    let case = store::get(tx, case).await?.ok_or(Refusal::CaseNotFound)?;
    let actor = acting::actor(tx, caller, std::iter::once(&case)).await?;
    case.authorize(Act::Assist, &actor)?;
    if case.state != State::Closed {
        return Err(Refusal::InvalidCaseState(case.state).into());
    }
    if review::lock_count(tx, ReviewedKind::TrainingCase).await? >= MAX_TRAINING_CASES {
        return Err(Refusal::TooManyTrainingCases.into());
    }
    let reviewed = Reviewed::new(ReviewedKind::TrainingCase, tx.new_id());
    if !rows::insert(tx, &reviewed, &about, case.id).await? {
        return Err(Refusal::CaseUsedForTraining.into());
    }
    add(tx, (reviewed.id, reviewed.latest), content, &caller.subject).await?;
    Ok(reviewed.id)
}

/// Training cases that are being sent: page by page, each in a transaction of its own, so that a
/// slow reader holds nothing.
struct Export {
    db: Db,
    tenant: TenantId,
    listing: TrainingCaseFilter,
    /// The last one that was read; none after the last of all.
    after: Option<Uuid>,
    ready: std::vec::IntoIter<TrainingCase>,
}

impl Export {
    /// The next message; none after the last.
    async fn message(&mut self) -> Result<Option<ExportTrainingCasesResponse>, Fault> {
        if self.ready.len() == 0
            && let Some(after) = self.after
        {
            let listing = self.listing.clone();
            let read = self.db.transact("training.export", &self.tenant, async move |mut tx| {
                let page = rows::export(&mut tx, &listing, after, EXPORT_PAGE).await?;
                Ok((tx, page))
            });
            let page = read.await?;
            self.after = page.last().map(|one| one.reviewed.id);
            self.ready = page.into_iter();
        }
        let training_case = self.ready.next().map(wire::exported_case);
        Ok(training_case.map(|one| ExportTrainingCasesResponse { training_case: Some(one) }))
    }
}

#[tonic::async_trait]
impl TrainingService for Training {
    type ExportTrainingCasesStream = BoxStream<'static, Result<ExportTrainingCasesResponse, Status>>;

    async fn pick_training_cases(
        &self,
        request: Request<PickTrainingCasesRequest>,
    ) -> Result<Response<PickTrainingCasesResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::PickQuery { days, category, most, seed } = wire::picked(request.into_inner())?;
        let read = self.db.transact("training.candidates", &caller.tenant, async move |mut tx| {
            let candidates = rows::candidates(&mut tx, (begin(days.0)?, begin(days.1)?), &category).await?;
            Ok((tx, candidates))
        });
        let candidates: Vec<Candidate> = read.await?;
        let case_count = i32::try_from(candidates.len()).unwrap_or(i32::MAX);
        let pick = move || pick(candidates, &seed, most);
        let picks = server::blocking(&caller.tenant, Length::Quick, "training.pick", pick).await?;
        let picks = picks.into_iter().map(wire::pick).collect();
        Ok(Response::new(PickTrainingCasesResponse { picks, case_count }))
    }

    async fn create_training_case(
        &self,
        request: Request<CreateTrainingCaseRequest>,
    ) -> Result<Response<CreateTrainingCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (case, told) = wire::created(request)?;
        if let Some(done) = self.db.answered(&context).await? {
            return Ok(server::reply(done));
        }
        let tenant = context.caller.tenant.clone();
        let (source, hard) = self.source(&tenant, case).await?;
        let anonymous = move || source.anonymous(told, hard);
        let made = server::blocking(&tenant, Length::Quick, "training.anonymise", anonymous).await?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let id = create(&mut tx, case, made, &caller).await?;
            let training_case = shown(&mut tx, id, None).await?;
            Ok((tx, CreateTrainingCaseResponse { training_case }))
        });
        Ok(server::reply(done.await?))
    }

    async fn edit_training_case(
        &self,
        request: Request<EditTrainingCaseRequest>,
    ) -> Result<Response<EditTrainingCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let tenant = context.caller.tenant.clone();
        let read = move || wire::edited(request);
        let (of, next) = server::blocking(&tenant, Length::Quick, "training.read", read).await??;
        if let Some(done) = self.db.answered(&context).await? {
            return Ok(server::reply(done));
        }
        self.look_through(&tenant, of.id, Some(next.clone())).await?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let TrainingCase { mut reviewed, .. } = locked(&mut tx, of).await?;
            let number = reviewed.edit()?;
            review::save(&mut tx, &reviewed).await?;
            add(&mut tx, (reviewed.id, number), next, &caller.subject).await?;
            let training_case = shown(&mut tx, of.id, None).await?;
            Ok((tx, EditTrainingCaseResponse { training_case }))
        });
        Ok(server::reply(done.await?))
    }

    async fn submit_training_case(
        &self,
        request: Request<SubmitTrainingCaseRequest>,
    ) -> Result<Response<SubmitTrainingCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let target = wire::submitted(request)?;
        let done = self.db.mutate(context, async move |mut tx, _| {
            let TrainingCase { mut reviewed, .. } = locked(&mut tx, target).await?;
            reviewed.submit()?;
            review::save(&mut tx, &reviewed).await?;
            let training_case = shown(&mut tx, target.id, None).await?;
            Ok((tx, SubmitTrainingCaseResponse { training_case }))
        });
        Ok(server::reply(done.await?))
    }

    async fn publish_training_case(
        &self,
        request: Request<PublishTrainingCaseRequest>,
    ) -> Result<Response<PublishTrainingCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let target = wire::published(request)?;
        if let Some(done) = self.db.answered(&context).await? {
            return Ok(server::reply(done));
        }
        // Of the latest revision, which is that of the version below, or the version differs.
        self.look_through(&context.caller.tenant.clone(), target.id, None).await?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let TrainingCase { mut reviewed, .. } = locked(&mut tx, target).await?;
            let authors = review::authors(&mut tx, &reviewed).await?;
            reviewed.publish(&caller.subject, &authors)?;
            review::save(&mut tx, &reviewed).await?;
            let by = (&*caller.subject, tx.now());
            review::publish(&mut tx, &reviewed, by).await?;
            rows::forget_source(&mut tx, reviewed.id, false).await?;
            let training_case = shown(&mut tx, target.id, None).await?;
            Ok((tx, PublishTrainingCaseResponse { training_case }))
        });
        Ok(server::reply(done.await?))
    }

    async fn retire_training_case(
        &self,
        request: Request<RetireTrainingCaseRequest>,
    ) -> Result<Response<RetireTrainingCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, reason) = wire::retired(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let TrainingCase { mut reviewed, .. } = locked(&mut tx, target).await?;
            reviewed.retire(&caller.subject, reason)?;
            review::save(&mut tx, &reviewed).await?;
            // Once it was published, no row names it any more.
            rows::forget_source(&mut tx, reviewed.id, true).await?;
            let training_case = shown(&mut tx, target.id, None).await?;
            Ok((tx, RetireTrainingCaseResponse { training_case }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_training_case(
        &self,
        request: Request<GetTrainingCaseRequest>,
    ) -> Result<Response<GetTrainingCaseResponse>, Status> {
        let caller = server::caller(&request)?;
        let (id, revision) = wire::wanted(request.into_inner())?;
        let read = self.db.transact("training.get", &caller.tenant, async move |mut tx| {
            let training_case = shown(&mut tx, id, revision).await?;
            Ok((tx, training_case))
        });
        Ok(Response::new(GetTrainingCaseResponse { training_case: read.await? }))
    }

    async fn list_training_cases(
        &self,
        request: Request<ListTrainingCasesRequest>,
    ) -> Result<Response<ListTrainingCasesResponse>, Status> {
        let caller = server::caller(&request)?;
        let (listing, page, before) = wire::listed(request.into_inner())?;
        let most = page.limit();
        let read = self.db.transact("training.list", &caller.tenant, async move |mut tx| {
            let found = rows::list(&mut tx, &listing, before, most).await?;
            Ok((tx, found))
        });
        let told = read.await?.into_iter().map(|one| (one.reviewed.id.to_string(), wire::in_short(one)));
        let (training_cases, next_page_token) = server::page(&page, told);
        Ok(Response::new(ListTrainingCasesResponse { training_cases, next_page_token }))
    }

    async fn export_training_cases(
        &self,
        request: Request<ExportTrainingCasesRequest>,
    ) -> Result<Response<Self::ExportTrainingCasesStream>, Status> {
        let caller = server::caller(&request)?;
        let listing = wire::exported(request.into_inner())?;
        let (db, ready) = (self.db.clone(), Vec::new().into_iter());
        let export = Export { db, tenant: caller.tenant, listing, after: Some(Uuid::nil()), ready };
        let messages = stream::try_unfold(export, |mut export| async move {
            let message = export.message().await?;
            Ok::<_, Status>(message.map(|message| (message, export)))
        });
        Ok(Response::new(messages.boxed()))
    }
}

/// When a day begins, in UTC.
fn begin(day: Date) -> Result<jiff::Timestamp, Fault> {
    Ok(day.to_zoned(TimeZone::UTC).map_err(Fault::internal)?.timestamp())
}
