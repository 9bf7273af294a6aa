//! Registers what arrived by itself, a mail or a post, under a key made of what it is: it becomes
//! that once, however often it is tried.

use std::sync::Arc;

use fault::{Fault, Refusal as _};
use kernel::role::Roles;
use kernel::{Caller, CaseId, Lane, Role, TenantId};
use pg::{Db, MutationContext, Tx};
use proto::redress::intake::v1::{
    AddInformationRequest, AddInformationResponse, Complaint, SubmitComplaintRequest,
};

use super::additions::Additions;
use super::submissions::Submissions;
use crate::refusal::Refusal;
use crate::store;
use crate::wire::forms as wire;

/// Registers.
pub(crate) struct Registering {
    /// Where what is registered is known.
    pub(crate) db: Db,
    /// Registers complaints.
    pub(crate) submissions: Arc<Submissions>,
    /// Adds to them.
    pub(crate) additions: Arc<Additions>,
}

/// What something became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registered {
    /// A complaint.
    Complaint(CaseId),
    /// Information on one.
    Addition(CaseId),
}

impl Registering {
    /// What a key stands for already, where who took it died before that was noted.
    pub(crate) async fn known(
        &self,
        name: &'static str,
        tenant: &TenantId,
        request_id: String,
    ) -> Result<Option<Registered>, Fault> {
        let read = self.db.transact(name, tenant, async move |mut tx| {
            let added = store::additions::by_key(&mut tx, &request_id).await?;
            let registered = store::by_request(&mut tx, &request_id).await?;
            Ok((tx, (added, registered)))
        });
        let (added, registered) = read.await?;
        let added = added.map(|(id, ..)| Registered::Addition(CaseId(id)));
        Ok(added.or(registered.map(Registered::Complaint)))
    }

    /// Adds to a complaint.
    pub(crate) async fn add(&self, caller: Caller, request: AddInformationRequest) -> Result<(), Fault> {
        let context = MutationContext::new(caller, &request);
        let further = wire::further(request)?;
        let add = async |tx: Tx, caller| -> Result<(Tx, AddInformationResponse), Fault> {
            self.additions.add(tx, &caller, further).await
        };
        self.db.mutate(context, add).await.map(|_| ())
    }

    /// Registers a complaint; without its number where that is another's of its channel, which is
    /// told before.
    pub(crate) async fn register(
        &self,
        caller: &Caller,
        request_id: String,
        complaint: Complaint,
        number_is_taken: impl FnOnce() + Send,
    ) -> Result<CaseId, Fault> {
        match self.submit(caller, request_id.clone(), complaint.clone()).await {
            Err(fault) if fault.reason() == Refusal::ExternalRefReused.reason() => {
                number_is_taken();
                let other = Complaint { external_ref: String::new(), ..complaint };
                self.submit(caller, request_id, other).await
            }
            submitted => submitted,
        }
    }

    async fn submit(
        &self,
        caller: &Caller,
        request_id: String,
        complaint: Complaint,
    ) -> Result<CaseId, Fault> {
        let request = SubmitComplaintRequest { request_id, complaint: Some(complaint) };
        let (done, _) = Box::pin(self.submissions.submit(caller, Lane::Live, request)).await?;
        done.answer.complaint_id.parse().map(CaseId).map_err(Fault::internal)
    }
}

/// What is wrong with what was refused, in words; the fault itself where it may be otherwise the
/// next time, and is to be tried again.
pub(crate) fn refused(fault: Fault) -> Result<Vec<String>, Fault> {
    if !work_queue::is_final(&fault) {
        return Err(fault);
    }
    if fault.violations().is_empty() {
        return Ok(vec![fault.message().to_owned()]);
    }
    Ok(fault.violations().iter().map(|one| format!("{} {}", one.field, one.description)).collect())
}

/// Who registers: who said that it is to be, or the machine that reads what arrives.
pub(crate) fn caller(tenant: &TenantId, registrar: &str, reader: String) -> Caller {
    let subject = if registrar.is_empty() { reader } else { registrar.to_owned() };
    Caller { tenant: tenant.clone(), subject: subject.into(), roles: Roles::one(Role::Channel) }
}
