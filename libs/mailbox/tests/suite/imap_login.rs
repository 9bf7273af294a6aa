//! How a reader of IMAP reaches a server, and proves who it is.

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use mailbox::imap::{Error, Login, Options, Security};
use mailbox::oauth::{self, Token};
use webhook::Networks;

use crate::fake::{Act, Fake, Reader, error, options};
use crate::support::{Memory, until};

fn starttls(fake: &Fake) -> Options {
    Options { security: Security::StartTls, ..options(fake) }
}

#[tokio::test]
async fn starttls_comes_before_all_else() {
    let fake = Fake::with(&[1]).await.offers("IMAP4rev1 IDLE STARTTLS LOGINDISABLED AUTH=PLAIN");
    let reader = Reader::start(starttls(&fake), None, Memory::default());
    until(|| reader.log.has("caught up 1")).await;
    assert_eq!(reader.end().await, Ok(()));
    let commands =
        ["CAPABILITY", "STARTTLS", "CAPABILITY", "AUTHENTICATE PLAIN", "AGNvbXBsYWludHMAaHVudGVyMg=="];
    assert_eq!(fake.commands()[..5], commands);
}

#[tokio::test]
async fn no_server_is_told_a_password_without_the_encryption_asked_for() {
    let none = Fake::with(&[1]).await;
    assert_eq!(error(starttls(&none)).await, Error::NoStartTls);
    let refusing =
        Fake::with(&[1]).await.offers("IMAP4rev1 STARTTLS").once("STARTTLS", Act::Say("{tag} NO\r\n"));
    assert_eq!(error(starttls(&refusing)).await, Error::NoStartTls);
    let known = Fake::with(&[1]).await.offers("IMAP4rev1 STARTTLS").greets("* PREAUTH welcome back");
    assert_eq!(error(starttls(&known)).await, Error::NoStartTls);
    let injecting = Act::Say("{tag} OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n");
    let injected = Fake::with(&[1]).await.offers("IMAP4rev1 STARTTLS").once("STARTTLS", injecting);
    assert_eq!(error(starttls(&injected)).await.reason(), "PROTOCOL");
    for fake in [none, refusing, known, injected] {
        assert_eq!(fake.count("LOGIN") + fake.count("AUTHENTICATE"), 0, "{:?}", fake.commands());
    }
}

#[tokio::test]
async fn a_server_must_prove_its_name() {
    let offering = "IMAP4rev1 STARTTLS";
    let fake = Fake::with(&[1]).await.offers(offering);
    let unknown = error(Options { trusted: None, ..starttls(&fake) }).await;
    assert_eq!((unknown.reason(), unknown.is_permanent()), ("TLS", false));
    let other = error(Options { host: "127.0.0.2".to_owned(), ..starttls(&fake) }).await;
    // Nobody listens there, or it is not its name.
    assert!(["TLS", "UNREACHABLE"].contains(&other.reason()), "{other}");
    let nonsense = error(Options { trusted: Some(b"none".to_vec()), ..starttls(&fake) }).await;
    assert_eq!(nonsense.reason(), "TLS");
    // What listens speaks no TLS at once.
    assert_eq!(error(Options { security: Security::Tls, ..options(&fake) }).await.reason(), "TLS");
}

#[tokio::test]
async fn plain_connections_stay_on_this_machine_and_others_where_they_may_go() {
    let fake = Fake::with(&[1]).await;
    let abroad = Options { host: "192.0.2.1".to_owned(), ..options(&fake) };
    let error_abroad = error(abroad).await;
    assert_eq!((error_abroad.reason(), error_abroad.is_permanent()), ("INSECURE", true));
    let guarded = Options { networks: Some(Networks::default()), ..options(&fake) };
    assert_eq!(error(guarded).await.reason(), "UNREACHABLE");
    let nowhere = Options { host: "no-such-host.invalid".to_owned(), ..options(&fake) };
    assert_eq!(error(nowhere).await.reason(), "UNREACHABLE");
    assert_eq!(fake.commands(), Vec::<String>::new());
}

