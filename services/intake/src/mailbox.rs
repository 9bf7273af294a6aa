//! Mailboxes that complaints arrive in: what is settled about each, and how far it is read.

use std::time::Duration;

use jiff::Timestamp;
use server::Secret;

/// Most mailboxes of a tenant.
pub(crate) const MAX_MAILBOXES: i64 = 50;
/// Mails of one sender within an hour that are taken, where nothing is settled.
pub(crate) const DEFAULT_PER_SENDER: i32 = 20;
/// Most of them that may be settled.
pub(crate) const MAX_PER_SENDER: i32 = 1_000;
/// Longest that a mailbox may be silent before it is told.
pub(crate) const MAX_SILENT: Duration = Duration::from_hours(90 * 24);
/// When a mailbox is tried again that could not be read, for the first time; the double each
/// time after that.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// How often in a row a server may not give one mail before that is passed over: some three
/// minutes, within which most of what is wrong with servers passes.
const MAX_NOT_GIVEN: i32 = 6;
/// Longest until one is tried again.
const LAST_RETRY: Duration = Duration::from_mins(5);

kernel::numbered! {
    /// How a connection to a mail server is secured; numbers of the contract.
    Security {
        /// TLS from the first byte.
        Tls = 1,
        /// TLS by STARTTLS.
        StartTls = 2,
        /// None.
        Plain = 3,
    }
}

kernel::numbered! {
    /// How far a mailbox is; numbers of the contract.
    State {
        /// Nobody reads it just now.
        Waiting = 1,
        /// It is read.
        Reading = 2,
        /// It cannot be read.
        Failing = 3,
        /// It is read, and silent for too long.
        Silent = 4,
        /// Somebody said that it is not to be read.
        Paused = 5,
        /// Mails are handed over.
        HandedOver = 6,
    }
}

/// A folder on an IMAP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Imap {
    /// The server.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
    /// How the connection is secured.
    pub(crate) security: Security,
    /// Whom to log in as.
    pub(crate) username: String,
    /// The folder.
    pub(crate) folder: String,
    /// The password, refresh token or client's secret.
    pub(crate) secret: Option<Secret>,
    /// Where tokens are had from.
    pub(crate) token_source: Option<TokenSource>,
}

/// Where a mail server's tokens are had from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenSource {
    /// URL of the token endpoint.
    pub(crate) url: String,
    /// The client.
    pub(crate) client_id: String,
    /// Its secret, where the mailbox's is a refresh token.
    pub(crate) client_secret: Option<Secret>,
    /// What is asked for.
    pub(crate) scope: String,
    /// Whether the secret is a refresh token, and not the client's.
    pub(crate) by_refresh_token: bool,
}

/// What is settled about a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Its name.
    pub(crate) id: String,
    /// The address that people write to, in lower case.
    pub(crate) address: String,
    /// Where mails are fetched; none where they are handed over.
    pub(crate) imap: Option<Imap>,
    /// Who answers for it.
    pub(crate) owner: String,
    /// Language of mails that name none.
    pub(crate) language: String,
    /// The category its mails are believed to belong to.
    pub(crate) category_hint: String,
    /// Mails of one sender within an hour that are taken.
    pub(crate) max_per_sender_hour: i32,
    /// How long it may be silent; none: as long as it likes.
    pub(crate) silent_after: Option<Duration>,
    /// Whether it is left alone.
    pub(crate) paused: bool,
}

/// Where reading goes on: a folder's UIDVALIDITY, and the last UID that was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// UIDVALIDITY; 0 before the folder was read.
    pub(crate) uid_validity: u32,
    /// UID.
    pub(crate) last_uid: u32,
}

/// Why a mailbox cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// A stable name.
    pub(crate) reason: String,
    /// In words.
    pub(crate) words: String,
    /// Since when.
    pub(crate) since: Timestamp,
}

/// A mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mailbox {
    /// What is settled about it.
    pub(crate) settings: Settings,
    /// Counts the changes, from 1.
    pub(crate) version: i64,
    /// Who changed it last.
    pub(crate) updater: String,
    /// When.
    pub(crate) updated: Timestamp,
    /// Where reading goes on.
    pub(crate) position: Position,
    /// Until when somebody holds it.
    pub(crate) held_until: Option<Timestamp>,
    /// When the server last said that there is nothing more.
    pub(crate) caught_up: Option<Timestamp>,
    /// When a mail was last taken in.
    pub(crate) last_mail: Option<Timestamp>,
    /// Why it cannot be read.
    pub(crate) failure: Option<Failure>,
    /// How often in a row it could not be.
    pub(crate) attempts: i32,
    /// The mail that the server was last asked for and did not give.
    pub(crate) not_given: NotGiven,
}

