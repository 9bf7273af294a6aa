//! `redress mailbox …` and `redress mail …`: mailboxes that complaints arrive in, and the mails.

use std::time::Duration;

use anyhow::ensure;
use clap::{Args, Subcommand, ValueEnum};
use client::Calls;
use proto::redress::intake::v1::mailbox_service_client::MailboxServiceClient;
use proto::redress::intake::v1::{
    DeleteMailboxRequest, DismissMailRequest, GetMailRequest, GetMailboxRequest, ImapSource,
    ListMailboxesRequest, ListMailsRequest, MailSecurity, MailSetAside, MailState, MailTokenSource, Mailbox,
    RegisterMailRequest, SetMailboxRequest,
};
use show::text;

use super::connection::Connection;

type Client = MailboxServiceClient<Calls>;

#[derive(Args)]
pub(crate) struct Mailboxes {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: MailboxVerb,
}

#[derive(Clone, Copy, ValueEnum)]
enum SecurityOf {
    /// TLS from the first byte
    Tls,
    /// TLS by STARTTLS
    Starttls,
    /// None: only where the operator allows it
    None,
}

#[derive(Subcommand)]
enum MailboxVerb {
    /// Sets a mailbox up, or changes it: it says all of it, but for the secret
    Set(Box<Set>),
    /// Reads a mailbox no more until it is resumed
    Pause {
        /// Name of the mailbox
        mailbox: String,
    },
    /// Goes on with a paused mailbox
    Resume {
        /// Name of the mailbox
        mailbox: String,
    },
    /// Shows a mailbox, and how far it is
    Show {
        /// Name of the mailbox
        mailbox: String,
    },
    /// Lists all mailboxes
    List,
    /// Forgets a mailbox; what arrived in it stays
    Delete {
        /// Name of the mailbox
        mailbox: String,
    },
}

#[derive(Args)]
struct Set {
    /// Its name, e.g. `shop`
    mailbox: String,
    /// The address that people write to
    #[arg(long)]
    address: String,
    /// Who answers for it
    #[arg(long)]
    owner: String,
    /// Language to answer in where a mail does not say
    #[arg(long, default_value = "zh-CN")]
    language: String,
    /// Category its mails are believed to belong to
    #[arg(long, default_value = "", hide_default_value = true)]
    category: String,
    /// Mails of one sender within an hour that are taken; 20 by default
    #[arg(long, value_name = "MAILS", default_value_t = 0, hide_default_value = true)]
    per_sender: i32,
    /// Hours it may be silent before that is told
    #[arg(long, value_name = "HOURS")]
    silent_after: Option<u32>,
    /// IMAP server it is fetched from; without one mails are handed over by SMTP or LMTP
    #[arg(long, value_name = "HOST")]
    imap: Option<String>,
    /// Port of the server; the usual one by default
    #[arg(long, default_value_t = 0, hide_default_value = true, requires = "imap")]
    port: u16,
    /// How the connection is secured
    #[arg(long, default_value = "tls", requires = "imap")]
    security: SecurityOf,
    /// Whom to log in as; the address by default
    #[arg(long, requires = "imap")]
    user: Option<String>,
    /// The folder; INBOX by default
    #[arg(long, default_value = "", hide_default_value = true, requires = "imap")]
    folder: String,
    /// Password, refresh token or client's secret; without it, the one there is stays
    #[arg(
        long,
        env = "REDRESS_MAILBOX_SECRET",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    secret: String,
    /// Where tokens are had from, for a server that takes OAuth 2.0
    #[arg(long, value_name = "URL", requires = "imap", requires = "client_id")]
    token_url: Option<String>,
    /// The client's id there
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    client_id: String,
    /// What is asked for there
    #[arg(long, value_name = "SCOPE", default_value = "", hide_default_value = true)]
    scope: String,
    /// The secret is a refresh token, and not the client's
    #[arg(long)]
    refresh_token: bool,
    /// The client's secret beside a refresh token; without it, the one there is stays
    #[arg(
        long,
        env = "REDRESS_MAILBOX_CLIENT_SECRET",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    client_secret: String,
}

