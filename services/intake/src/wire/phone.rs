//! Proto ⇄ domain: what a telephone system knows of a call, and what its menu fills in.

use std::time::Duration;

use fault::Check;
use jiff::Timestamp;
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{Complaint, IvrResolution, Matter, PhoneDetail};
use url::Url;

use super::times::{ABSURD, AHEAD, EARLIEST, MAX_SKEW};
use super::{MAX_DESCRIPTION, MAX_PHONE, MAX_SUBJECT, MAX_WORD, Reading, checked_uri, moment};
use crate::ivr_menu::{self, Held, Resolution};

/// Longest that somebody may have waited.
const MAX_WAIT: Duration = Duration::from_hours(24);

/// The field that says until when the number of an intermediary leads to them.
const EXPIRE: &str = "complaint.phone.masked_number_expire_time";

/// The call that a complaint came by, if it came by one.
pub(super) fn of(complaint: &Complaint) -> Option<&PhoneDetail> {
    match &complaint.channel_detail {
        Some(ChannelDetail::Phone(detail)) => Some(detail),
        _ => None,
    }
}

/// Whether a complaint is a call nobody took.
pub(super) fn is_missed(complaint: &Complaint) -> bool {
    of(complaint).is_some_and(|phone| phone.missed_call)
}

/// Whether it has keys that were pressed.
pub(super) fn has_keys(complaint: &Complaint) -> bool {
    of(complaint).is_some_and(|phone| !phone.ivr_keys.trim().is_empty())
}

/// Checks what a telephone system knows, but for its times.
pub(super) fn checked(check: &mut Check, detail: PhoneDetail) -> PhoneDetail {
    let PhoneDetail {
        ivr_result,
        ivr_keys,
        recording_uri,
        masked_number,
        masked_number_expire_time,
        missed_call,
        call_time,
        wait,
        ivr_labels: _, // output only, as is what follows
        ivr_menu_version: _,
        call_back_requested: _,
    } = detail;
    let uri = "complaint.phone.recording_uri";
    let recording_uri =
        if recording_uri.is_empty() { recording_uri } else { checked_uri(check, uri, recording_uri) };
    let bears_a_user =
        Url::parse(&recording_uri).is_ok_and(|url| !url.username().is_empty() || url.password().is_some());
    check.ensure(!bears_a_user, uri, "must not bear a user or password");
    let masked_number = check.text("complaint.phone.masked_number", masked_number, MAX_PHONE);
    let is_masked = !masked_number.trim().is_empty();
    check.ensure(!is_masked || masked_number_expire_time.is_some(), EXPIRE, "is required with masked_number");
    check.ensure(is_masked || masked_number_expire_time.is_none(), EXPIRE, "needs a masked_number");
    check.time(EXPIRE, masked_number_expire_time);
    check.duration("complaint.phone.wait", wait, Duration::ZERO..=MAX_WAIT, "0 s to 24 h");
    PhoneDetail {
        ivr_result: check.text("complaint.phone.ivr_result", ivr_result, MAX_WORD),
        ivr_keys: check.text("complaint.phone.ivr_keys", ivr_keys, MAX_WORD),
        recording_uri,
        masked_number,
        masked_number_expire_time,
        missed_call,
        call_time,
        wait,
        ..PhoneDetail::default()
    }
}

/// Checks that somebody can be called who says nothing: without either there is nothing to
/// handle.
pub(super) fn check_reachable(check: &mut Check, complaint: &Complaint) {
    let Some(phone) = of(complaint) else { return };
    let is_silent = phone.missed_call && complaint.description.trim().is_empty();
    let has_number = own_number(complaint).is_some() || !phone.masked_number.trim().is_empty();
    check.ensure(
        !is_silent || has_number,
        "complaint.phone.missed_call",
        "needs complainant.phone or masked_number: there is nobody to call back",
    );
}

