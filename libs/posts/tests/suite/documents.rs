//! Bodies, and how much of them is read.

use posts::limits::{MAX_BODY, MAX_VALUES};
use posts::{Unreadable, read};

#[test]
fn a_body_is_read_within_its_limits() {
    assert!(read(br#"{"a": [1, "\u9000"]}"#).is_ok());
    let long = format!("\"{}\"", "x".repeat(MAX_BODY - 2));
    assert!(read(long.as_bytes()).is_ok());
    assert_eq!(read(format!("{long} ").as_bytes()), Err(Unreadable::TooLarge));
    let many = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    assert!(read(many(MAX_VALUES - 1).as_bytes()).is_ok());
    assert_eq!(read(many(MAX_VALUES).as_bytes()), Err(Unreadable::TooManyValues));
    let deep = "[".repeat(128) + &"]".repeat(128);
    for none in [deep.as_bytes(), b"", b"{", b"text", b"\xff\"a\"", b"{} {}"] {
        assert!(matches!(read(none), Err(Unreadable::NoJson(_))), "{:?}", String::from_utf8_lossy(none));
    }
}
