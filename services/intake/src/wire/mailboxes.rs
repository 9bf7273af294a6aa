//! Proto ⇄ domain: mailboxes and mails.

use std::collections::HashMap;
use std::time::Duration;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::intake::v1 as wire;
use proto::timestamp;
use server::Secret;
use url::Url;
use uuid::Uuid;

use super::{MAX_EMAIL, MAX_URI, MAX_WORD};
use crate::inbound_mail::{Filter, InboundMail, MAX_TEXT, SetAside, State as MailState};
use crate::mailbox::{
    DEFAULT_PER_SENDER, Imap, MAX_PER_SENDER, MAX_SILENT, Mailbox, Security, Settings, TokenSource,
};

const INVALID_MAILBOX: &str = "INVALID_MAILBOX";
const INVALID_MAILBOX_ID: &str = "INVALID_MAILBOX_ID";
const INVALID_MAIL: &str = "INVALID_MAIL";
/// Longest reason why a mail needs nothing.
const MAX_REASON: usize = 500;
/// Longest host name.
const MAX_HOST: usize = 253;
/// Longest secret: tokens are long.
const MAX_SECRET: usize = 8_000;
/// Longest list of what is asked for with a token.
const MAX_SCOPE: usize = 500;
/// The folder that is read where none is named.
const INBOX: &str = "INBOX";
/// The ports that servers listen on where none is named.
const TLS_PORT: u16 = 993;
const PLAIN_PORT: u16 = 143;

/// A mailbox as somebody wants it.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) settings: Settings,
    pub(crate) expected: Option<i64>,
}

/// Reads how a mailbox is to be.
pub(crate) fn setting(request: wire::SetMailboxRequest) -> Result<Setting, Fault> {
    let wire::SetMailboxRequest { request_id, mailbox, secret, expected_version, client_secret } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(mailbox.is_some(), "mailbox", "is required");
    let secret = checked_secret(&mut check, "secret", secret);
    let client_secret = checked_secret(&mut check, "client_secret", client_secret);
    let expected = expected_version;
    check.ensure(expected.is_none_or(|seen| seen >= 0), "expected_version", "must not be negative");
    let settings = settings(&mut check, mailbox.unwrap_or_default(), (secret, client_secret));
    check.done(INVALID_MAILBOX)?;
    Ok(Setting { settings, expected })
}

fn checked_secret(check: &mut Check, field: &str, secret: String) -> Option<Secret> {
    let secret = check.text(field, secret, MAX_SECRET);
    check.ensure(!secret.contains(char::is_control), field, "must not contain control characters");
    Some(secret).filter(|secret| !secret.is_empty()).map(Secret::from)
}

fn settings(check: &mut Check, mailbox: wire::Mailbox, secrets: Secrets) -> Settings {
    let wire::Mailbox {
        mailbox_id,
        address,
        imap,
        owner,
        language,
        category_hint,
        max_per_sender_hour,
        silent_after,
        paused,
        // Output only, as is what follows.
        state: _,
        error_reason: _,
        error: _,
        error_time: _,
        last_mail_time: _,
        caught_up_time: _,
        version: _,
        update_time: _,
        updater: _,
        unfetched_count: _,
    } = mailbox;
    check.ensure(imap.is_some() || secrets.0.is_none(), "secret", "is for mailboxes that are fetched");
    let by_refresh_token = imap.as_ref().and_then(|imap| imap.token_source.as_ref());
    let has_client = by_refresh_token.is_some_and(|source| source.by_refresh_token);
    check.ensure(has_client || secrets.1.is_none(), "client_secret", "is for mailboxes with a refresh token");
    let is_rate = (0..=MAX_PER_SENDER).contains(&max_per_sender_hour);
    check.ensure(is_rate, "mailbox.max_per_sender_hour", "must be 0 to 1000");
    let silent = Duration::ZERO..=MAX_SILENT;
    let silent_after = check.duration("mailbox.silent_after", silent_after, silent, "0 s to 90 d");
    Settings {
        id: check.slug("mailbox.mailbox_id", mailbox_id),
        address: checked_address(check, address),
        imap: imap.map(|imap| checked_imap(check, imap, secrets)),
        owner: check.required("mailbox.owner", owner, MAX_WORD),
        language: check.language("mailbox.language", language),
        category_hint: check.text("mailbox.category_hint", category_hint, MAX_WORD),
        max_per_sender_hour: if max_per_sender_hour == 0 { DEFAULT_PER_SENDER } else { max_per_sender_hour },
        silent_after: silent_after.filter(|after| !after.is_zero()),
        paused,
    }
}

fn checked_address(check: &mut Check, address: String) -> String {
    const FIELD: &str = "mailbox.address";
    let address = check.required(FIELD, address, MAX_EMAIL).to_lowercase();
    let plain = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !local.contains('+')
            && domain.contains('.')
            && !domain.contains('@')
            && address.bytes().all(|b| b.is_ascii_graphic() && !b"<>,;:\"()[]\\".contains(&b))
    });
    check.ensure(plain || address.is_empty(), FIELD, "must be an e-mail address without a + in it");
    address
}