#[tokio::test]
async fn refusals_say_whether_they_pass() {
    for (command, said, reason, is_permanent) in [
        ("LOGIN", "{tag} NO [AUTHENTICATIONFAILED] no\r\n", "LOGIN_REFUSED", true),
        ("LOGIN", "{tag} NO [UNAVAILABLE] database\r\n", "TRY_LATER", false),
        ("LOGIN", "{tag} BAD what\r\n", "LOGIN_REFUSED", true),
        ("EXAMINE", "{tag} NO [NONEXISTENT] no\r\n", "FOLDER_MISSING", true),
        ("EXAMINE", "{tag} NO [INUSE] wait\r\n", "TRY_LATER", false),
    ] {
        let fake = Fake::with(&[1]).await.once(command, Act::Say(said));
        let error = error(options(&fake)).await;
        assert_eq!((error.reason(), error.is_permanent()), (reason, is_permanent), "{said}");
    }
    for (greeting, reason) in [("* BYE full", "ENDED"), ("220 mail ESMTP", "PROTOCOL"), ("* NO", "ENDED")] {
        let fake = Fake::with(&[1]).await.greets(greeting);
        assert_eq!(error(options(&fake)).await.reason(), reason, "{greeting}");
    }
}

#[tokio::test]
async fn passwords_are_quoted_and_never_shown() {
    let fake = Fake::with(&[1]).await.offers("IMAP4rev1 ID IDLE");
    let login = |password: &str| Login::Password { user: "a b".to_owned(), password: password.to_owned() };
    let options = Options { login: login("p\"a\\s"), folder: "收件箱".to_owned(), ..options(&fake) };
    let shown = format!("{options:?} {:?}", options.login);
    assert!(!shown.contains("p\\\"a") && shown.contains("a b"), "{shown}");
    let reader = Reader::start(options.clone(), None, Memory::default());
    until(|| reader.log.has("caught up 1")).await;
    assert_eq!(reader.end().await, Ok(()));
    let commands = fake.commands();
    let expected = [
        "CAPABILITY",
        "LOGIN \"a b\" \"p\\\"a\\\\s\"",
        "CAPABILITY",
        "ID (\"name\" \"redress\" \"vendor\" \"redress\")",
        "EXAMINE \"&ZTZO9nux-\"",
    ];
    assert_eq!(commands[..5], expected);
    // No password is sent that would be another command.
    let sneaky = Options { login: login("x\r\na1 DELETE INBOX"), ..options };
    assert_eq!(error(sneaky).await.reason(), "LOGIN_REFUSED");
    assert_eq!(fake.count("LOGIN"), 1);
}

struct Fixed(Mutex<Vec<String>>);

impl Token for Fixed {
    fn token(&self) -> BoxFuture<'_, Result<String, oauth::Error>> {
        Box::pin(async { Ok("t0ken".to_owned()) })
    }

    fn refused(&self, token: &str) {
        self.0.lock().unwrap().push(token.to_owned());
    }
}

#[tokio::test]
async fn a_token_serves_instead_of_a_password() {
    let token = Arc::new(Fixed(Mutex::default()));
    let login = Login::OAuth2 { user: "a@example.org".to_owned(), token: Arc::clone(&token) as _ };
    assert!(!format!("{login:?}").contains("t0ken"));
    let fake = Fake::with(&[1]).await;
    let reader = Reader::start(Options { login: login.clone(), ..options(&fake) }, None, Memory::default());
    until(|| reader.log.has("caught up 1")).await;
    assert_eq!(reader.end().await, Ok(()));
    let response = "dXNlcj1hQGV4YW1wbGUub3JnAWF1dGg9QmVhcmVyIHQwa2VuAQE=";
    assert_eq!(fake.commands()[1..3], ["AUTHENTICATE XOAUTH2", response]);
    assert_eq!(*token.0.lock().unwrap(), Vec::<String>::new());
    // No user is sent that would be more than a user.
    let sneaky = Login::OAuth2 { user: "a\u{1}auth=Bearer b".to_owned(), token: Arc::clone(&token) as _ };
    assert_eq!(error(Options { login: sneaky, ..options(&fake) }).await.reason(), "LOGIN_REFUSED");
    assert_eq!(fake.count("AUTHENTICATE"), 1);
    // A refusal comes with its reason first, which wants an empty line.
    let fake = Fake::with(&[1])
        .await
        .once("AUTHENTICATE", Act::Say("+ \r\n+ eyJzdGF0dXMiOiI0MDEifQ==\r\n{tag} NO no\r\n"));
    let error = error(Options { login, ..options(&fake) }).await;
    assert_eq!(error, Error::LoginRefused("no".to_owned()));
    assert_eq!(*token.0.lock().unwrap(), ["t0ken"]);
}