/// Checks when the call came in.
pub(super) fn check_times(check: &mut Check, detail: &PhoneDetail, now: Timestamp) {
    const CALLED: &str = "complaint.phone.call_time";
    if let Some(called) = check.time(CALLED, detail.call_time) {
        check.ensure(called.duration_since(now) <= MAX_SKEW, CALLED, AHEAD);
        check.ensure(called >= EARLIEST, CALLED, ABSURD);
    }
}

fn own_number(complaint: &Complaint) -> Option<&str> {
    let complainant = complaint.complainant.as_ref()?;
    Some(complainant.phone.trim()).filter(|phone| !phone.is_empty())
}

impl Reading {
    /// Whether it has keys to be looked up in a menu.
    pub(crate) fn has_keys(&self) -> bool {
        has_keys(&self.submission.complaint)
    }

    /// Fills in what a call leaves open: by the menu in force, as far as that knows its
    /// keys, and by what a missed call is. Nothing of it refuses a complaint.
    pub(crate) fn fill_call(&mut self, menu: Option<&Held>) {
        let complaint = &mut self.submission.complaint;
        let Some(phone) = of(complaint) else { return };
        let (keys, missed) = (phone.ivr_keys.clone(), phone.missed_call);
        let menu = menu.filter(|_| !keys.trim().is_empty());
        let language = complaint.language.clone();
        let found = menu.map(|menu| menu.tree.resolve(&keys, &language)).unwrap_or_default();
        let mut filled = Vec::new();
        fill(&mut filled, "language", &mut complaint.language, || found.language.clone());
        fill(&mut filled, "category_hint", &mut complaint.category_hint, || found.category_hint.clone());
        if complaint.matter == i32::from(Matter::Unspecified) && found.matter != 0 {
            complaint.matter = found.matter;
            filled.push("matter".to_owned());
        }
        if missed {
            let language = complaint.language.clone();
            let said = |most| ivr_menu::missed_call(&found.labels, &language, most);
            fill(&mut filled, "subject", &mut complaint.subject, || said(MAX_SUBJECT));
            fill(&mut filled, "description", &mut complaint.description, || said(MAX_DESCRIPTION));
        }
        let owed = is_owed(complaint, missed || found.call_back, self.now);
        if let Some(ChannelDetail::Phone(phone)) = &mut complaint.channel_detail {
            let labels = || ivr_menu::joined(&found.labels, MAX_WORD);
            fill(&mut filled, "phone.ivr_result", &mut phone.ivr_result, labels);
            phone.ivr_labels = found.labels;
            phone.ivr_menu_version = menu.map_or(0, |menu| menu.version);
            phone.call_back_requested = owed;
        }
        complaint.filled_fields = filled;
    }
}

/// Whether a call-back is owed: it is asked for, there is a number that leads somewhere, and
/// the complaint is not over.
fn is_owed(complaint: &Complaint, asked: bool, now: Timestamp) -> bool {
    let masked = of(complaint).filter(|phone| !phone.masked_number.trim().is_empty());
    let expires = masked.and_then(|phone| phone.masked_number_expire_time).and_then(moment);
    let has_number = own_number(complaint).is_some() || expires.is_some_and(|expires| expires > now);
    asked && has_number && complaint.history.is_none()
}

fn fill(filled: &mut Vec<String>, name: &str, field: &mut String, with: impl FnOnce() -> String) {
    if !field.trim().is_empty() {
        return;
    }
    let with = with();
    if !with.is_empty() {
        *field = with;
        filled.push(name.to_owned());
    }
}

/// What keys come to, as callers see it.
pub(super) fn resolution(keys: String, found: Resolution) -> IvrResolution {
    let Resolution { known, labels, category_hint, matter, language, call_back } = found;
    IvrResolution {
        keys,
        known_keys: known,
        labels,
        category_hint,
        matter,
        language,
        call_back,
        ..IvrResolution::default()
    }
}