/// The secret of a mailbox, and its client's.
type Secrets = (Option<Secret>, Option<Secret>);

fn checked_imap(check: &mut Check, imap: wire::ImapSource, (secret, client_secret): Secrets) -> Imap {
    let wire::ImapSource { host, port, security, username, folder, has_secret: _, token_source } = imap;
    let host = check.required("mailbox.imap.host", host, MAX_HOST);
    let is_name = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b));
    check.ensure(is_name, "mailbox.imap.host", "must be a host name or an address");
    let known = wire::MailSecurity::try_from(security);
    check.ensure(known.is_ok(), "mailbox.imap.security", "must be one of the kinds of security");
    let security = match known {
        Ok(wire::MailSecurity::Starttls) => Security::StartTls,
        Ok(wire::MailSecurity::None) => Security::Plain,
        _ => Security::Tls,
    };
    let usual = if security == Security::Tls { TLS_PORT } else { PLAIN_PORT };
    let given = u16::try_from(port);
    check.ensure(given.is_ok(), "mailbox.imap.port", "must be 0 to 65535");
    let username = check.required("mailbox.imap.username", username, MAX_EMAIL);
    let plain = !username.contains(char::is_control);
    check.ensure(plain, "mailbox.imap.username", "must not contain control characters");
    let folder = check.text("mailbox.imap.folder", folder, MAX_WORD);
    let plain = !folder.contains(char::is_control);
    check.ensure(plain, "mailbox.imap.folder", "must not contain control characters");
    Imap {
        host,
        port: given.ok().filter(|port| *port > 0).unwrap_or(usual),
        security,
        username,
        folder: if folder.is_empty() { INBOX.to_owned() } else { folder },
        secret,
        token_source: token_source.map(|source| checked_source(check, source, client_secret)),
    }
}

fn checked_source(
    check: &mut Check,
    source: wire::MailTokenSource,
    client_secret: Option<Secret>,
) -> TokenSource {
    const URL: &str = "mailbox.imap.token_source.token_url";
    let wire::MailTokenSource { token_url, client_id, scope, by_refresh_token } = source;
    let url = check.required(URL, token_url, MAX_URI);
    let is_web = Url::parse(&url).is_ok_and(|url| {
        url.scheme() == "https" && url.has_host() && url.username().is_empty() && url.password().is_none()
    });
    check.ensure(is_web || url.is_empty(), URL, "must be an https URL");
    TokenSource {
        url,
        client_id: check.required("mailbox.imap.token_source.client_id", client_id, MAX_EMAIL),
        client_secret,
        scope: check.text("mailbox.imap.token_source.scope", scope, MAX_SCOPE),
        by_refresh_token,
    }
}

/// Refuses a mailbox that cannot be logged in to, for want of a secret.
pub(crate) fn lacks_secret() -> Fault {
    let mut check = Check::new();
    check.fail("secret", "is required for another server, user or source of tokens");
    check.done(INVALID_MAILBOX).err().unwrap_or_else(|| Fault::internal("a violation was lost"))
}

/// Reads which mailbox is wanted.
pub(crate) fn mailbox_id(request: wire::GetMailboxRequest) -> Result<String, Fault> {
    let wire::GetMailboxRequest { mailbox_id } = request;
    let mut check = Check::new();
    let id = check.slug("mailbox_id", mailbox_id);
    check.done(INVALID_MAILBOX_ID)?;
    Ok(id)
}

