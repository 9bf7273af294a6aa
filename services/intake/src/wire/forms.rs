//! Proto ⇄ domain: forms, answers to them, and what is added later.

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::intake::v1::{
    AddInformationRequest, Addition as WireAddition, CreateFormRequest, Evidence, Form as WireForm,
    FormViolation, GetFormRequest, GetInformationRequest, InformationSource, ListFormsRequest,
    ValidateFormRequest, ValidateFormResponse,
};
use proto::timestamp;
use serde_json::Value;
use server::CaseReference;
use uuid::Uuid;

use super::evidence::{self, Attachments};
use super::{MAX_DESCRIPTION, MAX_WORD, Reading, prefilled};
use crate::attachment::Owner;
use crate::complaint::Addition;
use crate::form::{Form, FormCheck, Held, KeptForm, Review, Violation, answer};

/// Longest answer to a form.
pub(super) const MAX_ANSWER: usize = 100_000;
/// Most bytes of a character.
const MAX_CHAR_BYTES: usize = 4;
/// Longest schema.
const MAX_SCHEMA: usize = 200_000;

impl Reading {
    /// The category whose form was filled in; none when no form was.
    pub(crate) fn form_wanted(&self) -> Option<&str> {
        let complaint = &self.submission.complaint;
        let category = complaint.category_hint.trim();
        // Nothing is looked for by what is refused: each part of a megabyte of slashes would be,
        // and the database reads no NUL.
        let is_short = category.len() <= MAX_WORD * MAX_CHAR_BYTES;
        let is_kept = is_short && ![category, self.request_id()].iter().any(|text| text.contains('\0'));
        (is_kept && !complaint.form_data.is_empty()).then_some(category)
    }

    /// The submission's key.
    pub(crate) fn request_id(&self) -> &str {
        &self.submission.request_id
    }

    /// Whether checking what was filled in may take more than a millisecond.
    pub(crate) fn is_heavy_for(&self, form: &FormCheck) -> bool {
        let bytes = self.submission.complaint.form_data.len();
        matches!(form, FormCheck::By(Some(held)) if held.form.is_heavy(bytes))
    }

    /// Checks what was filled in.
    pub(crate) fn check_form(&mut self, form: FormCheck) {
        const FIELD: &str = "complaint.form_data";
        let FormCheck::By(held) = form else { return };
        let Some(Held { kept, form }) = held else {
            self.check.fail(FIELD, "there is no form for this category");
            return;
        };
        match answer(&self.submission.complaint.form_data) {
            Err(wrong) => self.check.fail(FIELD, wrong),
            Ok(answer) => {
                let review = form.review(&answer);
                note(&mut self.check, FIELD, review.violations);
                let complaint = &mut self.submission.complaint;
                complaint.form_category = kept.category;
                complaint.form_version = kept.version;
                complaint.completeness = Some(review.completeness);
            }
        }
    }
}

/// Notes what is wrong with an answer below a field.
pub(crate) fn note(check: &mut Check, field: &str, violations: Vec<Violation>) {
    for Violation { field: below, what } in violations {
        let dot = if below.is_empty() { "" } else { "." };
        check.fail(&format!("{field}{dot}{below}"), what);
    }
}

/// Reads a new form.
pub(crate) fn create(
    request: CreateFormRequest,
    creator: String,
    created: Timestamp,
) -> Result<KeptForm, Fault> {
    let CreateFormRequest { request_id, form } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(form.is_some(), "form", "is required");
    let kept = form.map(|WireForm { category, title, schema, .. }| {
        let category = check.text("form.category", category, MAX_WORD);
        let whole =
            category.is_empty() || category.split('/').all(|name| !name.is_empty() && name.trim() == name);
        check.ensure(whole, "form.category", "must be a path such as `delivery/damaged`");
        let title = check.text("form.title", title, MAX_WORD);
        let schema = check.required("form.schema", schema, MAX_SCHEMA);
        if !schema.trim().is_empty() {
            match Form::read(&schema) {
                Err(wrong) => check.fail("form.schema", wrong),
                Ok(form) => check_sources(&mut check, &form),
            }
        }
        KeptForm { category, version: 0, title, schema, creator, created }
    });
    check.done("INVALID_FORM")?;
    kept.ok_or_else(|| Fault::internal("a violation was lost"))
}

fn check_sources(check: &mut Check, form: &Form) {
    for name in form.sources().filter(|name| !prefilled::SOURCES.contains(name)) {
        check.fail("form.schema", format!("{name} is nothing a field can be filled in with"));
    }
}

/// Reads which form is wanted: a category, and a version of it.
pub(crate) fn get(request: GetFormRequest) -> Result<(String, i64), Fault> {
    let GetFormRequest { category, version } = request;
    let mut check = Check::new();
    let category = check.text("category", category, MAX_WORD);
    check.ensure(version >= 0, "version", "must not be negative");
    check.done("INVALID_FORM_NAME")?;
    Ok((category, version))
}

/// Reads the paging of a list of forms.
pub(crate) fn list(request: &ListFormsRequest) -> Result<Page, Fault> {
    let mut check = Check::new();
    let page = check.page(request.page_size, &request.page_token, "");
    check.done("INVALID_LIST")?;
    Ok(page)
}

/// Reads what is to be tried: a category, and what was filled into its form.
pub(crate) fn trial(request: ValidateFormRequest) -> Result<(String, String), Fault> {
    let ValidateFormRequest { category, form_data } = request;
    let mut check = Check::new();
    let category = check.text("category", category, MAX_WORD);
    let form_data = check.text("form_data", form_data, MAX_ANSWER);
    check.done("INVALID_FORM_NAME")?;
    Ok((category, form_data))
}

