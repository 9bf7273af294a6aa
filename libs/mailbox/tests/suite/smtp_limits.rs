//! What a listener of SMTP bears, and for how long.

use std::time::Duration;

use mailbox::Kept;
use mailbox::smtp::Options;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::smtp_talk::{Listening, Talk, smtp};
use crate::support::{Memory, soon};

#[tokio::test]
async fn a_message_is_as_large_as_it_may_be_and_no_larger() {
    let listening = Listening::with(smtp(), Memory::default()).await;
    let mut talk = listening.ready().await;
    talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    talk.say(&format!("{}\r\n.", "a".repeat(998)), "250 2.0.0 OK").await;
    talk.say("MAIL FROM:<a@example.org>", "250 2.1.0 sender accepted").await;
    talk.say("RCPT TO:<c@example.org>", "250 2.1.5 recipient accepted").await;
    talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    talk.say(&format!("{}\r\n.", "a".repeat(999)), "552 5.3.4 message too large").await;
    talk.say("MAIL FROM:<a@example.org>", "250 2.1.0 sender accepted").await;
    talk.say("RCPT TO:<c@example.org>", "250 2.1.5 recipient accepted").await;
    talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    // It never ends.
    talk.send(&vec![b'a'; 50_000]).await;
    talk.hear(&["421 4.7.0 much too large"]).await;
    talk.ends().await;
    assert_eq!(listening.keep.texts(), [format!("{}\r\n", "a".repeat(998))]);
}

#[tokio::test]
async fn recipients_are_counted() {
    let options = Options { most_recipients: 2, ..smtp() };
    let listening = Listening::with(options, Memory::default()).await;
    let mut talk = listening.ready().await;
    talk.say("RCPT TO:<c2@example.org>", "250 2.1.5 recipient accepted").await;
    talk.say("RCPT TO:<c3@example.org>", "452 4.5.3 too many recipients").await;
    talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    talk.say(".", "250 2.0.0 OK").await;
    assert_eq!(listening.keep.count(), 1);
}

#[tokio::test]
async fn connections_are_counted() {
    let options = Options { most_connections: 10, most_per_peer: 2, ..smtp() };
    let listening = Listening::with(options, Memory::default()).await;
    let first = listening.talk().await;
    let mut second = listening.talk().await;
    let mut third = Talk::on(TcpStream::connect(listening.address).await.unwrap());
    third.hear(&["421 4.3.2 mx.example.org too many connections"]).await;
    third.ends().await;
    drop(first);
    // Its place is free once its end was noticed.
    let started = Instant::now();
    loop {
        let mut next = Talk::on(TcpStream::connect(listening.address).await.unwrap());
        if next.line().await == "220 mx.example.org ESMTP" {
            break;
        }
        assert!(started.elapsed() < crate::support::PATIENCE, "the place does not become free");
    }
    second.say("NOOP", "250 2.0.0 OK").await;
}

#[tokio::test]
async fn who_errs_too_often_is_left() {
    let listening = Listening::with(smtp(), Memory::default()).await;
    let mut talk = listening.talk().await;
    for _ in 0..20 {
        talk.say("GET / HTTP/1.1", "500 5.5.1 unknown command").await;
    }
    talk.say("GET / HTTP/1.1", "500 5.5.1 unknown command").await;
    talk.hear(&["421 4.7.0 too many errors"]).await;
    talk.ends().await;
}

#[tokio::test]
async fn lines_are_short_and_whole() {
    let listening = Listening::with(smtp(), Memory::default()).await;
    let mut talk = listening.talk().await;
    talk.say(&"a".repeat(10_000), "500 5.5.2 line too long").await;
    talk.send(b"NOOP\nNOOP\0\r\nNOOP \xff\r\nNOOP\r\n").await;
    talk.hear(&["500 5.5.2 lines must end with CR LF and be UTF-8"; 3]).await;
    talk.hear(&["250 2.0.0 OK"]).await;
    talk.send(&vec![b'a'; 100_000]).await;
    talk.hear(&["421 4.7.0 a line has no end"]).await;
    talk.ends().await;
}