/// Reads which mailbox is to be forgotten.
pub(crate) fn deleted_mailbox(request: wire::DeleteMailboxRequest) -> Result<(String, Option<i64>), Fault> {
    let wire::DeleteMailboxRequest { request_id, mailbox_id, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.slug("mailbox_id", mailbox_id);
    check.done(INVALID_MAILBOX_ID)?;
    Ok((id, expected_version))
}

/// A mailbox as it is shown, with how many mails of each stay on their server.
pub(crate) fn mailbox(mailbox: Mailbox, unfetched: &HashMap<String, i64>, now: Timestamp) -> wire::Mailbox {
    let state = mailbox.state(now);
    let unfetched_count = unfetched.get(&mailbox.settings.id).copied().unwrap_or_default();
    let Mailbox { settings, version, updater, updated, caught_up, last_mail, failure, .. } = mailbox;
    let Settings {
        id,
        address,
        imap,
        owner,
        language,
        category_hint,
        max_per_sender_hour,
        silent_after,
        paused,
    } = settings;
    let (error_reason, error, since) =
        failure.map(|one| (one.reason, one.words, Some(timestamp(one.since)))).unwrap_or_default();
    wire::Mailbox {
        mailbox_id: id,
        address,
        imap: imap.map(imap_source),
        owner,
        language,
        category_hint,
        max_per_sender_hour,
        silent_after: silent_after.and_then(|after| after.try_into().ok()),
        paused,
        state: i32::from(state.number()),
        error_reason,
        error,
        error_time: since,
        last_mail_time: last_mail.map(timestamp),
        caught_up_time: caught_up.map(timestamp),
        version,
        update_time: Some(timestamp(updated)),
        updater,
        unfetched_count,
    }
}

fn imap_source(imap: Imap) -> wire::ImapSource {
    let Imap { host, port, security, username, folder, secret, token_source } = imap;
    let source = |source: TokenSource| wire::MailTokenSource {
        token_url: source.url,
        client_id: source.client_id,
        scope: source.scope,
        by_refresh_token: source.by_refresh_token,
    };
    wire::ImapSource {
        host,
        port: i32::from(port),
        security: i32::from(security.number()),
        username,
        folder,
        has_secret: secret.is_some(),
        token_source: token_source.map(source),
    }
}

/// What a list of mails asks for.
pub(crate) struct List {
    pub(crate) page: Page,
    pub(crate) filter: Filter,
    pub(crate) before: Option<Uuid>,
}

/// Reads what a list of mails asks for.
pub(crate) fn list(request: wire::ListMailsRequest) -> Result<List, Fault> {
    let wire::ListMailsRequest { page_size, page_token, mailbox_id, state, complaint_id, set_aside } =
        request;
    let mut check = Check::new();
    let filters = format!("{mailbox_id} {state} {complaint_id} {set_aside}");
    let page = check.page(page_size, &page_token, &filters);
    let before = page.after.as_deref().and_then(|key| check.optional_id("page_token", key));
    let mailbox = check.optional_slug("mailbox_id", mailbox_id);
    let known = wire::MailState::try_from(state).is_ok();
    check.ensure(known, "state", "must be one of the states");
    let complaint = check.optional_id::<CaseId>("complaint_id", &complaint_id);
    let known = wire::MailSetAside::try_from(set_aside).is_ok();
    check.ensure(known, "set_aside", "must be one of the reasons");
    check.done("INVALID_LIST")?;
    let state = i16::try_from(state).ok().and_then(MailState::of);
    let set_aside = i16::try_from(set_aside).ok().and_then(SetAside::of);
    Ok(List { page, filter: Filter { mailbox, state, complaint, set_aside }, before })
}

/// Reads which mail is wanted.
pub(crate) fn mail_id(request: &wire::GetMailRequest) -> Result<Uuid, Fault> {
    let mut check = Check::new();
    let id = check.id("mail_id", &request.mail_id);
    check.done("INVALID_MAIL_ID")?;
    Ok(id)
}

/// A mail that is to be registered by hand.
pub(crate) struct ByHand {
    pub(crate) id: Uuid,
    /// On which case.
    pub(crate) complaint: Option<CaseId>,
    /// What it says, where that cannot be read here.
    pub(crate) text: String,
}

/// Reads which mail is to be registered, and on which case.
pub(crate) fn registered_mail(request: wire::RegisterMailRequest) -> Result<ByHand, Fault> {
    let wire::RegisterMailRequest { request_id, mail_id, complaint_id, text } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("mail_id", &mail_id);
    let complaint = check.optional_id("complaint_id", &complaint_id);
    let text = check.text("text", text, MAX_TEXT).trim().to_owned();
    check.done(INVALID_MAIL)?;
    Ok(ByHand { id, complaint, text })
}

/// Refuses the words of somebody else for a mail that has its own.
pub(crate) fn says_itself() -> Fault {
    let mut check = Check::new();
    check.fail("text", "is for mails that cannot be read here; this one has its own");
    check.done(INVALID_MAIL).err().unwrap_or_else(|| Fault::internal("a violation was lost"))
}

/// Reads which mail needs nothing, and why.
pub(crate) fn dismissed_mail(request: wire::DismissMailRequest) -> Result<(Uuid, String), Fault> {
    let wire::DismissMailRequest { request_id, mail_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("mail_id", &mail_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_MAIL)?;
    Ok((id, reason))
}

/// A mail as it is shown.
pub(crate) fn mail(mail: InboundMail) -> wire::Mail {
    let set_aside = mail.set_aside.map_or(0, SetAside::number);
    let is_done = matches!(mail.state, MailState::Registered | MailState::Added);
    let complaint = mail.complaint.filter(|_| is_done);
    wire::Mail {
        mail_id: mail.id.to_string(),
        mailbox_id: mail.mailbox,
        message_id: mail.message_id,
        sender: mail.sender,
        subject: mail.subject,
        excerpt: mail.excerpt,
        receive_time: Some(timestamp(mail.received)),
        state: i32::from(mail.state.number()),
        set_aside: i32::from(set_aside),
        complaint_id: complaint.map(|id| id.to_string()).unwrap_or_default(),
        attachment_id: mail.attachment.map(|id| id.to_string()).unwrap_or_default(),
        remarks: mail.remarks,
        size_bytes: mail.size,
        registrar: mail.registrar,
        uid_validity: mail.place.map_or(0, |place| place.uid_validity),
        uid: mail.place.map_or(0, |place| place.uid),
        dismisser: mail.dismisser,
        dismiss_reason: mail.dismiss_reason,
    }
}
