//! Notices and contacts: what is asked about them, and how they are shown.

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::{CaseId, NoticeId};
use proto::redress::feedback::v1 as wire;
use proto::timestamp;

use crate::bounce::{MAX_MESSAGE, Report};
use crate::notice::{Contact, Correction, MAX_DETAIL, Means, Notice, Record, Sending, State};

/// Reason of a record that is malformed.
const INVALID_RECORD: &str = "INVALID_RECORD";
/// Most characters of an e-mail address, as at intake.
const MAX_EMAIL: usize = 320;
/// Most characters of a telephone number, as at intake.
const MAX_PHONE: usize = 40;
/// Most characters of a name, as at intake.
const MAX_NAME: usize = 200;
/// Most characters of a language tag.
const MAX_LANGUAGE: usize = 35;
/// Most characters of a reason.
const MAX_REASON: usize = 500;

/// That a complainant was told by other means, as somebody wants it recorded.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) notice: NoticeId,
    pub(crate) means: Means,
    pub(crate) told: Timestamp,
    pub(crate) evidence: String,
}

impl Recorded {
    /// The record of a notice: nobody was told of it before it was owed.
    pub(crate) fn record(&self, notice: &Notice, recorder: &str) -> Result<Record, Fault> {
        let mut check = Check::new();
        check.ensure(self.told >= notice.created, "tell_time", "is before the notice was owed");
        check.done(INVALID_RECORD)?;
        Ok(Record { means: self.means, recorder: recorder.to_owned(), told: self.told })
    }
}

/// A notice to be sent again.
#[derive(Clone, Debug)]
pub(crate) struct Resent {
    pub(crate) notice: NoticeId,
    pub(crate) reason: String,
}

/// A contact to be corrected.
#[derive(Clone, Debug)]
pub(crate) struct Corrected {
    pub(crate) case_id: CaseId,
    pub(crate) version: Option<i64>,
    pub(crate) email: String,
    pub(crate) phone: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) reason: String,
}

impl Corrected {
    /// The contact as it is then.
    pub(crate) fn apply(&self, contact: &Contact) -> Contact {
        let kept = contact.clone();
        Contact {
            recipient: self.email.clone(),
            phone: self.phone.clone().unwrap_or_else(|| kept.phone.clone()),
            name: self.name.clone().unwrap_or(kept.name),
            language: self.language.clone().unwrap_or(kept.language),
            version: kept.version + 1,
            ..kept
        }
    }
}

pub(crate) fn record(request: wire::RecordNoticeRequest, now: Timestamp) -> Result<Recorded, Fault> {
    let wire::RecordNoticeRequest { request_id, notice_id, means, tell_time, evidence } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let notice = check.id("notice_id", &notice_id);
    let by_people = [Means::Letter, Means::Telephone, Means::InPerson, Means::Message];
    let means = Means::of(means).filter(|means| by_people.contains(means));
    check.ensure(means.is_some(), "means", "must be LETTER, TELEPHONE, IN_PERSON or MESSAGE");
    check.ensure(tell_time.is_some(), "tell_time", "is required");
    let told = check.time("tell_time", tell_time);
    check.ensure(told.is_none_or(|told| told <= now), "tell_time", "must not be ahead");
    let evidence = check.required("evidence", evidence, MAX_DETAIL);
    check.done(INVALID_RECORD)?;
    let (means, told) = (means.unwrap_or(Means::Letter), told.unwrap_or(now));
    Ok(Recorded { notice, means, told, evidence })
}

