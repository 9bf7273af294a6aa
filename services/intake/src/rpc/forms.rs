//! The rpcs of `FormService`.

use std::sync::Arc;

use fault::{Check, Fault};
use kernel::{Caller, CaseId, TenantId};
use pg::{Db, Tx};
use proto::redress::intake::v1::form_service_server::FormService;
use proto::redress::intake::v1::{
    AddInformationRequest, AddInformationResponse, Complaint, CreateFormRequest, CreateFormResponse,
    GetFormRequest, GetFormResponse, GetInformationRequest, GetInformationResponse, InformationAdded,
    ListFormsRequest, ListFormsResponse, ValidateFormRequest, ValidateFormResponse,
};
use serde_json::{Map, Value};
use server::Length;
use tonic::{Request, Response, Status};

use crate::complaint::Addition;
use crate::flow;
use crate::flow::forms::Forms;
use crate::form::{Held, Review, answer, candidates, merge, touched};
use crate::refusal::Refusal;
use crate::store;
use crate::wire::forms as wire;

/// The rpcs of `FormService`.
pub(crate) struct FormRpc {
    db: Db,
    forms: Arc<Forms>,
}

/// A complaint's form as it now is.
struct Filled {
    held: Held,
    answer: Value,
}

impl Filled {
    /// Whether looking it over with a patch may take more than a millisecond.
    fn is_heavy(&self, patch: Option<&Value>) -> bool {
        let form = &self.held.form;
        form.is_heavy_for(&self.answer) || patch.is_some_and(|patch| form.is_heavy_for(patch))
    }
}

impl FormRpc {
    /// Serves the forms of a schema.
    pub(crate) fn new(db: Db, forms: Arc<Forms>) -> Self {
        Self { db, forms }
    }

    /// The form of a complaint with everything filled in since; none while it has none
    /// and `begins` does not ask for that of its category.
    async fn filled(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        complaint: &Complaint,
        additions: &[Addition],
        begins: bool,
    ) -> Result<Option<Filled>, Fault> {
        let patches: Vec<&str> = additions.iter().filter_map(|one| one.form_data.as_deref()).collect();
        let kept = if complaint.form_version > 0 {
            store::forms::get(tx, &complaint.form_category, complaint.form_version).await?
        } else if begins || !patches.is_empty() {
            store::forms::holding(tx, &candidates(complaint.category_hint.trim())).await?
        } else {
            None
        };
        let Some(kept) = kept else { return Ok(None) };
        let mut filled = match complaint.form_data.as_str() {
            "" => Value::Object(Map::new()),
            text => answer(text).map_err(Fault::internal)?,
        };
        for patch in patches {
            merge(&mut filled, answer(patch).map_err(Fault::internal)?);
        }
        Ok(Some(Filled { held: self.forms.ready(tenant, kept).await?, answer: filled }))
    }

    /// Adds to a complaint, under its lock.
    async fn add(
        &self,
        mut tx: Tx,
        caller: &Caller,
        mut further: wire::Further,
    ) -> Result<(Tx, AddInformationResponse), Fault> {
        let id = further.complaint;
        let (_, event) = store::lock(&mut tx, id).await?.ok_or(Refusal::ComplaintNotFound)?;
        let complaint = crate::wire::complaint(&event)?;
        if let Some((other, ordinal, hash)) = store::additions::by_key(&mut tx, &further.request_id).await? {
            if other != id.0 || hash != further.request_hash {
                return Err(Refusal::KeyReused.into());
            }
            return self.added(tx, caller, &complaint, id, ordinal).await;
        }
        let attachments = further.attachments();
        let found = flow::attachments::locked(&mut tx, &attachments).await?;
        let check = further.check_attachments(&found);
        let wire::Further { request_id, request_hash, source, text, patch, evidence, .. } = further;
        let before = store::additions::list(&mut tx, id).await?;
        let filled = self.filled(&mut tx, &caller.tenant, &complaint, &before, patch.is_some()).await?;
        let is_heavy = filled.as_ref().is_some_and(|filled| filled.is_heavy(patch.as_ref()));
        let review = server::aside(is_heavy, || reviewed(check, filled, patch.as_ref()))?;
        let addition = Addition {
            ordinal: before.last().map_or(0, |last| last.ordinal) + 1,
            source,
            author: caller.subject.to_string(),
            added: tx.now(),
            text,
            form_data: patch.as_ref().map(ToString::to_string),
            evidence: wire::stored(&evidence),
        };
        store::additions::insert(&mut tx, id, &addition, (&request_id, request_hash)).await?;
        if !attachments.is_empty() {
            let given: Vec<_> = attachments.iter().map(|one| (*one, id)).collect();
            store::attachments::give(&mut tx, &given).await?;
        }
        let completeness = review.as_ref().map(|review| review.completeness);
        let told = InformationAdded {
            complaint_id: id.to_string(),
            ordinal: addition.ordinal,
            source: source.into(),
            author: addition.author.clone(),
            text: addition.text.clone(),
            form_fields: patch.as_ref().map(touched).unwrap_or_default(),
            completeness,
            evidence,
        };
        tx.emit(id.0, &told);
        let missing_fields = review.map(|review| review.missing).unwrap_or_default();
        let addition = Some(wire::addition(addition));
        Ok((tx, AddInformationResponse { addition, completeness, missing_fields }))
    }

    /// What was answered when a complaint was added to: the form as that left it.
    async fn added(
        &self,
        mut tx: Tx,
        caller: &Caller,
        complaint: &Complaint,
        id: CaseId,
        ordinal: i32,
    ) -> Result<(Tx, AddInformationResponse), Fault> {
        let mut additions = store::additions::list(&mut tx, id).await?;
        additions.retain(|one| one.ordinal <= ordinal);
        let filled = self.filled(&mut tx, &caller.tenant, complaint, &additions, false).await?;
        let review = filled.map(|filled| filled.held.form.review(&filled.answer));
        Ok((
            tx,
            AddInformationResponse {
                addition: additions.pop().map(wire::addition),
                completeness: review.as_ref().map(|review| review.completeness),
                missing_fields: review.map(|review| review.missing).unwrap_or_default(),
            },
        ))
    }
}

/// What a form amounts to with a patch over it; refused is what the patch newly makes
/// wrong, and what is wrong already. What was missing before may still be missing.
fn reviewed(check: Check, filled: Option<Filled>, patch: Option<&Value>) -> Result<Option<Review>, Fault> {
    let (mut filled, patch) = match (filled, patch) {
        (None, None) => return wire::refused(check, Vec::new()).map(|()| None),
        (None, Some(_)) => return wire::refused(check, vec![wire::no_form()]).map(|()| None),
        (Some(filled), None) => {
            wire::refused(check, Vec::new())?;
            return Ok(Some(filled.held.form.review(&filled.answer)));
        }
        (Some(filled), Some(patch)) => (filled, patch),
    };
    let before = filled.held.form.review(&filled.answer);
    merge(&mut filled.answer, patch.clone());
    let mut review = filled.held.form.review(&filled.answer);
    review.violations.retain(|violation| !before.violations.contains(violation));
    wire::refused(check, std::mem::take(&mut review.violations))?;
    Ok(Some(review))
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

    async fn add_information(
        &self,
        request: Request<AddInformationRequest>,
    ) -> Result<Response<AddInformationResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let further = wire::further(request)?;
        let done = self.db.mutate(context, async |tx, caller| self.add(tx, &caller, further).await).await?;
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
                let filled = self.filled(&mut tx, &caller.tenant, &complaint, &additions, false).await?;
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
