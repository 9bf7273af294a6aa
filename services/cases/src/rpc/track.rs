//! `TrackComplaint`: the public progress, for whoever has the receipt code.

use fault::Fault;
use kernel::receipt::ReceiptCode;
use kernel::{Caller, CaseId};
use pg::{Db, Tx};
use proto::redress::cases::v1::{TrackComplaintRequest, TrackComplaintResponse};
use server::{CaseReference, CodeRateLimit};

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
    let (unknown, too_many) = (Refusal::ReceiptCodeUnknown, Refusal::TooManyGuesses);
    Err(receipt_rate_limit.wrong(caller, &end_user, unknown, too_many).await)
}

/// The case that a complainant withdraws: their own, or that of the same people which
/// stands for it.
pub(crate) async fn withdrawn(
    db: &Db,
    receipt_rate_limit: &CodeRateLimit,
    caller: &Caller,
    reference: CaseReference,
) -> Result<CaseId, Fault> {
    let find = async |tx: &mut Tx, hash| Ok(store::get_by_receipt(tx, hash).await?.map(|case| case.id));
    let wrong = (Refusal::ReceiptCodeUnknown, Refusal::TooManyGuesses);
    let id = receipt_rate_limit.case(caller, reference, find, wrong).await?;
    let survivor = db
        .transact("case.stands_for", &caller.tenant, async move |mut tx| {
            let survivor = store::merges::survivor(&mut tx, id).await?;
            Ok((tx, survivor))
        })
        .await?;
    match survivor {
        Some((_, true)) => Err(Refusal::StandsForOthers.into()),
        Some((survivor, false)) => Ok(survivor),
        None => Ok(id),
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
