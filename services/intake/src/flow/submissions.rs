//! Submissions are checked against what is there, and registered through the queue.

use std::sync::Arc;

use fault::Fault;
use kernel::receipt::{ReceiptCode, ReceiptKey};
use kernel::{Caller, CaseId, Lane, Role, TenantId};
use pg::{Db, Done};
use proto::redress::intake::v1::{SubmitComplaintRequest, SubmitComplaintResponse};
use server::Length;
use uuid::Uuid;

use super::forms::Forms;
use super::ivr_menus::IvrMenus;
use super::mailboxes::tokens;
use super::submission_queue::SubmissionQueue;
use crate::complaint::{NewComplaint, Registered};
use crate::form::FormCheck;
use crate::{store, wire};

/// Registers submissions.
pub(crate) struct Submissions {
    db: Db,
    queue: Arc<SubmissionQueue>,
    forms: Arc<Forms>,
    menus: Arc<IvrMenus>,
}

impl Submissions {
    /// Registers in a schema, through a queue.
    pub(crate) fn new(db: Db, queue: Arc<SubmissionQueue>, forms: Arc<Forms>, menus: Arc<IvrMenus>) -> Self {
        Self { db, queue, forms, menus }
    }

    /// Gives a checked submission its id, time and receipt.
    fn new_complaint(
        &self,
        (caller, lane): (&Caller, Lane),
        key: &ReceiptKey,
        submission: wire::Submission,
    ) -> Result<NewComplaint, Fault> {
        let now = self.db.clock().now();
        let id = CaseId(self.db.ids().id(now));
        let signs = wire::Signs {
            receipt_hash: ReceiptCode::derive(key, id.0).hash(),
            mail_token: tokens::token(key, &caller.tenant, id)?,
        };
        Ok(wire::new_complaint(submission, (caller, lane), id, now, signs))
    }

    /// Registers a submission; answers also whether it was registered before.
    pub(crate) async fn submit(
        &self,
        caller: &Caller,
        lane: Lane,
        request: SubmitComplaintRequest,
    ) -> Result<(Answer, bool), Fault> {
        let mut reading = wire::submission(request, self.db.clock().now());
        if reading.is_history() {
            server::bearing(caller, Role::Admin, "complaints that ended before they came here")?;
        }
        let menu = if reading.has_keys() { self.menus.in_force(&caller.tenant).await? } else { None };
        reading.fill(menu.as_ref());
        // What was answered before is answered so again, whatever the form now asks and
        // however long ago it was received.
        if let Some(category) = reading.form_wanted() {
            let form = self.forms.for_submission(&caller.tenant, reading.request_id(), category).await?;
            reading = checked_by(reading, form, &caller.tenant).await?;
        }
        let attachments = reading.attachments();
        if !attachments.is_empty() {
            let (answered, found) = self.referred(caller, reading.request_id(), &attachments).await?;
            reading.check_attachments(&found, answered);
        }
        if reading.is_late() && !self.is_answered(caller, reading.request_id()).await? {
            reading.refuse_late();
        }
        let submission = reading.done()?;
        let key = self.queue.key().await?;
        let complaint = self.new_complaint((caller, lane), key, submission)?;
        let id = complaint.id;
        let registered = self.queue.register(complaint).await?;
        Ok((answer(key, registered), registered.id != id))
    }

    /// The attachments that a submission refers to, and whether it was answered before.
    async fn referred(
        &self,
        caller: &Caller,
        request_id: &str,
        ids: &[Uuid],
    ) -> Result<(bool, wire::evidence::Attachments), Fault> {
        self.db
            .transact("intake.attachments", &caller.tenant, async move |mut tx| {
                let answered = store::is_answered(&mut tx, request_id).await?;
                let found = store::attachments::find(&mut tx, ids).await?;
                Ok((tx, (answered, found.into_iter().map(|one| (one.id, one)).collect())))
            })
            .await
    }

    async fn is_answered(&self, caller: &Caller, request_id: &str) -> Result<bool, Fault> {
        self.db
            .transact("intake.answered", &caller.tenant, async move |mut tx| {
                let answered = store::is_answered(&mut tx, request_id).await?;
                Ok((tx, answered))
            })
            .await
    }
}

/// Checks what was filled in: beside the calls where that may take long.
async fn checked_by(
    mut reading: wire::Reading,
    form: FormCheck,
    tenant: &TenantId,
) -> Result<wire::Reading, Fault> {
    let is_heavy = reading.is_heavy_for(&form);
    let check = move || {
        reading.check_form(form);
        reading
    };
    if is_heavy { server::blocking(tenant, Length::Quick, "form.check", check).await } else { Ok(check()) }
}

pub(crate) type Answer = Done<SubmitComplaintResponse>;

fn answer(key: &ReceiptKey, registered: Registered) -> Answer {
    let receipt = ReceiptCode::derive(key, registered.id.0);
    Done {
        answer: wire::registered(&registered, &receipt),
        source: crate::SERVICE.name,
        position: registered.position,
        lane: registered.lane,
    }
}
