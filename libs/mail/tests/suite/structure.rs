//! Which parts of a mail are its words, and which are evidence.

use super::{codes, mail, parts};

/// A multipart of parts, each with its header.
fn multipart(kind: &str, boundary: &str, parts: &[&str]) -> String {
    let parts = parts.iter().map(|part| format!("--{boundary}\n{part}\n")).collect::<Vec<String>>().concat();
    format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\n\n{parts}--{boundary}--\n")
}

const PLAIN: &str = "Content-Type: text/plain\n\nMy parcel is broken.";
const PHOTO: &str = "Content-Type: image/jpeg; name=a.jpg\nContent-Transfer-Encoding: base64\n\n/9j/";

#[test]
fn parts_within_parts_are_all_found() {
    let related = multipart(
        "related",
        "c",
        &["Content-Type: text/html\n\n<p>no</p>", "Content-ID: <p@x>\nContent-Type: image/png\n\nPNG"],
    );
    let alternative = multipart("alternative", "b", &[PLAIN, &related]);
    let read = mail(format!(
        "Subject: x\n{}",
        multipart("mixed", "a", &[&alternative, PHOTO, "Content-Type: text/plain\n\nBye."])
    ));
    assert_eq!(read.text.own, "My parcel is broken.\n\nBye.");
    assert_eq!(parts(&read), [("attachment-1.png", &b"PNG"[..]), ("a.jpg", &b"\xff\xd8\xff"[..])]);
    assert_eq!((read.parts[0].inline, read.parts[0].content_id.as_deref()), (true, Some("p@x")));
    assert!(read.remarks.is_empty() && !read.text.from_html);
}

#[test]
fn plain_text_is_taken_unless_it_says_nothing() {
    let of = |plain: &str| {
        let plain = format!("Content-Type: text/plain\n\n{plain}");
        let page = "Content-Type: text/html\n\n<p>My parcel</p><style>x</style>";
        mail(multipart("alternative", "a", &[&plain, page])).text
    };
    assert_eq!((of("Plain words").own.as_str(), of("Plain words").from_html), ("Plain words", false));
    for placeholder in [" \n\n", "This message contains HTML.", "您的邮箱不支持HTML格式"] {
        assert_eq!(
            (of(placeholder).own.as_str(), of(placeholder).from_html),
            ("My parcel", true),
            "{placeholder}"
        );
    }
    // The note is all there is.
    let only =
        mail(multipart("alternative", "a", &["Content-Type: text/plain\n\nThis message contains HTML."]));
    assert_eq!(only.text.own, "This message contains HTML.");
}

#[test]
fn what_is_shown_beside_another_form_of_the_text_is_kept() {
    // Apple Mail puts files into the form that is not chosen.
    let mixed = multipart(
        "mixed",
        "b",
        &["Content-Type: text/html\n\n<p>a</p>", PHOTO, "Content-Type: text/html\n\n<p>b</p>"],
    );
    let read = mail(multipart("alternative", "a", &[PLAIN, &mixed]));
    assert_eq!(
        (read.text.own.as_str(), parts(&read)),
        ("My parcel is broken.", vec![("a.jpg", &b"\xff\xd8\xff"[..])])
    );
    let calendar = "Content-Type: text/calendar; charset=utf-8\n\nBEGIN:VCALENDAR";
    assert_eq!(
        parts(&mail(multipart("alternative", "a", &[PLAIN, calendar]))),
        [("attachment-1.ics", &b"BEGIN:VCALENDAR"[..])]
    );
}

#[test]
fn a_named_text_is_evidence_unless_it_is_all_there_is() {
    let named = "Content-Type: text/plain; name=log.txt\nContent-Disposition: inline\n\nlog";
    let read = mail(multipart("mixed", "a", &[PLAIN, named]));
    assert_eq!(
        (read.text.own.as_str(), parts(&read)),
        ("My parcel is broken.", vec![("log.txt", &b"log"[..])])
    );
    let coded = "Content-Type: text/plain; charset=GBK; name=log.txt\n\nlog";
    assert_eq!(mail(multipart("mixed", "a", &[PLAIN, coded])).parts[0].charset.as_deref(), Some("GBK"));
    let alone = mail("Content-Type: text/plain; name=body.txt\n\nMy words");
    assert_eq!((alone.text.own.as_str(), alone.parts.len()), ("My words", 0));
    let attached = mail("Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nfile");
    assert_eq!((attached.text.own.as_str(), parts(&attached)), ("", vec![("a.txt", &b"file"[..])]));
}

#[test]
fn a_mail_within_the_mail_is_a_part_and_its_words_are_not_the_senders() {
    let inner = "Subject: =?utf-8?B?5YyF6KO5?=: a/b\nFrom: shop@example.com\n\nWe are sorry.";
    let message = format!("Content-Type: message/rfc822\n\n{inner}");
    let read = mail(multipart("mixed", "a", &[PLAIN, &message]));
    assert_eq!(read.text.whole, "My parcel is broken.");
    assert_eq!(parts(&read), [("包裹 a b.eml", inner.as_bytes())]);
    let digest = multipart("digest", "b", &["\nSubject: one\n\nfirst"]);
    assert_eq!(
        parts(&mail(multipart("mixed", "a", &[PLAIN, &digest]))),
        [("one.eml", &b"Subject: one\n\nfirst"[..])]
    );
    // Alone it is a part as well: nobody's words are put into the sender's mouth.
    let alone = mail(format!("Subject: fw\n{message}"));
    assert_eq!((alone.text.own.as_str(), parts(&alone)), ("", vec![("包裹 a b.eml", inner.as_bytes())]));
}

