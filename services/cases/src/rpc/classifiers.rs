//! The rpcs of `ClassifierService`.

mod train;

use std::sync::Arc;

use fault::Fault;
use kernel::Caller;
use pg::{Db, Tx};
use proto::redress::cases::v1::classifier_service_server::ClassifierService;
use proto::redress::cases::v1::{
    ActivateClassifierRequest, ActivateClassifierResponse, ClassifyTextRequest, ClassifyTextResponse,
    ConfirmCategoryRequest, ConfirmCategoryResponse, DeactivateClassifierRequest,
    DeactivateClassifierResponse, GetClassifierRequest, GetClassifierResponse, GetReadingRequest,
    GetReadingResponse, ListClassifiersRequest, ListClassifiersResponse, ListUnconfirmedRequest,
    ListUnconfirmedResponse, TrainClassifierRequest, TrainClassifierResponse,
};
use server::Length;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use super::acting;
use crate::acting::Act;
use crate::case::Occasion;
use crate::flow::classifiers::Classifiers;
use crate::flow::persist;
use crate::refusal::Refusal;
use crate::store;
use crate::wire::CaseTarget;
use crate::wire::classifiers as wire;

/// The rpcs of `ClassifierService`.
#[derive(Clone)]
pub(crate) struct ClassifierRpc {
    db: Db,
    classifiers: Arc<Classifiers>,
}

impl ClassifierRpc {
    /// Serves the classifiers of a schema.
    pub(crate) fn new(db: Db, classifiers: Arc<Classifiers>) -> Self {
        Self { db, classifiers }
    }
}

/// Takes over what a person says a case is about, under the case's lock.
async fn confirm(
    mut tx: Tx,
    caller: &Caller,
    target: CaseTarget,
    category: String,
) -> Result<(Tx, ConfirmCategoryResponse), Fault> {
    let mut case = store::lock_all(&mut tx, &[target.case.0]).await?.pop().ok_or(Refusal::CaseNotFound)?;
    case.authorize(Act::Sort, &acting::actor(&mut tx, caller, std::iter::once(&case)).await?)?;
    if target.version.is_some_and(|seen| seen != case.version) {
        return Err(Fault::version_mismatch(case.version));
    }
    if store::categories::version(&mut tx).await?.is_some()
        && store::categories::get(&mut tx, &category).await?.is_none()
    {
        return Err(Refusal::CategoryNotInTree.into());
    }
    tx.join_trace(&case.origin.traceparent);
    let (now, traceparent) = (tx.now(), tx.traceparent().to_owned());
    case.categorise(category, &Occasion { now, actor: &caller.subject, traceparent: &traceparent });
    persist::changed(&mut tx, std::slice::from_mut(&mut case)).await?;
    store::readings::confirm(&mut tx, case.id, &caller.subject, now).await?;
    Ok((tx, ConfirmCategoryResponse { case: Some(crate::wire::case(&case)) }))
}

