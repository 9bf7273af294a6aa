//! Whom notices go to.

use fault::Fault;
use pg::Db;
use proto::redress::feedback::v1::{
    CorrectContactRequest, CorrectContactResponse, GetContactRequest, GetContactResponse,
};
use tonic::{Request, Response, Status};

use crate::notice::{Correction, MAX_CORRECTIONS};
use crate::refusal::Refusal;
use crate::{store, wire};

/// Reads whom the notices of a case go to.
pub(super) async fn get(
    db: &Db,
    request: Request<GetContactRequest>,
) -> Result<Response<GetContactResponse>, Status> {
    let caller = server::caller(&request)?;
    let case_id = wire::contact_of(request.into_inner())?;
    let contact = db
        .transact("contact.get", &caller.tenant, async move |mut tx| {
            let contact = store::contact(&mut tx, case_id).await?.ok_or(Refusal::ContactNotFound)?;
            let corrections = store::corrections(&mut tx, case_id).await?;
            Ok((tx, wire::contact_view(contact, corrections)))
        })
        .await?;
    Ok(Response::new(GetContactResponse { contact: Some(contact) }))
}

/// Corrects whom the notices of a case go to.
pub(super) async fn correct(
    db: &Db,
    request: Request<CorrectContactRequest>,
) -> Result<Response<CorrectContactResponse>, Status> {
    let (context, request) = server::mutation(request)?;
    let wanted = wire::correction(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let before =
                store::lock_contact(&mut tx, wanted.case_id).await?.ok_or(Refusal::ContactNotFound)?;
            if wanted.version.is_some_and(|seen| seen != before.version) {
                return Err(Fault::version_mismatch(before.version));
            }
            if before.version > MAX_CORRECTIONS {
                return Err(Refusal::TooManyCorrections.into());
            }
            let contact = wanted.apply(&before);
            let correction = Correction {
                version: contact.version,
                recipient: before.recipient,
                phone: before.phone,
                name: before.name,
                language: before.language,
                actor: caller.subject.to_string(),
                reason: wanted.reason,
                corrected: tx.now(),
            };
            store::correct(&mut tx, &contact, &correction).await?;
            tx.join_trace(&contact.traceparent);
            tx.emit(contact.case_id.0, &wire::corrected(&contact, &caller.subject, &correction.reason));
            let corrections = store::corrections(&mut tx, contact.case_id).await?;
            let contact = Some(wire::contact_view(contact, corrections));
            Ok((tx, CorrectContactResponse { contact }))
        })
        .await?;
    Ok(server::reply(done))
}
