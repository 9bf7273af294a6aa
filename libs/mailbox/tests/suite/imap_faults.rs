//! What a reader of IMAP does when servers fail: no message is passed over, none is waited
//! for without end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use mailbox::Kept;
use mailbox::imap::{Error, Position, outline};
use tokio::time::Instant;

use crate::fake::{Act, Fake, Reader, error, message, options};
use crate::support::{Memory, soon, until};

#[tokio::test]
async fn a_connection_cut_within_a_message_brings_it_the_next_time() {
    let fake = Fake::with(&[1, 2, 3])
        .await
        .once("UID FETCH 2 (UID BODY", Act::Cut("* 2 FETCH (UID 2 BODY[] {40}\r\nSubject: 2"));
    let reader = Reader::of(&fake);
    let error = soon(reader.reading).await.unwrap().unwrap_err();
    assert_eq!((error.reason(), error.is_permanent(), error.not_given()), ("BROKEN", false, Some(2)));
    assert_eq!(reader.keep.uids(), [1]);
    let reader = Reader::start(options(&fake), reader.log.position(), reader.keep);
    until(|| reader.log.has("caught up 3")).await;
    assert_eq!(reader.keep.uids(), [1, 2, 3]);
    assert_eq!(reader.end().await, Ok(()));
}

/// Wherever connections are cut, each message is kept, whole, in order, and once: this
/// keeper's answers are never lost.
#[tokio::test]
async fn wherever_connections_are_cut_each_message_is_kept_once() {
    let uids = [2, 3, 5, 8, 13, 21];
    for first_cut in (1..900).step_by(41) {
        let fake = Fake::with(&uids).await;
        let (keep, mut position) = (Memory::default(), None::<Position>);
        let mut cut = first_cut;
        loop {
            fake.cut_after(cut);
            let reader = Reader::start(options(&fake), position, keep.clone());
            until(|| reader.reading.is_finished() || reader.log.has("caught up 21")).await;
            position = reader.log.position().or(position);
            let is_done = reader.log.has("caught up 21");
            let ended = reader.end().await;
            if is_done {
                break;
            }
            assert_eq!(ended.as_ref().map_err(Error::reason), Err("BROKEN"), "{ended:?}");
            // A session begins with some 300 bytes.
            cut = cut.max(250) + 97;
        }
        assert_eq!(keep.uids(), uids, "cut after {first_cut}");
        let texts: Vec<Vec<u8>> = keep.texts().into_iter().map(String::into_bytes).collect();
        assert_eq!(texts, uids.map(message));
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_read_does_not_stop_the_others_for_ever() {
    let refusal = Act::Say("{tag} NO The requested message could not be converted\r\n");
    let fake = Fake::with(&[1, 2, 3]).await.always("UID FETCH 2 (UID BODY", refusal);
    let reader = Reader::of(&fake);
    let error = soon(reader.reading).await.unwrap().unwrap_err();
    let said = "The requested message could not be converted".to_owned();
    assert_eq!(error, Error::Unreadable { uid: 2, said });
    assert_eq!(error.not_given(), Some(2));
    assert_eq!((fake.count("UID FETCH 2 (UID BODY"), reader.keep.uids()), (3, vec![1]));
    // Who reads gives it up.
    let position = Some(Position { uid_validity: 7, last_uid: 2 });
    let reader = Reader::start(options(&fake), position, reader.keep);
    until(|| reader.log.has("caught up 3")).await;
    assert_eq!(reader.keep.uids(), [1, 3]);
    assert_eq!(reader.end().await, Ok(()));
}

#[tokio::test]
async fn a_message_that_is_not_given_is_not_taken_for_one_that_is_gone() {
    for said in [
        "{tag} OK done\r\n",
        "{tag} BAD what?\r\n",
        "* 1 FETCH (UID 1 BODY[] NIL)\r\n{tag} OK done\r\n",
        "* 1 FETCH (UID 1 BODY[ oh)\r\n{tag} OK done\r\n",
        "* 1 FETCH (UID 9 BODY[] {1}\r\na)\r\n{tag} OK done\r\n",
        "* 1 FETCH (UID 1 BODY[HEADER] {1}\r\na)\r\n{tag} OK done\r\n",
    ] {
        let fake = Fake::with(&[1, 2]).await.always("UID FETCH 1 (UID BODY", Act::Say(said));
        assert_eq!(error(options(&fake)).await.reason(), "UNREADABLE", "{said}");
    }
    // Where it passes, nobody is troubled.
    let fake = Fake::with(&[1]).await.times(2, "UID FETCH 1 (UID BODY", Act::Say("{tag} OK done\r\n"));
    let reader = Reader::of(&fake);
    until(|| reader.log.has("caught up 1")).await;
    assert_eq!(reader.keep.uids(), [1]);
    assert_eq!(reader.end().await, Ok(()));
}

#[tokio::test]
async fn a_server_that_cannot_now_is_asked_later() {
    for command in ["UID FETCH 1 (UID RFC", "UID FETCH 1 (UID BODY", "UID SEARCH", "FETCH *"] {
        let fake = Fake::with(&[1]).await.once(command, Act::Say("{tag} NO [UNAVAILABLE] disk\r\n"));
        let error = error(options(&fake)).await;
        assert_eq!((error.reason(), error.is_permanent()), ("TRY_LATER", false), "{command}");
        let at = (command.starts_with("UID FETCH")).then_some(1);
        assert_eq!(error.not_given(), at, "{command}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    for command in
        ["CAPABILITY", "LOGIN", "EXAMINE", "FETCH *", "UID SEARCH", "UID FETCH 1 (UID B", "IDLE", "NOOP"]
    {
        let fake = Fake::with(&[1]).await.once(command, Act::Stall);
        let fake = if command == "NOOP" { fake.offers("IMAP4rev1") } else { fake };
        let mut options = options(&fake);
        options.timeouts.command = Duration::from_millis(100);
        options.timeouts.message = Duration::from_millis(100);
        let error = error(options).await;
        let at = (command.starts_with("UID FETCH")).then_some(1);
        assert_eq!((error.reason(), error.not_given()), ("TIMED_OUT", at), "{command}");
    }
}

#[tokio::test]
async fn a_server_that_talks_without_end_is_given_up() {
    for (command, said, reason) in [
        ("UID SEARCH", "* BYE overloaded\r\n", "ENDED"),
        ("IDLE", "+ idling\r\n* BYE timeout\r\n", "ENDED"),
        ("IDLE", "{tag} NO not now\r\n", "PROTOCOL"),
        ("EXAMINE", "* 1 EXISTS\r\n{tag} OK no life\r\n", "PROTOCOL"),
        ("UID FETCH 1 (UID B", "* 1 FETCH (UID 1 BODY[] {99999999999}\r\n", "PROTOCOL"),
        (
            "LOGIN",
            "* OK [ALERT]é\r\n* 1 FETCH (BODYSTRUCTURE ((((((((((((((((\r\n{tag} NO é\r\n",
            "LOGIN_REFUSED",
        ),
    ] {
        let fake = Fake::with(&[1]).await.once(command, Act::Say(said));
        assert_eq!(error(options(&fake)).await.reason(), reason, "{command}");
    }
}

#[tokio::test]
async fn a_response_that_does_not_end_is_not_taken_for_none() {
    let fake = Fake::with(&[1]).await.once("IDLE", Act::Say("+ idling\r\n* 2 EXI"));
    let mut options = options(&fake);
    options.timeouts.idle = Duration::from_millis(50);
    options.timeouts.command = Duration::from_secs(1);
    assert_eq!(error(options).await, Error::TimedOut);
    // Nor is the server told that we have heard enough.
    assert_eq!(fake.commands().last().map(String::as_str), Some("IDLE"));
}

#[tokio::test]
async fn it_stops_at_once_whatever_it_waits_for() {
    for command in ["LOGIN", "UID FETCH 1 (UID B", "IDLE"] {
        let fake = Fake::with(&[1]).await.once(command, Act::Stall);
        let reader = Reader::of(&fake);
        until(|| fake.count(command) == 1).await;
        let started = Instant::now();
        assert_eq!(reader.end().await, Ok(()), "{command}");
        assert!(started.elapsed() < Duration::from_secs(30), "it waits for the command to be given up");
    }
}

#[tokio::test]
async fn a_keeper_is_waited_for_so_long_and_no_longer() {
    let fake = Fake::with(&[1]).await;
    let mut options = options(&fake);
    options.timeouts.keep = Duration::from_millis(50);
    let keep = Memory { pause: Duration::from_mins(10), ..Memory::default() };
    let reader = Reader::start(options, None, keep);
    let error = soon(reader.reading).await.unwrap().unwrap_err();
    assert_eq!((error.reason(), reader.log.lines().len()), ("TRY_LATER", 1));
    // One that stops it is heard out.
    let keep = Memory { pause: Duration::from_millis(100), ..Memory::answering([Kept::Kept]) };
    let reader = Reader::start(crate::fake::options(&fake), None, keep);
    until(|| reader.keep.begun.load(Ordering::SeqCst) == 1).await;
    reader.stop.cancel();
    assert_eq!(soon(reader.reading).await.unwrap(), Ok(()));
    assert_eq!((reader.keep.uids(), reader.log.has("kept 1")), (vec![1], true));
}

#[tokio::test]
async fn who_gives_a_message_up_is_told_what_can_be_known_of_it() {
    let cut = Act::Cut("* 2 FETCH (UID 2 BODY[] {40}\r\nSubject: 2");
    let fake = Fake::with(&[1, 2, 3]).await.always("UID FETCH 2 (UID BODY.PEEK[]", cut);
    let at = |last_uid| Position { uid_validity: 7, last_uid };
    let found = outline(&options(&fake), at(2)).await.unwrap().unwrap();
    let size = message(2).len() as u64;
    assert_eq!((found.uid_validity, found.uid, found.size), (7, 2, Some(size)));
    assert_eq!(found.header, b"Subject: 2\r\n\r\n".as_slice());
    assert!(found.internal_date.is_some());
    // One that was removed, and one of a folder that is another by now.
    fake.remove(2);
    assert_eq!(outline(&options(&fake), at(2)).await, Ok(None));
    assert_eq!(outline(&options(&fake), Position { uid_validity: 6, last_uid: 1 }).await, Ok(None));
    // What the server breaks at is left open.
    let fake = fake.once("UID FETCH 3 (UID RFC", Act::Cut("* 3 FETCH"));
    let found = outline(&options(&fake), at(3)).await.unwrap().unwrap();
    assert_eq!((found.uid, found.size, found.header.len()), (3, None, 0));
    let fake = fake.once("UID FETCH 3 (UID BODY.PEEK[HEADER]", Act::Say("{tag} NO gone mad\r\n"));
    let found = outline(&options(&fake), at(3)).await.unwrap().unwrap();
    assert_eq!((found.size, found.header.len()), (Some(message(3).len() as u64), 0));
    // A server that cannot be asked at all is asked again.
    let fake = fake.once("EXAMINE", Act::Say("{tag} NO [UNAVAILABLE] later\r\n"));
    assert_eq!(outline(&options(&fake), at(3)).await.unwrap_err().reason(), "TRY_LATER");
}
