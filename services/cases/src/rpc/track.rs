//! `TrackComplaint`: the public progress, for whoever has the receipt code.

use fault::Fault;
use kernel::Caller;
use kernel::receipt::ReceiptCode;
use pg::Db;
use proto::redress::cases::v1::{TrackComplaintRequest, TrackComplaintResponse};

use crate::guesses::{Guesser, Guesses};
use crate::refusal::Refusal;
use crate::{store, wire};

/// Most public entries shown: the latest.
const MAX_ENTRIES: i64 = 100;

/// Reads what the public may know. A code that is misspelt, unknown or another
/// tenant's is the same refusal; unless misspelt it counts as a guess.
pub(crate) async fn progress(
    db: &Db,
    guesses: &Guesses,
    caller: &Caller,
    request: TrackComplaintRequest,
) -> Result<TrackComplaintResponse, Fault> {
    let TrackComplaintRequest { receipt_code, end_user } = request;
    let code = ReceiptCode::parse(&receipt_code).ok_or(Refusal::ReceiptCodeUnknown)?;
    if let Some(progress) = read(db, caller, code.hash()).await? {
        return Ok(progress);
    }
    match guesses.count(Guesser::new(caller, &end_user), db.clock().now()) {
        None => Err(Refusal::ReceiptCodeUnknown.into()),
        Some(wait) => Err(Fault::from(Refusal::TooManyGuesses).retry_after(wait)),
    }
}

async fn read(
    db: &Db,
    caller: &Caller,
    receipt_hash: [u8; 32],
) -> Result<Option<TrackComplaintResponse>, Fault> {
    db.transact("case.track", &caller.tenant, async move |mut tx| {
        let Some(case) = store::get_by_receipt(&mut tx, receipt_hash).await? else {
            return Ok((tx, None));
        };
        let entries = store::timeline::latest_public(&mut tx, case.id, MAX_ENTRIES).await?;
        Ok((tx, Some(wire::progress(&case, entries))))
    })
    .await
}
