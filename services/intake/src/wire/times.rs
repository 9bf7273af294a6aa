//! Which times a submission may state: none that has not come yet, none that is
//! absurdly long ago.

use fault::Check;
use jiff::{SignedDuration, Timestamp};
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{Complaint, History, HistoryOutcome};

use super::{MAX_DESCRIPTION, chat, phone};

/// How far a submitter's clock may be ahead of ours.
pub(crate) const MAX_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// How long ago an open complaint may have been received: about three years.
pub(crate) const MAX_AGE: SignedDuration = SignedDuration::from_hours(24 * 1_097);
/// How long ago one may have been that ended elsewhere: about fifty years.
pub(crate) const MAX_HISTORY_AGE: SignedDuration = SignedDuration::from_hours(24 * 18_264);
/// What is complained about did not happen before 1900.
pub(super) const EARLIEST: Timestamp = Timestamp::constant(-2_208_988_800, 0);

pub(super) const AHEAD: &str = "must not be in the future";
pub(super) const ABSURD: &str = "must not be before the year 1900";

/// What is wrong only because things are as they now are: it is late, or no menu is in force
/// that says the language. A submission that was answered once is answered so again.
pub(crate) type Late = Vec<(&'static str, &'static str)>;

/// Checks the times of a submission; answers what is too long ago by now.
pub(super) fn checked(check: &mut Check, complaint: &Complaint, now: Timestamp) -> Late {
    let mut late = Late::new();
    let is_ahead = |time: Timestamp| time.duration_since(now) > MAX_SKEW;
    if let Some(occurred) = check.time("complaint.occur_time", complaint.occur_time) {
        check.ensure(!is_ahead(occurred), "complaint.occur_time", AHEAD);
        check.ensure(occurred >= EARLIEST, "complaint.occur_time", ABSURD);
    }
    let (limit, too_old) = match complaint.history {
        None => (MAX_AGE, "must not be more than 3 years ago"),
        Some(_) => (MAX_HISTORY_AGE, "must not be more than 50 years ago"),
    };
    let mut bounded = |check: &mut Check, field: &'static str, time: Option<prost_types::Timestamp>| {
        let time = check.time(field, time)?;
        check.ensure(!is_ahead(time), field, AHEAD);
        check.ensure(time >= EARLIEST, field, ABSURD);
        if time >= EARLIEST && now.duration_since(time) > limit {
            late.push((field, too_old));
        }
        Some(time)
    };
    let received = bounded(check, "complaint.receive_time", complaint.receive_time);
    match &complaint.channel_detail {
        Some(ChannelDetail::Regulator(detail)) => {
            bounded(check, "complaint.regulator.forward_time", detail.forward_time);
        }
        Some(ChannelDetail::Phone(detail)) => phone::check_times(check, detail, now),
        Some(ChannelDetail::Chat(detail)) => chat::check_times(check, detail, now),
        Some(ChannelDetail::Social(_)) | None => {}
    }
    if let Some(ChannelDetail::Social(detail)) = &complaint.channel_detail
        && let Some(posted) = check.time("complaint.social.post_time", detail.post_time)
    {
        check.ensure(!is_ahead(posted), "complaint.social.post_time", AHEAD);
        check.ensure(posted >= EARLIEST, "complaint.social.post_time", ABSURD);
    }
    if let Some(history) = &complaint.history {
        history_checked(check, history, received, now);
    }
    late
}

fn history_checked(check: &mut Check, history: &History, received: Option<Timestamp>, now: Timestamp) {
    const CLOSED: &str = "complaint.history.close_time";
    const RESOLVED: &str = "complaint.history.resolve_time";
    let known = HistoryOutcome::try_from(history.outcome).is_ok();
    check.ensure(known, "complaint.history.outcome", "must be one of the outcomes");
    check.text("complaint.history.reasons", history.reasons.clone(), MAX_DESCRIPTION);
    check.ensure(received.is_some(), "complaint.receive_time", "is required with history");
    check.ensure(history.close_time.is_some(), CLOSED, "is required");
    let closed = check.time(CLOSED, history.close_time);
    let resolved = check.time(RESOLVED, history.resolve_time);
    check.ensure(closed.is_none_or(|closed| closed <= now), CLOSED, AHEAD);
    for (field, time) in [(CLOSED, closed), (RESOLVED, resolved)] {
        let before = received.zip(time).is_some_and(|(received, time)| time < received);
        check.ensure(!before, field, "must not be before receive_time");
    }
    let after = resolved.zip(closed).is_some_and(|(resolved, closed)| resolved > closed);
    check.ensure(!after, RESOLVED, "must not be after close_time");
}
