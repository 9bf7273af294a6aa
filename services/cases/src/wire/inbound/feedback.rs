//! Contract → domain: events of feedback.

use fault::{Check, Fault};
use proto::redress::feedback::v1::{
    ContactCorrected, FeedbackReceived, NoticeBounced, NoticeMeans, NoticeSettled, NoticeState, Response,
};
use vocabulary::NoticeKind;

use super::{IntoExternalEvent, by, unreadable};
use crate::external_event::{Event, ExternalEvent};
use crate::timeline::Mail;

impl IntoExternalEvent for FeedbackReceived {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let event = match self.response() {
            Response::Accepted => Event::Accepts { comment: self.comment },
            Response::Disputed => Event::Disputes { comment: self.comment },
            Response::Unspecified => return Err(unreadable("response")),
        };
        by("feedback", self.cycle, event)
    }
}

impl IntoExternalEvent for NoticeSettled {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let kind = NoticeKind::of(self.kind).ok_or_else(|| unreadable("kind"))?;
        let mut check = Check::new();
        let told = check.time("tell_time", self.tell_time);
        // Of before sendings were counted: nothing of that comes back.
        let is_mail = self.sending_means() == NoticeMeans::Email && self.sending_number > 0;
        let mail = is_mail
            .then(|| Mail { notice: check.id("notice_id", &self.notice_id), sending: self.sending_number });
        check.done("INVALID_EVENT")?;
        if let Some(told) = told {
            let by = told_by(self.means()).to_owned();
            let event = Event::NoticeRecorded { kind, by, told };
            return Ok(ExternalEvent { cycle: self.cycle, actor: self.recorder, event });
        }
        let failure = match self.state() {
            NoticeState::Delivered => None,
            NoticeState::Undelivered => Some(public_cause(self.detail)),
            NoticeState::Pending | NoticeState::Unspecified => return Err(unreadable("state")),
        };
        by("feedback", self.cycle, Event::NoticeSettled { kind, failure, mail })
    }
}

impl IntoExternalEvent for NoticeBounced {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, cycle, notice_id, kind, sending_number: sending, status } = self;
        let kind = NoticeKind::of(kind).ok_or_else(|| unreadable("kind"))?;
        let mut check = Check::new();
        let notice = check.id("notice_id", &notice_id);
        check.done("INVALID_EVENT")?;
        by("feedback", cycle, Event::NoticeBounced { kind, mail: Mail { notice, sending }, status })
    }
}

/// By which means somebody was told, in words.
fn told_by(means: NoticeMeans) -> &'static str {
    match means {
        NoticeMeans::Letter => "by letter",
        NoticeMeans::Telephone => "by telephone",
        NoticeMeans::InPerson => "in person",
        NoticeMeans::Message | NoticeMeans::Sms | NoticeMeans::Webhook => "by a message",
        NoticeMeans::Email | NoticeMeans::Unspecified => "by e-mail",
    }
}

impl IntoExternalEvent for ContactCorrected {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, version: _, actor, reason } = self;
        Ok(ExternalEvent { cycle: 0, actor, event: Event::ContactCorrected { reason } })
    }
}

/// Why a notice was not delivered, for anyone to read: our own codes as they are;
/// what a foreign server says may contain the address.
fn public_cause(detail: String) -> String {
    let is_code = detail.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') && !detail.is_empty();
    if is_code { detail } else { "refused by the receiving server".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_leaks_into_the_public_timeline() {
        assert_eq!(public_cause("NO_ADDRESS".to_owned()), "NO_ADDRESS");
        let answer = "550 5.1.1 <ann@example.org> user unknown".to_owned();
        assert_eq!(public_cause(answer), "refused by the receiving server");
    }
}
