//! Mailboxes that complaints arrive in, and mails.

use proto::redress::intake::v1::{
    ImapSource, ListMailboxesResponse, ListMailsResponse, Mail, MailSecurity, MailSetAside, MailState,
    Mailbox, MailboxState,
};

use super::none_of;
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// One mailbox; its secret is never told.
pub fn mailbox(one: &Mailbox) -> String {
    let silent = one.silent_after.map(|after| format!("{} h", after.seconds / 3_600));
    facts(&[
        ("mailbox", one.mailbox_id.clone()),
        ("version", one.version.to_string()),
        ("address", one.address.clone()),
        ("fetched from", one.imap.as_ref().map(source).unwrap_or_default()),
        ("owner", one.owner.clone()),
        ("language", one.language.clone()),
        ("category", one.category_hint.clone()),
        ("a sender's mails an hour", one.max_per_sender_hour.to_string()),
        ("may be silent for", silent.unwrap_or_default()),
        ("state", word::<MailboxState>(one.state)),
        ("cannot be read because", joined(&one.error_reason, &one.error)),
        ("since", time(one.error_time.as_ref())),
        ("latest mail", time(one.last_mail_time.as_ref())),
        ("nothing more at", time(one.caught_up_time.as_ref())),
        ("changed by", one.updater.clone()),
        ("changed", time(one.update_time.as_ref())),
    ])
}

fn joined(reason: &str, words: &str) -> String {
    if words.is_empty() { reason.to_owned() } else { format!("{reason}: {words}") }
}

/// Where a mailbox is fetched from, in a line.
fn source(imap: &ImapSource) -> String {
    let ImapSource { host, port, security, username, folder, has_secret, token_source } = imap;
    let security = word::<MailSecurity>(*security);
    let by = match (token_source, has_secret) {
        (_, false) => "without a secret",
        (Some(_), true) => "by token",
        (None, true) => "by password",
    };
    format!("{host}:{port} ({security}), {folder} of {username}, {by}")
}

/// All mailboxes.
pub fn mailboxes(list: &ListMailboxesResponse) -> String {
    if list.mailboxes.is_empty() {
        return none_of("mailboxes", "");
    }
    let mut table = Table::new(["mailbox", "address", "state", "latest mail", "owner", "why"]);
    for one in &list.mailboxes {
        table.row([
            one.mailbox_id.clone(),
            one.address.clone(),
            word::<MailboxState>(one.state),
            time(one.last_mail_time.as_ref()),
            one.owner.clone(),
            one.error_reason.clone(),
        ]);
    }
    table.render()
}

/// One mail, and what became of it.
pub fn mail(one: &Mail) -> String {
    facts(&[
        ("mail", one.mail_id.clone()),
        ("mailbox", one.mailbox_id.clone()),
        ("from", one.sender.clone()),
        ("subject", one.subject.clone()),
        ("arrived", time(one.receive_time.as_ref())),
        ("message", one.message_id.clone()),
        ("bytes", one.size_bytes.to_string()),
        ("state", word::<MailState>(one.state)),
        ("set aside as", set_aside(one.set_aside)),
        ("complaint", one.complaint_id.clone()),
        ("attachment", one.attachment_id.clone()),
        ("registered by", one.registrar.clone()),
        ("remarks", one.remarks.join("\n")),
        ("begins", one.excerpt.clone()),
    ])
}

fn set_aside(why: i32) -> String {
    if why == 0 { String::new() } else { word::<MailSetAside>(why) }
}

/// Mails, a line each.
pub fn mails(list: &ListMailsResponse) -> String {
    if list.mails.is_empty() {
        return none_of("mails", &list.next_page_token);
    }
    let mut table = Table::new(["mail", "arrived", "from", "state", "complaint", "subject"]);
    for one in &list.mails {
        let state = word::<MailState>(one.state);
        let why = set_aside(one.set_aside);
        table.row([
            one.mail_id.clone(),
            time(one.receive_time.as_ref()),
            one.sender.clone(),
            if why.is_empty() { state } else { format!("{state}: {why}") },
            one.complaint_id.clone(),
            one.subject.clone(),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_says_why_it_cannot_be_read_and_nothing_of_its_secret() {
        let imap = ImapSource {
            host: "imap.example.org".to_owned(),
            port: 993,
            security: MailSecurity::Tls.into(),
            username: "complaints".to_owned(),
            folder: "INBOX".to_owned(),
            has_secret: true,
            token_source: None,
        };
        let one = Mailbox {
            mailbox_id: "shop".to_owned(),
            imap: Some(imap),
            state: MailboxState::Failing.into(),
            error_reason: "LOGIN_REFUSED".to_owned(),
            error: "no such user".to_owned(),
            ..Mailbox::default()
        };
        let text = mailbox(&one);
        assert!(text.contains("imap.example.org:993 (tls), INBOX of complaints, by password"), "{text}");
        assert!(text.contains("LOGIN_REFUSED: no such user"), "{text}");
        let row = mailboxes(&ListMailboxesResponse { mailboxes: vec![one] });
        assert!(row.contains("failing") && row.contains("LOGIN_REFUSED"), "{row}");
    }

    #[test]
    fn a_mail_says_what_became_of_it() {
        let one = Mail {
            mail_id: "m1".to_owned(),
            sender: "ada@example.org".to_owned(),
            state: MailState::SetAside.into(),
            set_aside: MailSetAside::AutoReply.into(),
            remarks: vec!["a".to_owned(), "b".to_owned()],
            ..Mail::default()
        };
        assert!(mail(&one).contains("auto reply"), "{}", mail(&one));
        let list = ListMailsResponse { mails: vec![one], next_page_token: String::new() };
        assert!(mails(&list).contains("set aside: auto reply"), "{}", mails(&list));
        assert!(mails(&ListMailsResponse::default()).contains("no mails"));
    }
}
