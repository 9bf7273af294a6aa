//! What is added to complaints, and what it makes of the form.

use std::sync::Arc;

use fault::{Check, Fault};
use kernel::{Caller, CaseId, TenantId};
use pg::Tx;
use proto::redress::intake::v1::{AddInformationResponse, Complaint, InformationAdded};
use serde_json::{Map, Value};

use super::attachments::locked;
use super::forms::Forms;
use crate::complaint::Addition;
use crate::form::{Held, Review, answer, candidates, merge, touched};
use crate::refusal::Refusal;
use crate::store;
use crate::wire::forms as wire;

/// Adds to complaints.
pub(crate) struct Additions {
    forms: Arc<Forms>,
}

/// A complaint's form as it now is.
pub(crate) struct Filled {
    /// The form.
    pub(crate) held: Held,
    /// What is filled in.
    pub(crate) answer: Value,
}

impl Filled {
    /// Whether looking it over with a patch may take more than a millisecond.
    fn is_heavy(&self, patch: Option<&Value>) -> bool {
        let form = &self.held.form;
        form.is_heavy_for(&self.answer) || patch.is_some_and(|patch| form.is_heavy_for(patch))
    }
}

impl Additions {
    /// With the forms in use.
    pub(crate) fn new(forms: Arc<Forms>) -> Self {
        Self { forms }
    }

    /// The form of a complaint with everything filled in since; none while it has none
    /// and `begins` does not ask for that of its category.
    pub(crate) async fn filled(
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
    pub(crate) async fn add(
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
        let found = locked(&mut tx, &attachments).await?;
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
