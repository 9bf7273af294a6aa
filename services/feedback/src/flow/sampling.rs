//! Samples are drawn as their cases come, month by month and stratum by stratum, one after
//! the other: who draws holds how far they are.

use fault::Fault;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::CaseId;
use pg::Tx;

use crate::sample::{Draw, ticket};
use crate::{store, working_hours};

/// A case that may be drawn.
pub(crate) struct Candidate {
    pub(crate) case_id: CaseId,
    /// Year and month, as `2026-11`.
    pub(crate) month: String,
    /// What it is drawn from.
    pub(crate) stratum: String,
}

/// Draws among cases, in the order they are given; answers the draw of each.
pub(crate) async fn draw(
    tx: &mut Tx,
    seed: &str,
    percent: i16,
    candidates: Vec<Candidate>,
) -> Result<Vec<Draw>, Fault> {
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let key = |one: &Candidate| (one.month.clone(), one.stratum.clone());
    let keys: Vec<(String, String)> = candidates.iter().map(key).collect();
    let mut strata = store::hold_strata(tx, &keys).await?;
    let mut draws = Vec::new();
    for (Candidate { case_id, month, stratum }, key) in candidates.into_iter().zip(keys) {
        let (owed_before, drawn_before) = strata.get(&key).copied().unwrap_or_default();
        let draw = Draw { month, stratum, owed_before, drawn_before, ticket: ticket(seed, case_id), percent };
        strata.insert(key, (owed_before + i64::from(percent), drawn_before + i64::from(draw.is_drawn())));
        draws.push(draw);
    }
    store::save_strata(tx, &strata).await?;
    Ok(draws)
}

/// The month it is in a zone.
pub(crate) fn month(now: Timestamp, zone: &str) -> String {
    let zone = calendar::zones::get(working_hours::known(zone)).unwrap_or(TimeZone::UTC);
    now.to_zoned(zone).strftime("%Y-%m").to_string()
}
