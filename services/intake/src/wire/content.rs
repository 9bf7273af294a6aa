//! What was said, as one number: by it a submission repeated at the channel is told
//! from another complaint that bears the same number of the channel.
//!
//! The same are two complaints of which the following agree: the channel's number,
//! who complains (customer number, name, e-mail address, telephone) and who speaks
//! for them, whom and what it is about, subject and description, when it happened,
//! the remedy sought, the evidence (by its hash where one was given, else by its URI),
//! what was filled into the form, the transcript or turns, the call and its keys, post or
//! reference of the channel, and whether it is a complaint or a report. What was filled in
//! at registration is none of it. Runs of white space count as one blank,
//! e-mail addresses without regard to case, a form without regard to the order of its
//! fields. What the channel or a crawler says about it may differ: category, language,
//! consent, reach, the time of a post, region, vulnerabilities, whether it is automatic, when it
//! came, where its recording lies, how long the caller waited, by which number of an
//! intermediary they are reached, when and by whom a turn was written, and how it ended.

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
        complaint_id: _,
        channel: _,
        external_ref,
        complainant,
        representative,
        respondent,
        subject,
        description,
        occur_time,
        remedy_sought,
        evidence,
        language: _,
        category_hint: _,
        consent_given: _,
        channel_detail,
        receive_time: _,
        form_data,
        form_category: _,
        form_version: _,
        completeness: _,
        matter,
        automatic: _,
        history: _,
        register_time: _,
        receive_time_by: _,
        recorder: _,
        filled_fields,
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
    for Evidence { kind, uri, sha256, attachment_id: _ } in evidence {
        content.texts([kind, if sha256.is_empty() { uri } else { sha256 }]);
    }
    content.form(form_data);
    content.detail(channel_detail.as_ref(), is_told("phone.ivr_result"));
    let is_report = *matter == i32::from(Matter::Report) && is_told("matter");
    content.number(if is_report { 2 } else { 1 });
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
        let Complainant { customer_id, display_name, email, phone, region: _, vulnerabilities: _ } =
            complainant;
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
            None => self.number(0),
            Some(ChannelDetail::Phone(detail)) => self.phone(detail, result_is_told),
            Some(ChannelDetail::Chat(detail)) => self.chat(detail),
            Some(ChannelDetail::Social(SocialDetail { author, uri, reach: _, post_time: _, origin_uri })) => {
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
        }
    }
}

/// Begins what complaints did not have when they were first compared: the hash of those
/// without it stays what it was.
const FURTHER: i64 = 5;

impl Content {
    fn phone(&mut self, detail: &PhoneDetail, result_is_told: bool) {
        let PhoneDetail {
            ivr_result,
            ivr_keys,
            recording_uri: _,
            masked_number: _,
            masked_number_expire_time: _,
            missed_call,
            call_time,
            wait: _,
            ivr_labels: _,
            ivr_menu_version: _,
            call_back_requested: _,
        } = detail;
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
        let ChatDetail {
            transcript,
            handed_over: _,
            turns,
            hand_over_reason: _,
            hand_over_text: _,
            hand_over_turn: _,
        } = detail;
        self.number(2);
        self.texts([transcript]);
        if !turns.is_empty() {
            self.number(FURTHER);
            self.number(i64::try_from(turns.len()).unwrap_or(i64::MAX));
            for ChatTurn { speaker, text, time: _, author: _ } in turns {
                self.number((*speaker).into());
                self.texts([text]);
            }
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
mod tests {
    use super::*;

    fn said() -> Complaint {
        Complaint {
            external_ref: "7".to_owned(),
            complainant: Some(Complainant {
                display_name: "Ann Lee".to_owned(),
                email: "ann@example.org".to_owned(),
                ..Complainant::default()
            }),
            subject: "Late".to_owned(),
            description: "The parcel\ncame late.".to_owned(),
            form_data: r#"{"a": 1, "b": [{"c": 2, "d": 3}]}"#.to_owned(),
            ..Complaint::default()
        }
    }

    #[test]
    fn what_is_not_said_does_not_count() {
        let mut other = Complaint {
            complaint_id: "x".to_owned(),
            description: " The  parcel\r\ncame late. ".to_owned(),
            form_data: r#"{"b":[{"d":3,"c":2}],"a":1}"#.to_owned(),
            language: "de".to_owned(),
            category_hint: "delivery".to_owned(),
            consent_given: true,
            automatic: true,
            matter: Matter::Complaint.into(),
            form_version: 3,
            ..said()
        };
        if let Some(complainant) = &mut other.complainant {
            complainant.email = "Ann@Example.org".to_owned();
            complainant.region = "CN-50".to_owned();
        }
        assert!(hash(&said()).is_some());
        assert_eq!(hash(&said()), hash(&other));
        assert_eq!(hash(&Complaint { external_ref: String::new(), ..said() }), None);
    }

    #[test]
    fn every_field_of_a_complaint_counts_as_content() {
        let evidence = |sha256: &str| Evidence { sha256: sha256.to_owned(), ..Evidence::default() };
        let moment = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let by = |name: &str| Complainant { display_name: name.to_owned(), ..Complainant::default() };
        let others = [
            Complaint { external_ref: "8".to_owned(), ..said() },
            Complaint { complainant: Some(by("Bob")), ..said() },
            Complaint { complainant: None, ..said() },
            Complaint { representative: Some(Representative::default()), subject: "x".to_owned(), ..said() },
            Complaint { description: "The parcel came later.".to_owned(), ..said() },
            // Moved from one field into the next.
            Complaint {
                subject: "Late The".to_owned(),
                description: "parcel came late.".to_owned(),
                ..said()
            },
            Complaint { occur_time: moment(0), ..said() },
            Complaint { occur_time: moment(1), ..said() },
            Complaint { evidence: vec![evidence("aa")], ..said() },
            Complaint { evidence: vec![evidence("bb")], ..said() },
            Complaint { form_data: "{}".to_owned(), ..said() },
            Complaint { matter: Matter::Report.into(), ..said() },
            Complaint { channel_detail: Some(ChannelDetail::Chat(ChatDetail::default())), ..said() },
        ];
        let mut hashes: Vec<_> = others.iter().chain([&said()]).map(hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), others.len() + 1);
    }
}
