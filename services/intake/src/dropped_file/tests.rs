//! Names, steps and keys of files.

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a moment")
}

fn file(size: u64) -> DroppedFile {
    let lying = Lying { name: "a.csv".to_owned(), size, mark: "1".to_owned() };
    DroppedFile::new(Uuid::from_u128(7), "partner", lying, at(1_000))
}

#[test]
fn what_is_still_being_written_is_passed_over() {
    for name in ["a.csv", "投诉.xlsx", "a.csv.gz", "readme.pdf", "a b.csv", "done", "part"] {
        assert_eq!(name_kind(name), NameKind::File, "{name}");
    }
    for name in ["a.csv.done", "投诉.xlsx.done"] {
        assert_eq!(name_kind(name), NameKind::Marker, "{name}");
    }
    for name in ["", ".a.csv", "a.csv.part", "a.csv.PART", "a.tmp", "a.csv.filepart", "a/b", "a/b\n"] {
        assert_eq!(name_kind(name), NameKind::PassedOver, "{name}");
    }
}

#[test]
fn a_name_that_cannot_be_kept_is_told_as_far_as_it_can_be_shown() {
    let long = "a".repeat(MAX_NAME + 1);
    for name in ["a\\b.csv", "a\nb.csv", "a\nb.csv.done", "\u{7f}", &long] {
        assert_eq!(name_kind(name), NameKind::Unreadable, "{name}");
    }
    assert_eq!(shown("投\n诉.csv".as_bytes()), "投\\n诉.csv");
    assert_eq!(shown(b"caf\xe9.csv"), "caf\\xe9.csv");
    assert_eq!(shown(long.as_bytes()).len(), MAX_SHOWN);
}

#[test]
fn a_file_goes_step_by_step() {
    let mut one = file(3);
    assert_eq!((one.step(), one.is_untouched()), (Step::Read, true));
    one.outcome = Some(State::Done);
    assert_eq!((one.step(), one.folder()), (Step::WriteVerdicts, "done"));
    one.verdict_written = Some(at(2));
    assert_eq!(one.step(), Step::Move);
    one.ended = Some(at(3));
    assert_eq!(one.step(), Step::Nothing);
    let large = file(MAX_FILE + 1);
    assert_eq!((large.step(), large.folder()), (Step::WriteVerdicts, "refused"));
    assert_eq!(large.reason, "FILE_TOO_LARGE");
}

#[test]
fn a_complaint_of_before_the_file_is_told_from_one_of_its_own() {
    let one = file(3);
    let given = |millis: u128| Uuid::from_u128((millis << 80) | (7 << 76) | (2 << 62));
    assert!(one.is_after(given(999_999)));
    assert!(!one.is_after(given(1_000_000)), "by the same millisecond it may be its own");
    assert!(!one.is_after(Uuid::nil()));
}

#[test]
fn the_first_problems_are_told_and_no_more() {
    let mut one = file(3);
    let refused = |number| RowVerdict {
        number,
        reference: String::new(),
        verdict: Verdict::Refused(Refusal::new("INVALID_ARGUMENT", "X", &[("f".to_owned(), "w".to_owned())])),
    };
    let good = |number| RowVerdict {
        number,
        reference: String::new(),
        verdict: Verdict::Registered { id: Uuid::nil(), before: false },
    };
    one.tell(&[good(1), refused(2)]);
    one.tell(&(3..60).map(refused).collect::<Vec<_>>());
    assert_eq!(one.problems.len(), MAX_PROBLEMS);
    assert_eq!((one.problems[0].row, one.problems[19].row), (2, 21));
}

proptest! {
    /// Rows of other drops, contents or numbers have other keys; the same row has the same.
    #[test]
    fn keys_tell_rows_apart(drop in "[a-z]{1,3}", content: [u8; 2], number in 0_u64..4) {
        let key = |drop: &str, content: [u8; 2], number| {
            let mut one = file(3);
            one.drop_id = drop.to_owned();
            let mut sha256 = [0; 32];
            sha256[..2].copy_from_slice(&content);
            one.sha256 = Some(sha256);
            one.request_id(number)
        };
        let one = key(&drop, content, number);
        prop_assert_eq!(&one, &key(&drop, content, number));
        prop_assert_ne!(&one, &key(&format!("{drop}x"), content, number));
        prop_assert_ne!(&one, &key(&drop, [content[0], content[1] ^ 1], number));
        prop_assert_ne!(&one, &key(&drop, content, number + 1));
        prop_assert!(one.len() <= 100);
    }
}