/// A mail that a server has and does not give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NotGiven {
    /// Its UID; 0 where there is none.
    pub(crate) uid: u32,
    /// How often in a row it was not given.
    pub(crate) attempts: i32,
}

impl NotGiven {
    /// What is known once a mail was not given again, or for the first time.
    pub(crate) fn again(self, uid: u32) -> Self {
        let before = if self.uid == uid { self.attempts } else { 0 };
        Self { uid, attempts: before.saturating_add(1) }
    }

    /// Whether it was asked for often enough to be passed over: others wait behind it.
    pub(crate) fn is_given_up(self) -> bool {
        self.attempts >= MAX_NOT_GIVEN
    }
}

impl Mailbox {
    /// One that was just set up.
    pub(crate) fn new(settings: Settings, updater: String, now: Timestamp) -> Self {
        Self {
            settings,
            version: 1,
            updater,
            updated: now,
            position: Position::default(),
            held_until: None,
            caught_up: None,
            last_mail: None,
            failure: None,
            attempts: 0,
            not_given: NotGiven::default(),
        }
    }

    /// Changes what is settled. Another folder is read from its beginning; whatever was wrong
    /// is tried anew.
    pub(crate) fn change(&mut self, settings: Settings, updater: String, now: Timestamp) {
        if !self.settings.reads_the_same_as(&settings) {
            self.position = Position::default();
            self.caught_up = None;
        }
        self.settings = settings;
        self.version += 1;
        (self.updater, self.updated) = (updater, now);
        (self.failure, self.attempts, self.held_until) = (None, 0, None);
        self.not_given = NotGiven::default();
    }

    /// How far it is.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        if self.settings.paused {
            return State::Paused;
        }
        if self.failure.is_some() {
            return State::Failing;
        }
        if self.is_silent(now) {
            return State::Silent;
        }
        let is_read = self.caught_up.is_some() && self.held_until.is_some_and(|until| until > now);
        match self.settings.imap {
            None => State::HandedOver,
            Some(_) if is_read => State::Reading,
            Some(_) => State::Waiting,
        }
    }

    /// Whether nothing has arrived for longer than is usual: since the last mail, or since it
    /// was set up.
    fn is_silent(&self, now: Timestamp) -> bool {
        let since = self.last_mail.unwrap_or(self.updated);
        let told = self.settings.silent_after.and_then(|after| since.saturating_add(after).ok());
        told.is_some_and(|told| told < now)
    }
}

impl Settings {
    /// Whether the same folder is read as the same user.
    fn reads_the_same_as(&self, other: &Self) -> bool {
        let what = |settings: &Self| {
            let imap = settings.imap.as_ref()?;
            Some((imap.host.clone(), imap.port, imap.username.clone(), imap.folder.clone()))
        };
        what(self) == what(other)
    }

    /// Keeps the secret there is, where none is given and it is for the same server and user.
    pub(crate) fn keep_secret_of(&mut self, before: &Self) {
        let (Some(mine), Some(theirs)) = (&mut self.imap, &before.imap) else { return };
        let given_to = |imap: &Imap| {
            let source = imap.token_source.as_ref();
            (
                imap.host.clone(),
                imap.username.clone(),
                source.map(|one| (one.url.clone(), one.client_id.clone())),
            )
        };
        let is_same = given_to(mine) == given_to(theirs);
        if mine.secret.is_none() && is_same {
            mine.secret.clone_from(&theirs.secret);
        }
        if let (Some(mine), Some(theirs)) = (&mut mine.token_source, &theirs.token_source)
            && mine.client_secret.is_none()
            && is_same
        {
            mine.client_secret.clone_from(&theirs.client_secret);
        }
    }

    /// Whether it cannot be logged in to, for want of a secret.
    pub(crate) fn lacks_secret(&self) -> bool {
        self.imap.as_ref().is_some_and(|imap| imap.secret.is_none())
    }
}

/// When a mailbox is tried again that could not be read so often in a row.
pub(crate) fn retry(attempts: i32) -> Duration {
    kernel::time::doubled(FIRST_RETRY, LAST_RETRY, attempts)
}