#[test]
fn a_list_that_adds_its_footer_loses_nobodys_words() {
    let read = mail(
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n5YyF6KO55Z2P5LqG\n____________\nthe list\n",
    );
    assert_eq!(read.text.whole, "包裹坏了\n____________\nthe list");
    assert_eq!(codes(&read), ["TRANSFER_DAMAGED"]);
    let stray = mail(multipart(
        "mixed",
        "a",
        &[PLAIN, "Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\niVBO!Rw0K"],
    ));
    assert_eq!(parts(&stray), [("a.png", &b"\x89PNG\r\n"[..])]);
    let equals = mail(
        "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n\na == b, =E5=8C=85",
    );
    assert_eq!(equals.text.whole, "a == b, 包");
}

#[test]
fn a_structure_that_is_none_is_read_as_text() {
    let read = mail("Content-Type: multipart/mixed\n\nMy parcel is broken.");
    assert_eq!((read.text.own.as_str(), codes(&read)), ("My parcel is broken.", vec!["STRUCTURE_BROKEN"]));
    let unclosed = mail(
        "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nMy parcel is broken.\n--a\nContent-Type: image/png; name=x.png\n\nP",
    );
    assert_eq!(
        (unclosed.text.own.as_str(), parts(&unclosed)),
        ("My parcel is broken.", vec![("x.png", &b"P"[..])])
    );
    let nonsense = mail("Content-Type: nonsense\n\nMy parcel is broken.");
    assert_eq!(nonsense.text.own, "My parcel is broken.");
}

#[test]
fn what_cannot_be_opened_is_kept_and_said() {
    let tnef = "Content-Type: application/octet-stream; name=WINMAIL.DAT\n\n\u{1}\u{2}";
    let read = mail(multipart("mixed", "a", &[PLAIN, tnef]));
    assert_eq!((parts(&read), codes(&read)), (vec![("WINMAIL.DAT", &b"\x01\x02"[..])], vec!["TNEF_UNREAD"]));
    let sealed = mail("Subject: x\nContent-Type: application/pkcs7-mime; name=smime.p7m\n\n0");
    assert_eq!((parts(&sealed), codes(&sealed)), (vec![("smime.p7m", &b"0"[..])], vec!["ENCRYPTED_UNREAD"]));
    let version = "Content-Type: application/pgp-encrypted\n\nVersion: 1";
    let pgp = mail(multipart(
        "encrypted",
        "a",
        &[version, "Content-Type: application/octet-stream; name=a.asc\n\nx"],
    ));
    assert_eq!((pgp.parts.len(), codes(&pgp)), (2, vec!["ENCRYPTED_UNREAD"]));
}

#[test]
fn lines_end_the_same_way_and_hold_nothing_that_cannot_be_shown() {
    let read = mail("Subject: x\r\n\r\n\u{feff}a\r\nb\0\u{7}c\rd\u{c}e\t.\r\n\r\n\r\n");
    assert_eq!(read.text.whole, "a\nbc\nd\ne\t.");
    let page = mail("Content-Type: text/html\n\n<p>a&#0;&#7;b</p>");
    assert!(!page.text.whole.contains(|c: char| c.is_control() && c != '\n'), "{:?}", page.text.whole);
}

#[test]
fn lines_may_end_in_any_of_the_ways_there_are() {
    let raw = "Subject: x\nFrom: a@example.com\n\nMy parcel\nis broken.\n";
    for end in ["\n", "\r\n", "\r", "\r\r\n"] {
        let read = mail(raw.replace('\n', end));
        assert_eq!(
            (read.subject.as_str(), read.text.own.as_str()),
            ("x", "My parcel\nis broken."),
            "{end:?}"
        );
        assert_eq!(read.from.unwrap().address, "a@example.com");
    }
}

#[test]
fn a_boundary_is_taken_as_it_is() {
    for boundary in ["a  b", "=_?x?=(1)", "----=_Part_1.2", "a'b"] {
        let read = mail(multipart("mixed", boundary, &[PLAIN]));
        assert_eq!((read.text.own.as_str(), codes(&read)), ("My parcel is broken.", vec![]), "{boundary}");
    }
}

#[test]
fn a_page_says_its_charset_itself_if_its_part_does_not() {
    let (gbk, _, _) = encoding_rs::GB18030
        .encode("<meta http-equiv=Content-Type content=\"text/html; charset=gb2312\"><p>包裹</p>");
    let read = mail([b"Content-Type: text/html\n\n", &*gbk].concat());
    assert_eq!((read.text.own.as_str(), read.text.from_html, read.remarks.len()), ("包裹", true, 0));
}