impl Set {
    fn mailbox(self) -> (Mailbox, [String; 2]) {
        let source = |token_url| MailTokenSource {
            token_url,
            client_id: self.client_id.clone(),
            scope: self.scope.clone(),
            by_refresh_token: self.refresh_token,
        };
        let security = match self.security {
            SecurityOf::Tls => MailSecurity::Tls,
            SecurityOf::Starttls => MailSecurity::Starttls,
            SecurityOf::None => MailSecurity::None,
        };
        let imap = self.imap.clone().map(|host| ImapSource {
            host,
            port: self.port.into(),
            security: security.into(),
            username: self.user.clone().unwrap_or_else(|| self.address.clone()),
            folder: self.folder.clone(),
            has_secret: false,
            token_source: self.token_url.clone().map(source),
        });
        let is_fetched = imap.is_some();
        let hours = |hours: u32| Duration::from_secs(u64::from(hours) * 3_600).try_into().ok();
        let mailbox = Mailbox {
            mailbox_id: self.mailbox,
            address: self.address,
            imap,
            owner: self.owner,
            language: self.language,
            category_hint: self.category,
            max_per_sender_hour: self.per_sender,
            silent_after: self.silent_after.and_then(hours),
            ..Mailbox::default()
        };
        // The environment may have them for another mailbox: one that is not fetched has none.
        let secrets = if is_fetched { [self.secret, self.client_secret] } else { Default::default() };
        (mailbox, secrets)
    }
}

async fn get(client: &mut Client, mailbox_id: String) -> anyhow::Result<Mailbox> {
    let found = client.get_mailbox(GetMailboxRequest { mailbox_id }).await?.into_inner();
    Ok(found.mailbox.unwrap_or_default())
}

async fn set(
    client: &mut Client,
    request_id: String,
    mailbox: Mailbox,
    ([secret, client_secret], seen): ([String; 2], Option<i64>),
) -> anyhow::Result<Mailbox> {
    let request = SetMailboxRequest {
        request_id,
        mailbox: Some(mailbox),
        secret,
        expected_version: seen,
        client_secret,
    };
    Ok(client.set_mailbox(request).await?.into_inner().mailbox.unwrap_or_default())
}

impl Mailboxes {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut client = Client::new(caller.client.calls());
        let request_id = caller.request_id();
        let pause = async |client: &mut Client, id, paused, request_id| {
            let mailbox = Mailbox { paused, ..get(client, id).await? };
            let seen = Some(mailbox.version);
            set(client, request_id, mailbox, (Default::default(), seen)).await
        };
        let one = match self.verb {
            MailboxVerb::Set(wanted) => {
                let (mailbox, secrets) = wanted.mailbox();
                set(&mut client, request_id, mailbox, (secrets, None)).await?
            }
            MailboxVerb::Pause { mailbox } => pause(&mut client, mailbox, true, request_id).await?,
            MailboxVerb::Resume { mailbox } => pause(&mut client, mailbox, false, request_id).await?,
            MailboxVerb::Show { mailbox } => get(&mut client, mailbox).await?,
            MailboxVerb::List => {
                let all = client.list_mailboxes(ListMailboxesRequest {}).await?.into_inner();
                return show::answer(caller.json, &all, text::mailboxes);
            }
            MailboxVerb::Delete { mailbox } => {
                let seen = get(&mut client, mailbox.clone()).await?;
                let expected_version = Some(seen.version);
                let request = DeleteMailboxRequest { request_id, mailbox_id: mailbox, expected_version };
                client.delete_mailbox(request).await?;
                seen
            }
        };
        show::answer(caller.json, &one, text::mailbox)
    }
}

#[derive(Args)]
pub(crate) struct Mails {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: MailVerb,
}

#[derive(Clone, Copy, ValueEnum)]
enum StateOf {
    /// About to be read
    Waiting,
    /// Became a complaint
    Registered,
    /// Was added to a case
    Added,
    /// Became nothing
    SetAside,
    /// Was handed to feedback
    DeliveryReport,
}

