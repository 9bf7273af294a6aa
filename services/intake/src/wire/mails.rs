//! A mail that arrived → the complaint it becomes.

use mail::Mail;
use proto::redress::intake::v1::{Channel, Complainant, Complaint};
use proto::timestamp;

use super::MAX_WORD;
use crate::inbound_mail::{InboundMail, MAX_ADDRESS, MAX_SUBJECT, cut, language, text, words};
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
    let external_ref = kept.message_id.as_str();
    let has_room = external_ref.chars().count() <= MAX_WORD;
    let complaint = Complaint {
        channel: Channel::Email.into(),
        external_ref: if has_room { external_ref.to_owned() } else { String::new() },
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

/// Who complains: whom an answer is to go to, if the mail says so.
fn complainant(mail: &Mail) -> Option<Complainant> {
    let from = mail.from.as_ref().or(mail.sender.as_ref());
    let answered = mail.reply_to.as_ref().or(from)?;
    let name = Some(&answered.name).filter(|name| !name.is_empty()).or(from.map(|from| &from.name));
    let address = answered.address.trim();
    let is_one = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !address.contains(char::is_whitespace)
    });
    Some(Complainant {
        display_name: name.map(|name| cut(name, MAX_WORD)).unwrap_or_default(),
        email: if is_one && address.len() <= MAX_ADDRESS { address.to_owned() } else { String::new() },
        ..Complainant::default()
    })
}
