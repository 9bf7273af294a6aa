//! By which means notices go, and what comes back of them.

use std::process::Stdio;

use feedback::bounce::{ReturnPath, Sent};
use kernel::NoticeId;
use server::Secret;
use testkit::{House, eventually};
use tokio::io::AsyncWriteExt as _;

use super::{Terminal, err, out, program};

#[tokio::test(flavor = "multi_thread")]
async fn a_routing_is_read_edited_and_put_in_force() {
    let terminal = Terminal::open().await;
    let mut routing = terminal.json(&["notices", "routing", "get"]).await;
    assert_eq!(routing["closingSoonDays"], 2);
    routing["rules"] = serde_json::json!([
        { "kinds": ["NOTICE_KIND_OUTCOME"], "means": ["NOTICE_MEANS_SMS", "NOTICE_MEANS_EMAIL"] }
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.json");
    let file = path.to_str().unwrap();
    std::fs::write(&path, routing.to_string()).unwrap();
    let made = terminal.text(&["notices", "routing", "set", file]).await;
    assert!(made.contains("sms, email"), "{made}");
    let before = terminal.text(&["notices", "routing", "get"]).await;
    assert!(!before.contains("sms, email"), "not in force yet: {before}");
    terminal.text(&["notices", "routing", "activate", "1"]).await;
    let after = terminal.json(&["notices", "routing", "get"]).await;
    assert_eq!((&after["version"], &after["rules"]), (&serde_json::json!("1"), &routing["rules"]));
    let shipped = terminal.json(&["notices", "routing", "get", "--version", "0"]).await;
    assert_ne!(shipped["rules"], routing["rules"]);

    routing["rules"] = serde_json::json!([]);
    std::fs::write(&path, routing.to_string()).unwrap();
    let refused = terminal.refusal(&["notices", "routing", "set", file]).await;
    assert!(refused.contains("INVALID_NOTICE_ROUTING") && refused.contains("rules"), "{refused}");
    let missing = terminal.refusal(&["notices", "routing", "activate", "7"]).await;
    assert!(missing.contains("NOTICE_ROUTING_NOT_FOUND"), "{missing}");
    terminal.house.done().await;
}

const MAILBOX: &str = "bounces@example.org";
const KEY: &str = "a key of more than thirty-two characters";

/// Someone with a house whose mails are taken over, and come back to a mailbox.
async fn mailing(sink: &demo::MailSink) -> Terminal {
    let settings = |settings: &mut server::Settings| {
        settings.smtp_url = Some(Secret::from(sink.url()));
        settings.notices.bounce_address = MAILBOX.into();
        settings.notices.bounce_key = Some(Secret::from(KEY.to_owned()));
    };
    let house = House::builder(&redress::SERVICES).settings(settings).open().await;
    let server = format!("http://{}", house.address());
    Terminal { house, server }
}

/// What a mail server sends back about the first mail of a notice.
fn returned(notice: &str) -> (String, String) {
    let sent = Sent { notice: NoticeId(notice.parse().unwrap()), sending: 1 };
    let address = ReturnPath::new(MAILBOX, KEY).unwrap().address(sent).unwrap();
    let message = format!(
        "From: MAILER-DAEMON@mx.example.com\r\nTo: {address}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n\
         Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    );
    (message, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_is_taken_in_from_a_file_and_as_a_mail_server_hands_it_over() {
    let sink = demo::MailSink::open().await.unwrap();
    let terminal = mailing(&sink).await;
    let submit =
        ["submit", "--channel", "web", "--language", "en", "--subject", "Kettle", "--description", "Broken."];
    terminal.text(&[&submit[..], &["--email", "ada@example.com"]].concat()).await;
    eventually(async || sink.count() == 1).await;
    terminal.house.settled().await;
    let listed = terminal.json(&["notices"]).await;
    let (message, address) = returned(listed["notices"][0]["noticeId"].as_str().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bounce.eml");
    let file = path.to_str().unwrap();
    std::fs::write(&path, &message).unwrap();
    let taken = terminal.text(&["notices", "bounce", file]).await;
    for word in ["undelivered", "failed", "5.1.1", "mx.example.com"] {
        assert!(taken.contains(word), "{word}: {taken}");
    }
    assert!(terminal.text(&["notices", "--needs-person"]).await.contains("5.1.1"));

    std::fs::write(&path, "From: ada@example.com\r\nSubject: I am away\r\n\r\nUntil May.\r\n").unwrap();
    assert!(terminal.refusal(&["notices", "bounce", file]).await.contains("NOT_A_BOUNCE"));
    let piped = async |message: &str, server: &str| {
        let verb = ["notices", "bounce", "--mail-server", "--recipient", &address, "--server", server];
        let mut child = program(&verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(message.as_bytes()).await.unwrap();
        child.wait_with_output().await.unwrap()
    };
    let again = piped(&message, &terminal.server).await;
    assert_eq!(again.status.code(), Some(0), "{}", err(&again));
    assert!(out(&again).contains("5.1.1"));
    let reply = piped("Subject: I am away\r\n\r\nUntil May.\r\n", &terminal.server).await;
    assert_eq!(reply.status.code(), Some(0), "nobody is answered");
    assert!(err(&reply).contains("NOT_A_BOUNCE"), "{}", err(&reply));
    let away = piped(&message, "http://127.0.0.1:9").await;
    assert_eq!(away.status.code(), Some(75), "to be tried again");
    terminal.house.done().await;
}