/// What a trial came to.
pub(crate) fn tried(held: &Held, form_data: &str) -> ValidateFormResponse {
    let read =
        if form_data.is_empty() { Ok(Value::Object(serde_json::Map::new())) } else { answer(form_data) };
    let unreadable = |what| vec![Violation { field: String::new(), what }];
    let Review { violations, completeness, missing } = match read {
        Ok(answer) => held.form.review(&answer),
        Err(wrong) => Review { violations: unreadable(wrong), ..held.form.review(&Value::Null) },
    };
    let violation = |Violation { field, what }| FormViolation { field, description: what };
    ValidateFormResponse {
        form_category: held.kept.category.clone(),
        form_version: held.kept.version,
        violations: violations.into_iter().map(violation).collect(),
        completeness,
        missing_fields: missing,
    }
}

/// Something to be added to a complaint.
#[derive(Clone, Debug)]
pub(crate) struct Further {
    /// Key of the request.
    pub(crate) request_id: String,
    /// Hash of the request.
    pub(crate) request_hash: [u8; 32],
    /// By what the complaint is named.
    pub(crate) reference: CaseReference,
    /// The complaint; nil until its receipt code was looked up.
    pub(crate) complaint: CaseId,
    /// Number of the source.
    pub(crate) source: i16,
    /// In their words.
    pub(crate) text: String,
    /// What is filled into the form; none when nothing is.
    pub(crate) patch: Option<Value>,
    /// Further proof.
    pub(crate) evidence: Vec<Evidence>,
}

impl Further {
    /// The attachments it refers to.
    pub(crate) fn attachments(&self) -> Vec<Uuid> {
        evidence::ids(&self.evidence)
    }

    /// Holds them against what is there; notes what is wrong with them.
    pub(crate) fn check_attachments(&mut self, found: &Attachments) -> Check {
        let mut check = Check::new();
        evidence::fill(
            &mut check,
            evidence::OF_ADDITION,
            &mut self.evidence,
            found,
            Owner::Known(self.complaint),
        );
        check
    }
}

/// Reads what is to be added.
pub(crate) fn further(request: AddInformationRequest) -> Result<Further, Fault> {
    let request_hash = pg::request_hash(&request);
    let AddInformationRequest {
        request_id,
        complaint_id,
        source,
        text,
        form_data,
        evidence,
        receipt_code,
        end_user,
    } = request;
    let mut check = Check::new();
    let request_id = check.request_id(request_id);
    let reference = CaseReference::read(&mut check, "complaint_id", &complaint_id, &receipt_code, end_user);
    let by = InformationSource::try_from(source).unwrap_or_default();
    let known = by != InformationSource::Unspecified;
    check.ensure(known, "source", "must be the complainant or staff");
    let theirs = !known || !reference.is_code() || by == InformationSource::Complainant;
    check.ensure(theirs, "source", "must be the complainant, who has the receipt code");
    let says_something = !text.trim().is_empty() || !form_data.is_empty() || !evidence.is_empty();
    check.ensure(
        says_something,
        "text",
        "is required unless the form is filled in further or evidence is brought",
    );
    let text = check.text("text", text, MAX_DESCRIPTION);
    let form_data = check.text("form_data", form_data, MAX_ANSWER);
    let patch = (!form_data.is_empty()).then(|| answer(&form_data)).transpose();
    let patch = patch.unwrap_or_else(|wrong| {
        check.fail("form_data", wrong);
        None
    });
    let evidence = evidence::checked(&mut check, evidence::OF_ADDITION, evidence);
    check.done(INVALID_INFORMATION)?;
    let source = i16::try_from(source).unwrap_or(0);
    let complaint = match &reference {
        CaseReference::Id(id) => *id,
        CaseReference::Code { .. } => CaseId(Uuid::nil()),
    };
    Ok(Further { request_id, request_hash, reference, complaint, source, text, patch, evidence })
}

const INVALID_INFORMATION: &str = "INVALID_INFORMATION";

/// What an addition makes wrong with the form, and what else is, told as a refusal.
pub(crate) fn refused(mut check: Check, violations: Vec<Violation>) -> Result<(), Fault> {
    note(&mut check, "form_data", violations);
    check.done(INVALID_INFORMATION)
}

/// Evidence as it is stored.
pub(crate) fn stored(further: &[Evidence]) -> Vec<u8> {
    evidence::stored(further)
}

/// That no form serves the complaint's category.
pub(crate) fn no_form() -> Violation {
    Violation { field: String::new(), what: "there is no form for this complaint".to_owned() }
}

/// Reads whose additions are wanted.
pub(crate) fn information(request: &GetInformationRequest) -> Result<CaseId, Fault> {
    let mut check = Check::new();
    let id = check.id("complaint_id", &request.complaint_id);
    check.done("INVALID_COMPLAINT_ID")?;
    Ok(id)
}

/// A form as callers see it.
pub(crate) fn form(kept: KeptForm) -> WireForm {
    let KeptForm { category, version, title, schema, creator, created } = kept;
    WireForm { category, version, title, schema, create_time: Some(timestamp(created)), creator }
}

/// An addition as callers see it.
pub(crate) fn addition(addition: Addition) -> WireAddition {
    let Addition { ordinal, source, author, added, text, form_data, evidence } = addition;
    WireAddition {
        ordinal,
        source: source.into(),
        author,
        add_time: Some(timestamp(added)),
        text,
        form_data: form_data.unwrap_or_default(),
        evidence: evidence::restored(&evidence),
    }
}
