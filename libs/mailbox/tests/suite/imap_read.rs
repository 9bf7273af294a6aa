//! What a reader of IMAP does when all goes well, or as well as it goes with servers.

use std::time::Duration;

use mailbox::imap::Position;
use mailbox::{Kept, Origin, Outline};

use crate::fake::{Act, Fake, Reader, message, options};
use crate::support::{Memory, soon, until};

fn text(uid: u32) -> String {
    String::from_utf8(message(uid)).unwrap()
}

#[tokio::test]
async fn messages_are_read_in_order_and_more_are_waited_for() {
    let fake = Fake::with(&[3, 5, 900]).await;
    let reader = Reader::of(&fake);
    until(|| reader.log.has("caught up 900")).await;
    fake.arrive(901);
    until(|| reader.log.has("caught up 901")).await;
    let told =
        ["connected 7/0", "kept 3", "kept 5", "kept 900", "caught up 900", "kept 901", "caught up 901"];
    assert_eq!(reader.log.lines(), told);
    assert_eq!(reader.keep.texts(), [3, 5, 900, 901].map(text));
    let date = Some("1996-07-17T09:44:25Z".parse().unwrap());
    assert_eq!(reader.keep.origin(0), Origin::Imap { uid_validity: 7, uid: 3, internal_date: date });
    assert_eq!(reader.log.position(), Some(Position { uid_validity: 7, last_uid: 901 }));
    assert_eq!(reader.end().await, Ok(()));
    let changes = ["SELECT", "STORE", "UID STORE", "EXPUNGE"].map(|command| fake.count(command));
    assert_eq!(changes, [0; 4], "it changes nothing: {:?}", fake.commands());
}

#[tokio::test]
async fn reading_goes_on_after_a_position_of_the_same_folder() {
    let fake = Fake::with(&[1, 2, 3]).await;
    let position = Some(Position { uid_validity: 7, last_uid: 2 });
    let reader = Reader::start(options(&fake), position, Memory::default());
    until(|| reader.log.has("caught up 3")).await;
    assert_eq!((reader.keep.uids(), reader.log.lines()[0].as_str()), (vec![3], "connected 7/2"));
    assert_eq!(reader.end().await, Ok(()));
    fake.anew(8);
    let reader = Reader::start(options(&fake), position, Memory::default());
    until(|| reader.log.has("caught up 3")).await;
    assert_eq!((reader.keep.uids(), reader.log.lines()[0].as_str()), (vec![1, 2, 3], "connected 8/0"));
    assert_eq!(reader.end().await, Ok(()));
}

#[tokio::test]
async fn an_empty_folder_is_waited_for() {
    let fake = Fake::with(&[]).await;
    let reader = Reader::of(&fake);
    until(|| reader.log.has("caught up 0")).await;
    fake.arrive(1);
    until(|| reader.log.has("caught up 1")).await;
    assert_eq!(reader.keep.uids(), [1]);
    assert_eq!(reader.end().await, Ok(()));
}

#[tokio::test]
async fn a_folder_that_is_emptied_meanwhile_is_waited_for() {
    let fake = Fake::with(&[1]).await;
    let mut options = options(&fake);
    options.timeouts.idle = Duration::from_millis(100);
    let reader = Reader::start(options, None, Memory::default());
    until(|| fake.count("IDLE") == 1).await;
    fake.remove(1);
    let idled = fake.count("IDLE");
    until(|| fake.count("IDLE") >= idled + 3).await;
    fake.arrive(2);
    until(|| reader.log.has("kept 2")).await;
    assert_eq!(reader.end().await, Ok(()));
}

#[tokio::test]
async fn a_server_without_idle_is_asked_now_and_then() {
    let fake = Fake::with(&[1]).await.offers("IMAP4rev1");
    let reader = Reader::of(&fake);
    until(|| reader.log.has("quiet")).await;
    fake.arrive(2);
    until(|| reader.log.has("kept 2")).await;
    assert_eq!(reader.end().await, Ok(()));
    assert_eq!(fake.count("IDLE"), 0);
    assert!(fake.count("NOOP") >= 2);
}