pub(crate) fn resend(request: wire::ResendNoticeRequest) -> Result<Resent, Fault> {
    let wire::ResendNoticeRequest { request_id, notice_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let notice = check.id("notice_id", &notice_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_RESEND")?;
    Ok(Resent { notice, reason })
}

/// What came back, as it was received.
#[derive(Clone, Debug)]
pub(crate) struct Returned {
    pub(crate) message: Vec<u8>,
    pub(crate) recipient: String,
}

pub(crate) fn returned(request: wire::ReportBounceRequest) -> Result<Returned, Fault> {
    let wire::ReportBounceRequest { request_id, message, recipient } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(!message.is_empty(), "message", "is required");
    check.ensure(message.len() <= MAX_MESSAGE, "message", "has more than 262144 bytes");
    let recipient = check.text("recipient", recipient, MAX_EMAIL);
    check.done("INVALID_BOUNCE")?;
    Ok(Returned { message, recipient })
}

pub(crate) fn delivery_report(report: Report) -> wire::DeliveryReport {
    let Report { sent, action, status, diagnostic, server, reported } = report;
    wire::DeliveryReport {
        sending_number: sent.sending,
        action: action.number().into(),
        status,
        diagnostic,
        reporting_server: server,
        report_time: Some(timestamp(reported)),
    }
}

pub(crate) fn bounced(notice: &Notice, report: &Report) -> wire::NoticeBounced {
    wire::NoticeBounced {
        case_id: notice.case_id.to_string(),
        cycle: notice.cycle,
        notice_id: notice.id.to_string(),
        kind: notice.kind.number().into(),
        sending_number: report.sent.sending,
        status: report.status.clone(),
    }
}

pub(crate) fn correction(request: wire::CorrectContactRequest) -> Result<Corrected, Fault> {
    let wire::CorrectContactRequest {
        request_id,
        case_id,
        expected_version: version,
        email,
        display_name,
        language,
        reason,
        phone,
    } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let case_id = check.id("case_id", &case_id);
    let email = check.text("email", email.trim().to_owned(), MAX_EMAIL);
    let is_address = email.is_empty() || email.parse::<lettre::Address>().is_ok();
    check.ensure(is_address, "email", "is not an e-mail address");
    let phone = phone.map(|phone| check.text("phone", phone.trim().to_owned(), MAX_PHONE));
    let name = display_name.map(|name| check.text("display_name", name, MAX_NAME));
    let language = language.map(|language| check.required("language", language, MAX_LANGUAGE));
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_CONTACT")?;
    Ok(Corrected { case_id, version, email, phone, name, language, reason })
}

pub(crate) fn contact_view(contact: Contact, corrections: Vec<Correction>) -> wire::Contact {
    let Contact { case_id, recipient, phone, name, language, version, .. } = contact;
    let correction = |correction: Correction| {
        let Correction { version, recipient, phone, name, language, actor, reason, corrected } = correction;
        wire::ContactCorrection {
            version,
            previous_email: recipient,
            previous_display_name: name,
            previous_language: language,
            actor,
            reason,
            correct_time: Some(timestamp(corrected)),
            previous_phone: phone,
        }
    };
    wire::Contact {
        case_id: case_id.to_string(),
        version,
        email: recipient,
        display_name: name,
        language,
        corrections: corrections.into_iter().map(correction).collect(),
        phone,
    }
}

pub(crate) fn corrected(contact: &Contact, actor: &str, reason: &str) -> wire::ContactCorrected {
    wire::ContactCorrected {
        case_id: contact.case_id.to_string(),
        version: contact.version,
        actor: actor.to_owned(),
        reason: reason.to_owned(),
    }
}

pub(crate) fn notice(notice: Notice, earlier: Vec<Sending>, reports: Vec<Report>) -> wire::Notice {
    let told_by = told_by(&notice);
    let Notice {
        id,
        case_id,
        cycle,
        kind,
        number: _,
        state,
        means,
        recipient,
        letter,
        evidence,
        failure_reason,
        attempts,
        traceparent: _,
        created,
        ended,
        due,
        sending: _,
        record,
        places: _,
    } = notice;
    wire::Notice {
        notice_id: id.to_string(),
        case_id: case_id.to_string(),
        cycle,
        kind: kind.number().into(),
        state: state.number().into(),
        language: letter.language,
        recipient,
        subject: letter.subject,
        body: letter.body,
        evidence,
        failure_reason,
        attempts,
        create_time: Some(timestamp(created)),
        end_time: ended.map(timestamp),
        means: told_by,
        tell_time: record.as_ref().map(|record| timestamp(record.told)),
        recorder: record.map(|record| record.recorder).unwrap_or_default(),
        next_attempt_time: due.map(timestamp),
        earlier_sendings: earlier.into_iter().map(earlier_sending).collect(),
        sending_means: means.number().into(),
        delivery_reports: reports.into_iter().map(delivery_report).collect(),
    }
}

/// By which means the complainant was told.
fn told_by(notice: &Notice) -> i32 {
    match (&notice.record, notice.state) {
        (Some(record), _) => record.means.number().into(),
        (None, State::Delivered) => notice.means.number().into(),
        (None, _) => 0,
    }
}

fn earlier_sending(sending: Sending) -> wire::EarlierSending {
    let Sending {
        notice: _,
        number,
        means,
        recipient,
        state,
        evidence,
        failure_reason,
        attempts,
        ended,
        requester,
        reason,
        resent,
    } = sending;
    wire::EarlierSending {
        number,
        recipient,
        state: state.number().into(),
        evidence,
        failure_reason,
        attempts,
        end_time: ended.map(timestamp),
        requester,
        reason,
        resend_time: Some(timestamp(resent)),
        means: means.number().into(),
    }
}

pub(crate) fn settled(notice: &Notice) -> wire::NoticeSettled {
    let record = notice.record.as_ref();
    wire::NoticeSettled {
        case_id: notice.case_id.to_string(),
        cycle: notice.cycle,
        notice_id: notice.id.to_string(),
        kind: notice.kind.number().into(),
        state: notice.state.number().into(),
        detail: notice.detail().to_owned(),
        means: told_by(notice),
        recorder: record.map(|record| record.recorder.clone()).unwrap_or_default(),
        tell_time: record.map(|record| timestamp(record.told)),
        sending_means: notice.means.number().into(),
        sending_number: notice.sending,
    }
}