#[tokio::test]
async fn who_says_nothing_is_left() {
    let mut options = smtp();
    options.timeouts.command = Duration::from_millis(50);
    let listening = Listening::with(options, Memory::default()).await;
    let mut talk = listening.talk().await;
    talk.hear(&["421 4.4.2 waited too long"]).await;
    talk.ends().await;
    let mut options = smtp();
    options.timeouts.block = Duration::from_millis(50);
    let listening = Listening::with(options, Memory::default()).await;
    let mut talk = listening.ready().await;
    talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    talk.send(b"text").await;
    talk.hear(&["421 4.4.2 waited too long"]).await;
    talk.ends().await;
    assert_eq!(listening.keep.count(), 0);
}

#[tokio::test]
async fn who_sends_drop_by_drop_is_left() {
    let mut options = smtp();
    options.timeouts.message = Duration::from_millis(100);
    let listening = Listening::with(options, Memory::default()).await;
    let mut talk = listening.ready().await;
    talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    let answer = soon(async {
        loop {
            talk.send(b"a").await;
            if let Ok(line) = tokio::time::timeout(Duration::from_millis(10), talk.line()).await {
                break line;
            }
        }
    });
    assert_eq!(answer.await, "421 4.4.2 waited too long");
    let mut options = smtp();
    options.timeouts.session = Duration::from_millis(50);
    let listening = Listening::with(options, Memory::default()).await;
    let mut talk = listening.talk().await;
    talk.hear(&["421 4.7.0 the session takes too long, connect again"]).await;
}

#[tokio::test]
async fn who_keeps_and_who_accepts_are_waited_for_so_long() {
    let mut options = smtp();
    options.timeouts.accept = Duration::from_millis(50);
    options.timeouts.keep = Duration::from_millis(50);
    let keep = Memory { pause: Duration::from_mins(10), ..Memory::default() };
    let listening = Listening::with(options, keep).await;
    let mut talk = listening.ready().await;
    talk.say("RCPT TO:<slow@example.org>", "451 4.3.0 cannot look up the recipient now").await;
    talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    talk.say(".", "451 4.3.0 cannot store the message now").await;
}

#[tokio::test]
async fn a_message_under_way_is_finished_when_the_listener_stops() {
    let keep = Memory { pause: Duration::from_millis(50), ..Memory::answering([Kept::Kept]) };
    let listening = Listening::with(smtp(), keep).await;
    let mut idle = listening.talk().await;
    let mut named = listening.ready().await;
    let mut sending = listening.ready().await;
    sending.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    sending.send(b"one\r\n").await;
    let mut chunked = listening.ready().await;
    chunked.send(b"BDAT 3\r\ntwo").await;
    chunked.hear(&["250 2.0.0 chunk received"]).await;
    listening.stop.cancel();
    for talk in [&mut idle, &mut named] {
        talk.hear(&["421 4.3.2 the service stops, send again"]).await;
        talk.ends().await;
    }
    sending.say(".", "250 2.0.0 OK").await;
    chunked.send(b"BDAT 1\r\n!").await;
    chunked.hear(&["250 2.0.0 chunk received"]).await;
    chunked.say("BDAT 0 LAST", "250 2.0.0 OK").await;
    for talk in [&mut sending, &mut chunked] {
        talk.hear(&["421 4.3.2 the service stops, send again"]).await;
        talk.ends().await;
    }
    drop((idle, named, sending, chunked));
    soon(listening.serving).await.unwrap();
    let mut texts = listening.keep.texts();
    texts.sort();
    assert_eq!(texts, ["one\r\n", "two!"]);
    assert!(TcpStream::connect(listening.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn who_does_not_finish_is_cut_when_the_listener_stops() {
    let mut options = smtp();
    options.timeouts.stop = Duration::from_millis(50);
    let listening = Listening::with(options, Memory::default()).await;
    let mut talk = listening.ready().await;
    talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    listening.stop.cancel();
    soon(listening.serving).await.unwrap();
    talk.ends().await;
    assert_eq!(listening.keep.count(), 0);
}