#[tokio::test]
async fn idle_is_renewed_and_the_folder_looked_at_each_time() {
    let fake = Fake::with(&[1]).await;
    let mut options = options(&fake);
    options.timeouts.idle = Duration::from_millis(30);
    let reader = Reader::start(options, None, Memory::default());
    until(|| reader.log.lines().iter().filter(|line| *line == "quiet").count() >= 3).await;
    assert_eq!(reader.end().await, Ok(()));
    assert!(fake.count("IDLE") >= 3 && fake.count("FETCH * (UID)") >= 3, "{:?}", fake.commands());
}

#[tokio::test]
async fn what_comes_unasked_does_no_harm() {
    const UNASKED: &str = "* 9 EXISTS\r\n* 4 FETCH (FLAGS (\\Seen))\r\n* 4 FETCH (UID 77 FLAGS ())\r\n\
        * 2 FETCH (UID 2 FLAGS (\\Seen))\r\n* 5 EXPUNGE\r\n* OK [ALERT]é ünd {12}\r\n* NO [WHAT 1] (((\r\n\
        * XODD \"a\" {3}\r\nabc)\r\n* SEARCH 76\r\nr0 OK not yours\r\n+ why not\r\n";
    let fake = Fake::with(&[1, 2, 3]).await;
    let fake = ["CAPABILITY", "EXAMINE", "UID SEARCH", "UID FETCH", "IDLE"]
        .into_iter()
        .fold(fake, |fake, command| fake.always(command, Act::Also(UNASKED)));
    let reader = Reader::of(&fake);
    until(|| reader.log.has("caught up 3")).await;
    fake.arrive(4);
    until(|| reader.log.has("kept 4")).await;
    assert_eq!(reader.keep.texts(), [1, 2, 3, 4].map(text));
    assert_eq!(reader.end().await, Ok(()));
}

#[tokio::test]
async fn a_slow_server_is_read_to_the_end() {
    let fake = Fake::with(&[1, 2]).await.slowly();
    let reader = Reader::of(&fake);
    until(|| reader.log.has("caught up 2")).await;
    assert_eq!(reader.keep.texts(), [1, 2].map(text));
    assert_eq!(reader.end().await, Ok(()));
}

#[tokio::test]
async fn a_folder_with_gaps_takes_few_questions() {
    let fake = Fake::with(&[3_000_000, 3_000_001, 3_025_000]).await;
    let reader = Reader::of(&fake);
    until(|| reader.log.has("caught up 3025000")).await;
    assert_eq!(reader.keep.uids(), [3_000_000, 3_000_001, 3_025_000]);
    assert_eq!(reader.end().await, Ok(()));
    assert_eq!(fake.count("UID SEARCH"), 4, "{:?}", fake.commands());
    // The last uid there is.
    let fake = Fake::with(&[u32::MAX - 1, u32::MAX]).await;
    let reader = Reader::of(&fake);
    until(|| reader.log.has("caught up 4294967295")).await;
    assert_eq!(reader.keep.uids(), [u32::MAX - 1, u32::MAX]);
    assert_eq!(reader.end().await, Ok(()));
}

#[tokio::test]
async fn what_was_said_first_of_the_folder_is_not_believed_blindly() {
    // A message that is not the first is told of as if it were.
    let fake = Fake::with(&[1, 2, 3]).await.once("FETCH 1", Act::Say("* 3 FETCH (UID 3)\r\n{tag} OK\r\n"));
    let reader = Reader::of(&fake);
    until(|| reader.log.has("caught up 3")).await;
    assert_eq!(reader.keep.uids(), [1, 2, 3]);
    assert_eq!(reader.end().await, Ok(()));
}

