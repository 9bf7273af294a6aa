//! A mail that arrived → the complaint it becomes.

use mail::Mail;
use proto::redress::intake::v1::{Channel, Complainant, Complaint};
use proto::timestamp;

use super::MAX_WORD;
use crate::inbound_mail::{
    InboundMail, MAX_ADDRESS, MAX_SUBJECT, cut, language, language_by_letters, text, words,
};
use crate::mailbox::Settings;

/// What stands where a mail has no subject, and no text to take it from.
const NO_SUBJECT: &str = "(no subject)";

/// The complaint a mail becomes, without its evidence.
pub(crate) fn complaint(
    mail: &Mail,
    kept: &InboundMail,
    settings: &Settings,
    automatic: bool,
) -> (Complaint, Vec<String>) {
    let mut remarks = Vec::new();
    let description = text(mail, &mut remarks);
    let subject = Some(cut(&mail.subject, MAX_SUBJECT)).filter(|subject| !subject.trim().is_empty());
    let first_line = || words(mail).lines().map(str::trim).find(|line| !line.is_empty());
    let subject = subject.or_else(|| first_line().map(|line| cut(line, MAX_SUBJECT)));
    let complaint = Complaint {
        channel: Channel::Email.into(),
        external_ref: external_ref(kept),
        complainant: complainant(mail),
        subject: subject.unwrap_or_else(|| NO_SUBJECT.to_owned()),
        language: language(mail, &description, settings),
        description,
        category_hint: settings.category_hint.clone(),
        automatic,
        receive_time: Some(timestamp(kept.received)),
        ..Complaint::default()
    };
    (complaint, remarks)
}

/// The complaint that a mail becomes which cannot be read here, by what somebody told that it says,
/// without its evidence.
pub(crate) fn told_complaint(kept: &InboundMail, settings: &Settings) -> Complaint {
    let text = kept.told_text.as_str();
    let first_line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(NO_SUBJECT);
    let subject = if kept.subject.trim().is_empty() { first_line } else { &kept.subject };
    let is_sender = is_address(&kept.sender);
    let complainant = Complainant {
        email: if is_sender { kept.sender.clone() } else { String::new() },
        ..Complainant::default()
    };
    Complaint {
        channel: Channel::Email.into(),
        external_ref: external_ref(kept),
        complainant: is_sender.then_some(complainant),
        subject: cut(subject, MAX_SUBJECT),
        language: language_by_letters(text, &settings.language),
        description: text.to_owned(),
        category_hint: settings.category_hint.clone(),
        receive_time: Some(timestamp(kept.received)),
        ..Complaint::default()
    }
}

/// The number of a mail, as its channel's.
fn external_ref(kept: &InboundMail) -> String {
    let has_room = kept.message_id.chars().count() <= MAX_WORD;
    if has_room { kept.message_id.clone() } else { String::new() }
}

/// Whether it is an address that answers can go to.
fn is_address(text: &str) -> bool {
    let is_one = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace)
    });
    is_one && text.len() <= MAX_ADDRESS
}

/// Who complains: whom an answer is to go to, if the mail says so.
fn complainant(mail: &Mail) -> Option<Complainant> {
    let from = mail.from.as_ref().or(mail.sender.as_ref());
    let answered = mail.reply_to.as_ref().or(from)?;
    let name = Some(&answered.name).filter(|name| !name.is_empty()).or(from.map(|from| &from.name));
    let address = answered.address.trim();
    Some(Complainant {
        display_name: name.map(|name| cut(name, MAX_WORD)).unwrap_or_default(),
        email: if is_address(address) { address.to_owned() } else { String::new() },
        ..Complainant::default()
    })
}
