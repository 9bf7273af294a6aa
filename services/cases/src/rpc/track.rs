//! `TrackComplaint`: the public progress, for whoever has the receipt code.

use fault::Fault;
use kernel::Caller;
use kernel::receipt::ReceiptCode;
use pg::{Db, Tx};
use proto::redress::cases::v1::{TrackComplaintRequest, TrackComplaintResponse};
use server::{CodeRateLimit, LimitKey};

use crate::case::Case;
use crate::refusal::Refusal;
use crate::timeline::{Entry, Kind};
use crate::{store, wire};

/// Most public entries shown: the latest.
const MAX_ENTRIES: i64 = 100;

/// Reads what the public may know. A code that is misspelt, unknown or another
/// tenant's is the same refusal; unless misspelt it counts as a guess.
pub(crate) async fn progress(
    db: &Db,
    receipt_rate_limit: &CodeRateLimit,
    caller: &Caller,
    request: TrackComplaintRequest,
) -> Result<TrackComplaintResponse, Fault> {
    let TrackComplaintRequest { receipt_code, end_user } = request;
    let code = ReceiptCode::parse(&receipt_code).ok_or(Refusal::ReceiptCodeUnknown)?;
    if let Some(progress) = read(db, caller, code.hash()).await? {
        return Ok(progress);
    }
    match receipt_rate_limit.count(LimitKey::new(caller, &end_user), db.clock().now()) {
        None => Err(Refusal::ReceiptCodeUnknown.into()),
        Some(wait) => Err(Fault::from(Refusal::TooManyGuesses).retry_after(wait)),
    }
}

/// The case that stands for a merged one, and whether it is of other people.
async fn stands_for(tx: &mut Tx, case: &Case) -> Result<Option<(Case, bool)>, Fault> {
    if case.merged.is_none() {
        return Ok(None);
    }
    let Some((id, across)) = store::merges::survivor(tx, case.id).await? else { return Ok(None) };
    Ok(store::get(tx, id).await?.map(|survivor| (survivor, across)))
}

/// What is public of the case that stands for one. Of a case of other people it is that
/// it was taken up and closed: what is said to one of them is not for the others.
async fn told_of(tx: &mut Tx, survivor: &Case, across: bool) -> Result<Vec<Entry>, Fault> {
    let mut entries = store::timeline::latest_public(tx, survivor.id, MAX_ENTRIES).await?;
    entries.retain(|entry| !across || matches!(entry.kind, Kind::Accepted | Kind::Closed));
    Ok(entries)
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
        let mut entries = store::timeline::latest_public(&mut tx, case.id, MAX_ENTRIES).await?;
        let received = case.origin.receive_time;
        let Some((survivor, across)) = stands_for(&mut tx, &case).await? else {
            return Ok((tx, Some(wire::progress(&case, received, entries))));
        };
        entries.extend(told_of(&mut tx, &survivor, across).await?);
        entries.sort_by_key(|entry| entry.time);
        let most = usize::try_from(MAX_ENTRIES).unwrap_or(usize::MAX);
        entries.drain(..entries.len().saturating_sub(most));
        Ok((tx, Some(wire::progress(&survivor, received, entries))))
    })
    .await
}