#[tokio::test]
async fn a_refused_message_is_passed_over_and_one_put_off_is_not() {
    let fake = Fake::with(&[1, 2, 3]).await;
    let answers = [Kept::Refuse("no\r\nmail".to_owned()), Kept::Kept, Kept::TryLater("full".to_owned())];
    let reader = Reader::start(options(&fake), None, Memory::answering(answers));
    let error = soon(reader.reading).await.unwrap().unwrap_err();
    assert_eq!((error.reason(), error.is_permanent()), ("TRY_LATER", false));
    assert_eq!(error.to_string(), "to be tried again later: full");
    assert_eq!(reader.log.lines(), ["connected 7/0", "refused 1: no??mail", "kept 2"]);
    let reader = Reader::start(options(&fake), reader.log.position(), Memory::default());
    until(|| reader.log.has("caught up 3")).await;
    assert_eq!(reader.keep.uids(), [3]);
    assert_eq!(reader.end().await, Ok(()));
}

#[tokio::test]
async fn what_is_too_large_is_told_and_passed_over() {
    let fake = Fake::with(&[1, 4]).await;
    fake.put(2, vec![b'a'; 101]);
    // Of this one the server says that it is smaller than it is.
    fake.put(3, vec![b'b'; 5_000]);
    let fake =
        fake.once("UID FETCH 3 (UID RFC", Act::Say("* 3 FETCH (UID 3 RFC822.SIZE 12)\r\n{tag} OK\r\n"));
    let mut options = options(&fake);
    options.largest = 100;
    let reader = Reader::start(options, None, Memory::default());
    until(|| reader.log.has("caught up 4")).await;
    let told = ["kept 1", "too large 2: 101", "too large 3: 5000", "kept 4"];
    assert_eq!(reader.log.lines()[1..5], told);
    assert_eq!(fake.count("UID FETCH 2 (UID BODY.PEEK[]"), 0);
    assert_eq!(reader.end().await, Ok(()));
}

#[tokio::test]
async fn of_what_is_too_large_is_told_what_can_be_known_and_nobody_goes_on_before_that_is_kept() {
    let fake = Fake::with(&[1]).await;
    let header = "Subject: large\r\nMessage-ID: <a@b>\r\n\r\n";
    fake.put(2, format!("{header}{}", "a".repeat(100)).into_bytes());
    let mut options = options(&fake);
    options.largest = 100;
    let keep = Memory::answering([Kept::Kept, Kept::TryLater("full".to_owned())]);
    let reader = Reader::start(options.clone(), None, keep);
    let error = soon(reader.reading).await.unwrap().unwrap_err();
    assert_eq!((error.reason(), error.not_given()), ("TRY_LATER", None), "it is to be kept, whenever");
    assert_eq!(reader.log.position().map(|at| at.last_uid), Some(1));
    let reader = Reader::start(options, reader.log.position(), reader.keep);
    until(|| reader.log.has("caught up 2")).await;
    let outlines = reader.keep.outlines.lock().unwrap().clone();
    let expected = Outline {
        uid_validity: 7,
        uid: 2,
        size: Some(header.len() as u64 + 100),
        internal_date: Some("1996-07-17T09:44:25Z".parse().unwrap()),
        header: header.as_bytes().to_vec().into(),
    };
    assert_eq!(outlines, [expected.clone(), expected]);
    assert!(!format!("{outlines:?}").contains("large"), "what it says is not shown");
    assert_eq!((reader.keep.uids(), reader.end().await), (vec![1], Ok(())));
}

#[tokio::test]
async fn a_message_that_is_removed_meanwhile_is_passed_over() {
    // A search that is behind, then one answer that has nothing and one that says so.
    let fake = Fake::with(&[1, 4])
        .await
        .once("UID SEARCH UID 1:4", Act::Say("* SEARCH 1 2 3 4\r\n{tag} OK\r\n"))
        .once("UID FETCH 3", Act::Say("{tag} NO [EXPUNGEISSUED] Some messages no longer exist\r\n"));
    let reader = Reader::of(&fake);
    until(|| reader.log.has("caught up 4")).await;
    assert_eq!(reader.log.lines()[1..5], ["kept 1", "gone 2", "gone 3", "kept 4"]);
    assert_eq!(reader.end().await, Ok(()));
}
