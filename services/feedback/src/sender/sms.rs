//! Text messages, through the HTTP gateway that the operator has.

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::{Context as _, bail, ensure};
use futures::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde_json::Value;
use serde_json::value::RawValue;
use server::Settings;
use webhook::Reply;

use super::gateway::{Gateway, said, unsuccessful};
use super::{Transport, sending_id};
use crate::notice::{Answer, Contact, Notice};
use crate::phone::is_calling_code;
use crate::text_message::{fit, parts};

/// Most characters of the body's template.
const MAX_TEMPLATE: usize = 4_000;
/// Steps that writing a body may take.
const FUEL: u64 = 10_000;
/// The name of the template.
const BODY: &str = "body";

/// How values are put into a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// Into JSON strings.
    Json,
    /// Into the values of a form.
    Form,
}

/// Sends text messages.
pub(super) struct Sms {
    gateway: Gateway,
    format: Format,
    template: Environment<'static>,
    headers: HeaderMap,
    /// Where in an answer the gateway's id of the message is.
    id_pointer: String,
    /// Statuses that are final: another attempt would not help.
    final_statuses: Vec<u16>,
}

impl Sms {
    /// The gateway that the settings name, if they do.
    pub(super) fn of(settings: &Settings) -> anyhow::Result<Option<Self>> {
        let notices = &settings.notices;
        let country = &notices.sms_country;
        ensure!(
            country.is_empty() || is_calling_code(country),
            "REDRESS_SMS_COUNTRY must be a calling code without zeros or +, as 86"
        );
        let url = notices.sms_url.as_ref().map(server::Secret::expose).unwrap_or_default();
        if url.is_empty() {
            return Ok(None);
        }
        let media = notices.sms_content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        let format = match media.as_str() {
            "application/json" => Format::Json,
            "application/x-www-form-urlencoded" => Format::Form,
            _ => bail!(
                "REDRESS_SMS_CONTENT_TYPE must be application/json or application/x-www-form-urlencoded"
            ),
        };
        let pointer = &notices.sms_id_pointer;
        ensure!(
            pointer.is_empty() || pointer.starts_with('/'),
            "REDRESS_SMS_ID_POINTER must be a JSON pointer, as /message/id"
        );
        let headers = notices.sms_headers.as_ref().map(server::Secret::expose).unwrap_or_default();
        let mut headers = read_headers(headers)?;
        let content_type = HeaderValue::from_str(&notices.sms_content_type);
        headers.insert(CONTENT_TYPE, content_type.context("REDRESS_SMS_CONTENT_TYPE")?);
        let sms = Self {
            gateway: Gateway::new(settings, "REDRESS_SMS_URL", url)?,
            format,
            template: read_template(&notices.sms_body)?,
            headers,
            id_pointer: pointer.clone(),
            final_statuses: notices.sms_final_statuses.clone(),
        };
        sms.try_out()?;
        Ok(Some(sms))
    }

    /// Writes a body that has everything in it that must be escaped.
    fn try_out(&self) -> anyhow::Result<()> {
        let text = "\"quoted\" \\ & = + % {{ text }}\n投诉 😀";
        let body = self.body("+8613800138000", text, "id").context("REDRESS_SMS_BODY")?;
        ensure!(
            self.format != Format::Json || serde_json::from_slice::<Value>(&body).is_ok(),
            "REDRESS_SMS_BODY must write JSON: put the places within quotes, as {{\"to\": \"{{{{ number }}}}\"}}"
        );
        let has = |text: &str, number: &str| self.body(number, text, "id").is_ok_and(|other| other != body);
        ensure!(
            has("another", "+8613800138000") && has(text, "+8613800138001"),
            "REDRESS_SMS_BODY must have the places {{{{ number }}}} and {{{{ text }}}}"
        );
        Ok(())
    }

    fn body(&self, number: &str, text: &str, id: &str) -> Result<Vec<u8>, minijinja::Error> {
        let escaped = |value: &str| match self.format {
            Format::Json => json(value),
            Format::Form => form(value),
        };
        let values = context! {
            number => escaped(number),
            text => escaped(text),
            id => escaped(id),
            parts => parts(text),
        };
        self.template.get_template(BODY)?.render(values).map(String::into_bytes)
    }

    async fn post(&self, notice: &Notice) -> Answer {
        let letter = &notice.letter;
        // One of before there were text messages has its subject line.
        let text = fit(if letter.short.is_empty() { &letter.subject } else { &letter.short });
        let Ok(body) = self.body(&notice.recipient, &text, &sending_id(notice)) else {
            return Answer::Refused("the message cannot be written".to_owned());
        };
        match self.gateway.post(self.headers.clone(), body).await {
            Ok(reply) if (200..=299).contains(&reply.status) => self.taken(&reply, parts(&text)),
            Ok(reply) => unsuccessful(&reply, |status| self.final_statuses.contains(&status)),
            Err(none) => none,
        }
    }

    /// A gateway that should name its id and does not has not taken the message over.
    fn taken(&self, reply: &Reply, parts: usize) -> Answer {
        if self.id_pointer.is_empty() {
            return Answer::Taken(format!("{}; parts: {parts}", said(reply)));
        }
        match id(&reply.body, &self.id_pointer) {
            Some(id) => Answer::Taken(format!("{} id {id}; parts: {parts}", reply.status)),
            None => Answer::Refused(format!("no id at {}: {}", self.id_pointer, said(reply))),
        }
    }
}

impl Transport for Sms {
    fn send<'a>(&'a self, notice: &'a Notice, _: Option<&'a Contact>) -> BoxFuture<'a, Answer> {
        Box::pin(self.post(notice))
    }
}

fn read_template(source: &str) -> anyhow::Result<Environment<'static>> {
    ensure!(source.chars().count() <= MAX_TEMPLATE, "REDRESS_SMS_BODY has at most {MAX_TEMPLATE} characters");
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Values are escaped before they are put in.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.add_template_owned(BODY, source.to_owned()).context("REDRESS_SMS_BODY")?;
    Ok(environment)
}

/// Headers, one a line. What is wrong with one is told without its value.
fn read_headers(text: &str) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').context("REDRESS_SMS_HEADERS has a line without a colon")?;
        let name: HeaderName = name.trim().parse().context("REDRESS_SMS_HEADERS has a name that is none")?;
        let value = HeaderValue::from_str(value.trim());
        let mut value = value.ok().context("REDRESS_SMS_HEADERS has a value that is none")?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// The text or the number at a JSON pointer (RFC 6901); none where there is neither. A number is
/// what was written: gateways count beyond what numbers of programs hold.
fn id(body: &[u8], pointer: &str) -> Option<String> {
    let mut at: &RawValue = serde_json::from_slice(body).ok()?;
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/").replace("~0", "~");
        at = if at.get().starts_with('[') {
            let is_place = name == "0" || !name.starts_with(['0', '+']);
            let values: Vec<&RawValue> = serde_json::from_str(at.get()).ok()?;
            values.get(name.parse::<usize>().ok().filter(|_| is_place)?).copied()?
        } else {
            let mut values: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(at.get()).ok()?;
            values.remove(name.as_str())?
        };
    }
    match at.get().as_bytes().first()? {
        b'"' => serde_json::from_str(at.get()).ok().filter(|id: &String| !id.is_empty()),
        b'-' | b'0'..=b'9' => Some(at.get().to_owned()),
        _ => None,
    }
}

/// A value within the quotes of a JSON string.
fn json(value: &str) -> String {
    let quoted = Value::String(value.to_owned()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A value of a form.
fn form(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

#[cfg(test)]
mod tests;