/// The address of a mailbox that a mail to an address is for: without the tag, in lower case.
/// None where it is no address.
pub(crate) fn untagged(address: &str) -> Option<String> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let local = local.split_once('+').map_or(local, |(local, _)| local);
    let is_one = !local.is_empty() && !domain.is_empty();
    is_one.then(|| format!("{local}@{domain}").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    fn imap() -> Imap {
        Imap {
            host: "imap.example.org".to_owned(),
            port: 993,
            security: Security::Tls,
            username: "complaints".to_owned(),
            folder: "INBOX".to_owned(),
            secret: Some(Secret::from("hunter2".to_owned())),
            token_source: None,
        }
    }

    fn mailbox(imap: Option<Imap>) -> Mailbox {
        let settings = Settings {
            id: "shop".to_owned(),
            address: "complaints@shop.example".to_owned(),
            imap,
            owner: "ada".to_owned(),
            language: "en".to_owned(),
            category_hint: String::new(),
            max_per_sender_hour: DEFAULT_PER_SENDER,
            silent_after: Some(Duration::from_secs(100)),
            paused: false,
        };
        Mailbox::new(settings, "ada".to_owned(), at(0))
    }

    #[test]
    fn a_mailbox_is_as_far_as_what_is_known_of_it() {
        let mut one = mailbox(Some(imap()));
        assert_eq!(one.state(at(1)), State::Waiting);
        (one.held_until, one.caught_up) = (Some(at(50)), Some(at(2)));
        assert_eq!(one.state(at(49)), State::Reading);
        assert_eq!(one.state(at(50)), State::Waiting, "its reader has not been heard of");
        assert_eq!(one.state(at(101)), State::Silent);
        one.last_mail = Some(at(60));
        assert_eq!(one.state(at(101)), State::Waiting);
        assert_eq!(one.state(at(161)), State::Silent);
        one.failure =
            Some(Failure { reason: "LOGIN_REFUSED".to_owned(), words: String::new(), since: at(3) });
        assert_eq!(one.state(at(161)), State::Failing);
        one.settings.paused = true;
        assert_eq!(one.state(at(161)), State::Paused);
        assert_eq!(mailbox(None).state(at(1)), State::HandedOver);
    }

    #[test]
    fn another_folder_is_read_from_its_beginning_and_the_same_goes_on() {
        let mut one = mailbox(Some(imap()));
        let read = Position { uid_validity: 7, last_uid: 9 };
        one.position = read;
        let settled = Settings { owner: "bob".to_owned(), ..one.settings.clone() };
        one.change(settled, "bob".to_owned(), at(1));
        assert_eq!((one.position, one.version, one.updated), (read, 2, at(1)));
        let other = Imap { folder: "Complaints".to_owned(), ..imap() };
        one.change(Settings { imap: Some(other), ..one.settings.clone() }, "bob".to_owned(), at(2));
        assert_eq!(one.position, Position::default());
    }

    #[test]
    fn a_secret_is_kept_for_the_same_server_and_user_only() {
        let before = mailbox(Some(imap())).settings;
        let kept = |change: fn(&mut Imap)| {
            let mut other = Imap { secret: None, ..imap() };
            change(&mut other);
            let mut settings = Settings { imap: Some(other), ..before.clone() };
            settings.keep_secret_of(&before);
            !settings.lacks_secret()
        };
        assert!(kept(|imap| imap.folder = "Other".to_owned()));
        assert!(!kept(|imap| imap.host = "imap.attacker.example".to_owned()));
        assert!(!kept(|imap| imap.username = "other".to_owned()));
        let source = || TokenSource {
            url: "https://login.example.org/token".to_owned(),
            client_id: "redress".to_owned(),
            client_secret: None,
            scope: String::new(),
            by_refresh_token: false,
        };
        let mut other = Imap { secret: None, ..imap() };
        other.token_source = Some(source());
        let mut settings = Settings { imap: Some(other), ..before.clone() };
        settings.keep_secret_of(&before);
        assert!(settings.lacks_secret(), "a password is sent to nobody who gives tokens");
    }

    #[test]
    fn a_mail_that_is_not_given_is_given_up_after_some_attempts_of_its_own() {
        let mut one = NotGiven::default();
        for _ in 0..MAX_NOT_GIVEN - 1 {
            one = one.again(7);
            assert!(!one.is_given_up());
        }
        assert!(one.again(7).is_given_up());
        assert_eq!(one.again(8), NotGiven { uid: 8, attempts: 1 }, "another has its own");
    }

    #[test]
    fn an_address_is_known_without_its_tag() {
        for (address, expected) in [
            ("Complaints+c7abc@Shop.example", Some("complaints@shop.example")),
            ("complaints@shop.example", Some("complaints@shop.example")),
            ("a+b+c@shop.example", Some("a@shop.example")),
            ("+b@shop.example", None),
            ("complaints", None),
            ("complaints@", None),
        ] {
            assert_eq!(untagged(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn one_that_cannot_be_read_is_tried_less_and_less_often() {
        let seconds: Vec<u64> = (0..8).map(|attempts| retry(attempts).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(retry(i32::MAX), LAST_RETRY);
    }
}
