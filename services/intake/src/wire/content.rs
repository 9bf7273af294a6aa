//! What was said, as one number: by it a submission repeated at the channel is told
//! from another complaint that bears the same number of the channel.
//!
//! Which fields count the contract says, field by field (`redress.intake.v1.content`), and a
//! test holds this to it. The first definition compares each kind of field in its way: runs of
//! white space count as one blank, e-mail addresses without regard to case, a form without
//! regard to the order of its fields, evidence by its hash where one was given, else by its
//! URI. What was filled in at registration is none of it. What counts since then is compared as
//! it is written, and the hash of a complaint without it stays what it was.

use prost::Message as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use proto::VERBATIM_CONTENT;
use proto::google::r#type::Money;
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{
    ChatDetail, ChatTurn, Complainant, Complaint, Evidence, Matter, PhoneDetail, RegulatorDetail,
    RemedySought, Representative, Respondent, SocialDetail,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What the hash begins with: another definition gets another number.
const VERSION: &[u8] = b"redress.intake.content.1";

/// The hash of a complaint's content; none without a number of the channel, as nothing
/// is ever compared by it then.
pub(crate) fn hash(complaint: &Complaint) -> Option<[u8; 32]> {
    let Complaint {
        external_ref,
        complainant,
        representative,
        respondent,
        subject,
        description,
        occur_time,
        remedy_sought,
        evidence,
        channel_detail,
        form_data,
        matter,
        filled_fields,
        ..
    } = complaint;
    let is_told = |field: &str| !filled_fields.iter().any(|filled| filled == field);
    if external_ref.is_empty() {
        return None;
    }
    let mut content = Content(Sha256::new_with_prefix(VERSION));
    content.word(external_ref.as_bytes());
    content.complainant(complainant.clone().unwrap_or_default());
    content.representative(representative.clone().unwrap_or_default());
    content.respondent(respondent.clone().unwrap_or_default());
    content.texts([
        if is_told("subject") { subject } else { "" },
        if is_told("description") { description } else { "" },
    ]);
    content.time(occur_time.as_ref());
    content.remedy(remedy_sought.clone().unwrap_or_default());
    content.number(i64::try_from(evidence.len()).unwrap_or(i64::MAX));
    // An attachment has always its hash.
    for Evidence { kind, uri, sha256, .. } in evidence {
        content.texts([kind, if sha256.is_empty() { uri } else { sha256 }]);
    }
    content.form(form_data);
    content.detail(channel_detail.as_ref(), is_told("phone.ivr_result"));
    let is_report = *matter == i32::from(Matter::Report) && is_told("matter");
    content.number(if is_report { 2 } else { 1 });
    content.verbatim(complaint, VERBATIM_CONTENT);
    Some(content.0.finalize().into())
}

/// The hash being made; each piece with its length before it, so that none runs into
/// the next.
struct Content(Sha256);

impl Content {
    fn word(&mut self, bytes: &[u8]) {
        self.number(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        self.0.update(bytes);
    }

    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    fn texts<const N: usize>(&mut self, texts: [&str; N]) {
        for text in texts {
            let words: Vec<&str> = text.split_whitespace().collect();
            self.word(words.join(" ").as_bytes());
        }
    }

    fn time(&mut self, time: Option<&prost_types::Timestamp>) {
        let (seconds, nanos) = time.map_or((i64::MIN, 0), |time| (time.seconds, time.nanos));
        self.number(seconds);
        self.number(nanos.into());
    }

    fn complainant(&mut self, complainant: Complainant) {
        let Complainant { customer_id, display_name, email, phone, .. } = complainant;
        self.texts([&customer_id, &display_name, &email.to_lowercase(), &phone]);
    }

    fn representative(&mut self, representative: Representative) {
        let Representative { display_name, authority, email } = representative;
        self.texts([&display_name, &authority, &email.to_lowercase()]);
    }

    fn respondent(&mut self, respondent: Respondent) {
        let Respondent { organisation, branch, staff, product, order_ref, account_ref } = respondent;
        self.texts([&organisation, &branch, &staff, &product, &order_ref, &account_ref]);
    }

    fn remedy(&mut self, remedy: RemedySought) {
        let RemedySought { text, amount } = remedy;
        let Money { currency_code, units, nanos } = amount.unwrap_or_default();
        self.texts([&text, &currency_code]);
        self.number(units);
        self.number(nanos.into());
    }

    fn form(&mut self, form: &str) {
        // What cannot be read, or not digit by digit, is compared as it stands.
        match serde_json::from_str::<Value>(form) {
            Ok(value) if forms::is_exact(&value) => self.word(canonical(&value).as_bytes()),
            _ => self.word(form.as_bytes()),
        }
    }

    fn detail(&mut self, detail: Option<&ChannelDetail>, result_is_told: bool) {
        match detail {
            Some(ChannelDetail::Phone(detail)) => self.phone(detail, result_is_told),
            Some(ChannelDetail::Chat(detail)) => self.chat(detail),
            Some(ChannelDetail::Social(SocialDetail { author, uri, origin_uri, .. })) => {
                self.number(3);
                self.texts([author, uri]);
                // It was not there in the first version of the definition.
                if !origin_uri.is_empty() {
                    self.texts([origin_uri]);
                }
            }
            Some(ChannelDetail::Regulator(RegulatorDetail { authority, reference, forward_time })) => {
                self.number(4);
                self.texts([authority, reference]);
                self.time(forward_time.as_ref());
            }
            // None, or one that is compared as it is written.
            _ => self.number(0),
        }
    }
}

/// Begins what complaints did not have when they were first compared: the hash of those
/// without it stays what it was.
const FURTHER: i64 = 5;

impl Content {
    fn phone(&mut self, detail: &PhoneDetail, result_is_told: bool) {
        let PhoneDetail { ivr_result, ivr_keys, missed_call, call_time, .. } = detail;
        self.number(1);
        self.texts([if result_is_told { ivr_result } else { "" }]);
        if !ivr_keys.trim().is_empty() || *missed_call || call_time.is_some() {
            self.number(FURTHER);
            self.texts([ivr_keys]);
            self.number((*missed_call).into());
            self.time(call_time.as_ref());
        }
    }

    fn chat(&mut self, detail: &ChatDetail) {
        let ChatDetail { transcript, turns, .. } = detail;
        self.number(2);
        self.texts([transcript]);
        if !turns.is_empty() {
            self.number(FURTHER);
            self.number(i64::try_from(turns.len()).unwrap_or(i64::MAX));
            for ChatTurn { speaker, text, .. } in turns {
                self.number((*speaker).into());
                self.texts([text]);
            }
        }
    }
}

impl Content {
    /// What counts as it is written, of the fields of these paths that are there.
    fn verbatim(&mut self, complaint: &Complaint, paths: &[&[u32]]) {
        if paths.is_empty() {
            return;
        }
        let bytes = complaint.encode_to_vec();
        for path in paths {
            let mut found = Vec::new();
            collect(&bytes, path, &mut found);
            if !found.is_empty() {
                self.number(FURTHER);
                path.iter().for_each(|number| self.number((*number).into()));
                self.word(&found);
            }
        }
    }
}

/// Collects the field at a path of an encoded message, as it is encoded. What is none, which
/// nothing that was encoded here is, has no such field.
fn collect(message: &[u8], path: &[u32], found: &mut Vec<u8>) {
    let [wanted, below @ ..] = path else { return };
    let mut rest = message;
    while !rest.is_empty() {
        let field = rest;
        let Ok((number, kind)) = decode_key(&mut rest) else { return };
        let mut inner = rest;
        if skip_field(kind, number, &mut rest, DecodeContext::default()).is_err() {
            return;
        }
        if number != *wanted {
            continue;
        }
        if below.is_empty() {
            found.extend_from_slice(&field[..field.len() - rest.len()]);
        } else if kind == WireType::LengthDelimited && decode_varint(&mut inner).is_ok() {
            collect(&inner[..inner.len() - rest.len()], below, found);
        }
    }
}

/// A value with the fields of objects in the order of their names.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{name:?}:{}", canonical(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(values) => {
            format!("[{}]", values.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests;