#[derive(Clone, Copy, ValueEnum)]
enum SetAsideOf {
    /// A machine answered by itself
    AutoReply,
    /// Tells that a mail was read
    ReadReceipt,
    /// Was sent to many
    Bulk,
    /// This system sent it
    Own,
    /// Its sender sent too many
    SenderRate,
    /// Cannot be read
    Unreadable,
    /// What it says was refused
    Refused,
    /// Is too large, and stays on its server
    TooLarge,
    /// Its server has it and does not give it
    FetchFailed,
}

#[derive(Subcommand)]
enum MailVerb {
    /// Lists mails, newest first
    List {
        /// Only those of this mailbox
        #[arg(long, default_value = "", hide_default_value = true)]
        mailbox: String,
        /// Only those of which this became
        #[arg(long)]
        state: Option<StateOf>,
        /// Only those of this complaint
        #[arg(long, default_value = "", hide_default_value = true)]
        complaint: String,
        /// Only those that were set aside for this
        #[arg(long, value_name = "WHY")]
        set_aside: Option<SetAsideOf>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: i32,
    },
    /// Shows a mail, and what became of it
    Show {
        /// Id of the mail
        mail: String,
    },
    /// Registers a mail that was set aside: as a complaint, or on a case
    Register {
        /// Id of the mail
        mail: String,
        /// The complaint it is added to
        #[arg(long, default_value = "", hide_default_value = true)]
        complaint: String,
        /// What it says, where it cannot be read here: as the mailbox shows it
        #[arg(long, default_value = "", hide_default_value = true)]
        text: String,
    },
    /// Says that nothing is to be done about a mail that was set aside
    Dismiss {
        /// Id of the mail
        mail: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// The contract's name of it.
fn set_aside(why: SetAsideOf) -> MailSetAside {
    match why {
        SetAsideOf::AutoReply => MailSetAside::AutoReply,
        SetAsideOf::ReadReceipt => MailSetAside::ReadReceipt,
        SetAsideOf::Bulk => MailSetAside::Bulk,
        SetAsideOf::Own => MailSetAside::Own,
        SetAsideOf::SenderRate => MailSetAside::SenderRate,
        SetAsideOf::Unreadable => MailSetAside::Unreadable,
        SetAsideOf::Refused => MailSetAside::Refused,
        SetAsideOf::TooLarge => MailSetAside::TooLarge,
        SetAsideOf::FetchFailed => MailSetAside::FetchFailed,
    }
}

impl Mails {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut client = Client::new(caller.client.calls());
        let one = match self.verb {
            MailVerb::List { mailbox, state, complaint, set_aside: why, limit } => {
                ensure!(limit > 0, "--limit must be at least 1");
                let state = state.map(|state| match state {
                    StateOf::Waiting => MailState::Waiting,
                    StateOf::Registered => MailState::Registered,
                    StateOf::Added => MailState::Added,
                    StateOf::SetAside => MailState::SetAside,
                    StateOf::DeliveryReport => MailState::DeliveryReport,
                });
                let request = ListMailsRequest {
                    page_size: limit,
                    page_token: String::new(),
                    mailbox_id: mailbox,
                    state: state.unwrap_or_default().into(),
                    complaint_id: complaint,
                    set_aside: why.map(set_aside).unwrap_or_default().into(),
                };
                let found = client.list_mails(request).await?.into_inner();
                return show::answer(caller.json, &found, text::mails);
            }
            MailVerb::Show { mail } => {
                client.get_mail(GetMailRequest { mail_id: mail }).await?.into_inner().mail
            }
            MailVerb::Register { mail, complaint, text } => {
                let request = RegisterMailRequest {
                    request_id: caller.request_id(),
                    mail_id: mail,
                    complaint_id: complaint,
                    text,
                };
                client.register_mail(request).await?.into_inner().mail
            }
            MailVerb::Dismiss { mail, reason } => {
                let request = DismissMailRequest { request_id: caller.request_id(), mail_id: mail, reason };
                client.dismiss_mail(request).await?.into_inner().mail
            }
        };
        show::answer(caller.json, &one.unwrap_or_default(), text::mail)
    }
}