#[tonic::async_trait]
impl ClassifierService for ClassifierRpc {
    async fn train_classifier(
        &self,
        request: Request<TrainClassifierRequest>,
    ) -> Result<Response<TrainClassifierResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let threshold = wire::training(request)?;
        // Its own task: it goes on when the caller does not wait.
        let training = train::train(self.db.clone(), context, threshold).in_current_span();
        let done = tokio::spawn(training).await.map_err(Fault::internal)??;
        Ok(server::reply(done))
    }

    async fn activate_classifier(
        &self,
        request: Request<ActivateClassifierRequest>,
    ) -> Result<Response<ActivateClassifierResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let version = wire::activation(request)?;
        let tenant = context.caller.tenant.clone();
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let now = tx.now();
                if !store::classifiers::activate(&mut tx, version, now).await? {
                    return Err(Refusal::ClassifierNotFound.into());
                }
                let kept = store::classifiers::get(&mut tx, version).await?;
                Ok((tx, ActivateClassifierResponse { classifier: kept.map(wire::classifier) }))
            })
            .await?;
        self.classifiers.ask_again(&tenant);
        Ok(server::reply(done))
    }

    async fn deactivate_classifier(
        &self,
        request: Request<DeactivateClassifierRequest>,
    ) -> Result<Response<DeactivateClassifierResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        wire::deactivation(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let previous_version = store::classifiers::deactivate(&mut tx).await?;
                Ok((tx, DeactivateClassifierResponse { previous_version }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_classifier(
        &self,
        request: Request<GetClassifierRequest>,
    ) -> Result<Response<GetClassifierResponse>, Status> {
        let caller = server::caller(&request)?;
        let wanted = wire::wanted(request.into_inner())?;
        let kept = self
            .db
            .transact("classifier.get", &caller.tenant, async move |mut tx| {
                let version = match wanted {
                    Some(version) => version,
                    None => store::classifiers::active(&mut tx).await?,
                };
                let kept = store::classifiers::get(&mut tx, version).await?;
                Ok((tx, kept))
            })
            .await?;
        let kept = kept.ok_or(Refusal::ClassifierNotFound).map_err(Fault::from)?;
        Ok(Response::new(GetClassifierResponse { classifier: Some(wire::classifier(kept)) }))
    }

    async fn list_classifiers(
        &self,
        request: Request<ListClassifiersRequest>,
    ) -> Result<Response<ListClassifiersResponse>, Status> {
        let caller = server::caller(&request)?;
        let page = wire::list(request.into_inner())?;
        let (mut kept, page) = self
            .db
            .transact("classifier.list", &caller.tenant, async move |mut tx| {
                let kept = store::classifiers::list(&mut tx, &page).await?;
                Ok((tx, (kept, page)))
            })
            .await?;
        let next_page_token = page.cut(&mut kept, |kept| kept.version.to_string());
        let classifiers = kept.into_iter().map(wire::classifier).collect();
        Ok(Response::new(ListClassifiersResponse { classifiers, next_page_token }))
    }

    async fn classify_text(
        &self,
        request: Request<ClassifyTextRequest>,
    ) -> Result<Response<ClassifyTextResponse>, Status> {
        let caller = server::caller(&request)?;
        let (text, wanted) = wire::text(request.into_inner())?;
        let (classifiers, tenant) = (self.classifiers.clone(), caller.tenant.clone());
        let classifier = self
            .db
            .transact("classifier.use", &caller.tenant, async move |mut tx| {
                let version = match wanted {
                    Some(version) => version,
                    None => store::classifiers::active(&mut tx).await?,
                };
                let classifier = classifiers.get(&mut tx, &tenant, version).await?;
                Ok((tx, classifier))
            })
            .await?;
        let classifier = classifier.ok_or(Refusal::ClassifierNotFound).map_err(Fault::from)?;
        // Aside: the first Chinese text loads a dictionary.
        let classify = move || {
            let ranking = classifier.model.ranking(&text);
            wire::classified(&classifier, &ranking, &language::emotion(&text))
        };
        let answer = server::blocking(&caller.tenant, Length::Quick, "text.classify", classify).await?;
        Ok(Response::new(answer))
    }

    async fn confirm_category(
        &self,
        request: Request<ConfirmCategoryRequest>,
    ) -> Result<Response<ConfirmCategoryResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, category) = wire::confirmation(request)?;
        let done =
            self.db.mutate(context, async |tx, caller| confirm(tx, &caller, target, category).await).await?;
        Ok(server::reply(done))
    }

    async fn list_unconfirmed(
        &self,
        request: Request<ListUnconfirmedRequest>,
    ) -> Result<Response<ListUnconfirmedResponse>, Status> {
        let caller = server::caller(&request)?;
        let page = wire::unconfirmed(request.into_inner())?;
        let (mut kept, page) = self
            .db
            .transact("reading.list", &caller.tenant, async move |mut tx| {
                let kept = store::readings::unconfirmed(&mut tx, &page).await?;
                Ok((tx, (kept, page)))
            })
            .await?;
        let next_page_token = page.cut(&mut kept, |kept| kept.case.to_string());
        let readings = kept.into_iter().map(wire::reading).collect();
        Ok(Response::new(ListUnconfirmedResponse { readings, next_page_token }))
    }

    async fn get_reading(
        &self,
        request: Request<GetReadingRequest>,
    ) -> Result<Response<GetReadingResponse>, Status> {
        let caller = server::caller(&request)?;
        let GetReadingRequest { case_id } = request.into_inner();
        let id = crate::wire::case_id(&case_id)?;
        let kept = self
            .db
            .transact("reading.get", &caller.tenant, async move |mut tx| {
                let kept = store::readings::get(&mut tx, id).await?;
                Ok((tx, kept))
            })
            .await?;
        let kept = kept.ok_or(Refusal::CaseNotFound).map_err(Fault::from)?;
        Ok(Response::new(GetReadingResponse { reading: Some(wire::reading(kept)) }))
    }
}
