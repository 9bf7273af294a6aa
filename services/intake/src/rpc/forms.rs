//! The rpcs of `FormService`.

use std::sync::Arc;

use fault::Fault;
use pg::{Db, Tx};
use proto::redress::intake::v1::form_service_server::FormService;
use proto::redress::intake::v1::{
    AddInformationRequest, AddInformationResponse, CreateFormRequest, CreateFormResponse, GetFormRequest,
    GetFormResponse, GetInformationRequest, GetInformationResponse, ListFormsRequest, ListFormsResponse,
    PrefillFormRequest, PrefillFormResponse, ValidateFormRequest, ValidateFormResponse,
};
use server::{CodeRateLimit, Length};
use tonic::{Request, Response, Status};

use crate::flow::additions::{Additions, Filled};
use crate::flow::forms::Forms;
use crate::form::Review;
use crate::refusal::Refusal;
use crate::store;
use crate::wire::{forms as wire, prefilled};

/// The rpcs of `FormService`.
pub(crate) struct FormRpc {
    db: Db,
    forms: Arc<Forms>,
    additions: Arc<Additions>,
    codes: CodeRateLimit,
}

impl FormRpc {
    /// Serves the forms of a schema.
    pub(crate) fn new(db: Db, forms: Arc<Forms>, additions: Arc<Additions>) -> Self {
        Self { codes: CodeRateLimit::new(db.clone()), db, forms, additions }
    }
}

#[tonic::async_trait]
impl FormService for FormRpc {
    async fn create_form(
        &self,
        request: Request<CreateFormRequest>,
    ) -> Result<Response<CreateFormResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (creator, now) = (context.caller.subject.to_string(), self.db.clock().now());
        let read = move || wire::create(request, creator, now);
        let mut form =
            server::blocking(&context.caller.tenant, Length::Quick, "form.compile", read).await??;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                form.created = tx.now();
                form.version = store::forms::create(&mut tx, &form).await?;
                Ok((tx, CreateFormResponse { form: Some(wire::form(form)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_form(&self, request: Request<GetFormRequest>) -> Result<Response<GetFormResponse>, Status> {
        let caller = server::caller(&request)?;
        let (category, version) = wire::get(request.into_inner())?;
        let kept = if version == 0 {
            self.forms.holding(&caller.tenant, &category).await?.map(|held| held.kept)
        } else {
            self.db
                .transact("form.get_version", &caller.tenant, async move |mut tx| {
                    let kept = store::forms::get(&mut tx, &category, version).await?;
                    Ok((tx, kept))
                })
                .await?
        };
        let kept = kept.ok_or(Refusal::FormNotFound).map_err(Fault::from)?;
        Ok(Response::new(GetFormResponse { form: Some(wire::form(kept)) }))
    }

    async fn list_forms(
        &self,
        request: Request<ListFormsRequest>,
    ) -> Result<Response<ListFormsResponse>, Status> {
        let caller = server::caller(&request)?;
        let page = wire::list(request.get_ref())?;
        let (forms, page) = self
            .db
            .transact("form.list", &caller.tenant, async move |mut tx| {
                let forms = store::forms::list(&mut tx, page.after.as_deref(), page.limit()).await?;
                Ok((tx, (forms, page)))
            })
            .await?;
        let forms = forms.into_iter().map(|form| (form.category.clone(), wire::form(form)));
        let (forms, next_page_token) = server::page(&page, forms);
        Ok(Response::new(ListFormsResponse { forms, next_page_token }))
    }

    async fn validate_form(
        &self,
        request: Request<ValidateFormRequest>,
    ) -> Result<Response<ValidateFormResponse>, Status> {
        let caller = server::caller(&request)?;
        let (category, form_data) = wire::trial(request.into_inner())?;
        let held = self.forms.holding(&caller.tenant, category.trim()).await?;
        let held = held.ok_or(Refusal::FormNotFound).map_err(Fault::from)?;
        if !held.form.is_heavy(form_data.len()) {
            return Ok(Response::new(wire::tried(&held, &form_data)));
        }
        let tried = move || wire::tried(&held, &form_data);
        Ok(Response::new(server::blocking(&caller.tenant, Length::Quick, "form.check", tried).await?))
    }

    async fn prefill_form(
        &self,
        request: Request<PrefillFormRequest>,
    ) -> Result<Response<PrefillFormResponse>, Status> {
        let caller = server::caller(&request)?;
        let request = request.into_inner();
        let is_heavy = request.form_data.len() > prefilled::HEAVY;
        let (category, form_data, known) = server::aside(is_heavy, || prefilled::wanted(request))?;
        let held = self.forms.holding(&caller.tenant, category.trim()).await?;
        let held = held.ok_or(Refusal::FormNotFound).map_err(Fault::from)?;
        let filled = move || prefilled::filled(&held, form_data, &known);
        Ok(Response::new(server::blocking(&caller.tenant, Length::Quick, "form.prefill", filled).await?))
    }

    async fn add_information(
        &self,
        request: Request<AddInformationRequest>,
    ) -> Result<Response<AddInformationResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let mut further = wire::further(request)?;
        let find = async |tx: &mut Tx, hash| store::by_receipt(tx, hash).await;
        let wrong = (Refusal::ReceiptCodeUnknown, Refusal::TooManyGuesses);
        further.complaint = self.codes.case(&context.caller, further.reference.clone(), find, wrong).await?;
        let done = self
            .db
            .mutate(context, async |tx, caller| self.additions.add(tx, &caller, further).await)
            .await?;
        Ok(server::reply(done))
    }

    async fn get_information(
        &self,
        request: Request<GetInformationRequest>,
    ) -> Result<Response<GetInformationResponse>, Status> {
        let caller = server::caller(&request)?;
        let id = wire::information(request.get_ref())?;
        let (additions, filled) = self
            .db
            .transact("intake.information", &caller.tenant, async |mut tx| {
                let (_, event) = store::get(&mut tx, id).await?.ok_or(Refusal::ComplaintNotFound)?;
                let complaint = crate::wire::complaint(&event)?;
                let additions = store::additions::list(&mut tx, id).await?;
                let filled =
                    self.additions.filled(&mut tx, &caller.tenant, &complaint, &additions, false).await?;
                Ok((tx, (additions, filled)))
            })
            .await?;
        let additions = additions.into_iter().map(wire::addition).collect();
        let Some(Filled { held, answer }) = filled else {
            return Ok(Response::new(GetInformationResponse { additions, ..Default::default() }));
        };
        let Review { completeness, missing, .. } =
            server::aside(held.form.is_heavy_for(&answer), || held.form.review(&answer));
        Ok(Response::new(GetInformationResponse {
            additions,
            form_category: held.kept.category,
            form_version: held.kept.version,
            form_data: answer.to_string(),
            completeness: Some(completeness),
            missing_fields: missing,
        }))
    }
}
