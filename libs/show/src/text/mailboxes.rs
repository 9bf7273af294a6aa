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
        ("on its server only", unfetched(one)),
        ("nothing more at", time(one.caught_up_time.as_ref())),
        ("changed by", one.updater.clone()),
        ("changed", time(one.update_time.as_ref())),
    ])
}

fn joined(reason: &str, words: &str) -> String {
    if words.is_empty() { reason.to_owned() } else { format!("{reason}: {words}") }
}

/// How many mails could not be fetched and wait for somebody; nothing where there are none.
fn unfetched(one: &Mailbox) -> String {
    match one.unfetched_count {
        0 => String::new(),
        1 => "1 mail".to_owned(),
        count => format!("{count} mails"),
    }
}

/// Why a mailbox needs somebody, in a line: a reason and its words, mails that stay on its server.
fn why(one: &Mailbox) -> String {
    let unfetched = unfetched(one);
    let stays = if unfetched.is_empty() { unfetched } else { format!("{unfetched} on its server only") };
    let all = [joined(&one.error_reason, &one.error), stays];
    all.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
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
            why(one),
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
        ("dismissed", dismissed(one)),
        ("on its server", place(one)),
        ("remarks", one.remarks.join("\n")),
        ("begins", one.excerpt.clone()),
    ])
}

/// Who said that nothing is to be done about a mail, and why.
fn dismissed(one: &Mail) -> String {
    if one.dismisser.is_empty() {
        String::new()
    } else {
        format!("by {}: {}", one.dismisser, one.dismiss_reason)
    }
}

/// Where a mail is that stays in its folder.
fn place(one: &Mail) -> String {
    if one.uid == 0 { String::new() } else { format!("UID {} (UIDVALIDITY {})", one.uid, one.uid_validity) }
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
        let why = if one.dismisser.is_empty() { why } else { format!("{why}, dismissed") };
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
        assert!(row.contains("failing") && row.contains("LOGIN_REFUSED: no such user"), "{row}");
        let one = Mailbox { unfetched_count: 2, ..Mailbox::default() };
        let row = mailboxes(&ListMailboxesResponse { mailboxes: vec![one.clone()] });
        assert!(row.contains("2 mails on its server only"), "{row}");
        assert!(mailbox(&Mailbox { unfetched_count: 1, ..one }).contains("1 mail"));
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

    #[test]
    fn a_mail_that_stays_on_its_server_says_where_and_who_needs_nothing_of_it() {
        let one = Mail {
            state: MailState::SetAside.into(),
            set_aside: MailSetAside::TooLarge.into(),
            uid_validity: 7,
            uid: 12,
            dismisser: "ann".to_owned(),
            dismiss_reason: "an advertisement".to_owned(),
            ..Mail::default()
        };
        let text = mail(&one);
        assert!(text.contains("UID 12 (UIDVALIDITY 7)"), "{text}");
        assert!(text.contains("by ann: an advertisement"), "{text}");
        let list = ListMailsResponse { mails: vec![one], next_page_token: String::new() };
        assert!(mails(&list).contains("set aside: too large, dismissed"), "{}", mails(&list));
    }
}
