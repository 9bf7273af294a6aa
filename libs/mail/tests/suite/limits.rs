//! Mails that are made to cost more than they are worth.

use std::time::{Duration, Instant};

use mail::{Limits, MAX_BYTES, MAX_HEADER, MAX_TEXT, Unreadable, read};

use super::{codes, mail};

/// A machine that is busy and a build that is not optimised need their time; what grows with
/// the square of its input needs hours.
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn what_is_too_much_is_refused_with_its_reason() {
    let refused = |raw: &str, limits: Limits| {
        let error = read(raw.as_bytes(), &limits).unwrap_err();
        (error.reason(), error.to_string())
    };
    let limits = Limits::default();
    let few = Limits { bytes: 10, ..limits };
    assert_eq!(refused("Subject: x\n\nx", few), ("TOO_LARGE", "the mail is larger than 10 bytes".to_owned()));
    assert_eq!(refused("hello", limits).0, "NO_HEADER");
    let parts = format!("Content-Type: multipart/mixed; boundary=a\n\n{}--a--\n", "--a\n\nx\n".repeat(3_000));
    assert_eq!(refused(&parts, limits), ("TOO_MANY_PARTS", "the mail has more than 500 parts".to_owned()));
    let deep = format!("{}Subject: x\n\nx", "Content-Type: message/rfc822\n\n".repeat(200_000));
    assert_eq!(refused(&deep, limits).0, "TOO_DEEP");
    assert_eq!(read(&vec![b' '; MAX_BYTES + 1], &limits), Err(Unreadable::TooLarge(MAX_BYTES)));
}

#[test]
fn a_long_text_is_cut_and_kept_whole_as_a_part() {
    let body = "包裹坏了。\n".repeat(MAX_TEXT / 4);
    let read = mail(format!("Content-Type: text/plain; charset=utf-8\n\n{body}"));
    assert!(read.text.whole.chars().count() <= MAX_TEXT && read.text.whole.chars().count() > MAX_TEXT - 10);
    assert_eq!(codes(&read), ["TEXT_CUT"]);
    assert_eq!(
        (read.parts[0].name.as_str(), read.parts[0].content.as_slice()),
        ("message.txt", body.as_bytes())
    );
    let page = format!("<p>{body}</p>");
    let read = mail(format!("Content-Type: text/html; charset=utf-8\n\n{page}"));
    assert!(read.text.whole.chars().count() <= MAX_TEXT);
    assert_eq!((codes(&read), read.parts[0].name.as_str()), (vec!["TEXT_CUT"], "message.html"));
    // Several that fit one by one and not together.
    let half = "b".repeat(MAX_TEXT - 10);
    let raw = format!("Content-Type: multipart/mixed; boundary=a\n\n--a\n\n{half}\n--a\n\n{half}\n--a--");
    let read = mail(raw);
    assert_eq!((read.text.whole.chars().count(), codes(&read)), (MAX_TEXT, vec!["TEXT_CUT"]));
    assert_eq!(read.parts[0].content.len(), 2 * half.len() + 2);
}

#[test]
fn a_header_without_end_is_cut() {
    let fields = "X-Test: yyyyyyyyyyyyyyyyyyyy\r\n".repeat(20_000);
    let read = mail(format!("Subject: x\r\n{fields}From: a@example.com\r\n\r\nbody"));
    assert_eq!((read.subject.as_str(), read.text.own.as_str(), read.from), ("x", "body", None));
    assert_eq!(read.remarks.iter().map(mail::Remark::code).collect::<Vec<_>>(), ["HEADER_CUT"]);
    let many = format!(
        "To: {}\r\nReferences: {}\r\n\r\nx",
        "a@example.com, ".repeat(10_000),
        "<a@b> ".repeat(10_000)
    );
    let read = mail(many);
    assert_eq!((read.to.len(), read.references.len()), (200, 100));
}

/// Inputs of some megabytes that cost others the square of it.
#[test]
fn the_time_grows_with_the_mail_and_not_with_its_square() {
    const SIZE: usize = 2 * 1024 * 1024;
    let header = |kind: &str| format!("Subject: x\nContent-Type: {kind}\n");
    let filled = |start: String, piece: &str| start + &piece.repeat(SIZE / piece.len());
    let multipart = header("multipart/mixed; boundary=a");
    let unended =
        format!("{multipart}\n{}", "--a\nContent-Type: multipart/mixed; boundary=zz\n\n".repeat(400));
    let long = |start: &str, piece: &str| {
        format!("Subject: x\n{start}{}\n\nx", piece.repeat(MAX_HEADER / 2 / piece.len()))
    };
    let page = header("text/html") + "\n";
    let inputs = [
        ("boundaries that are missing", filled(unended, "x\n")),
        ("almost boundaries", filled(format!("{multipart}\n"), "--b\n")),
        (
            "Base64",
            filled(
                header("application/zip; name=a.zip") + "Content-Transfer-Encoding: base64\n\n",
                "AAAAAAAAAAAAAAAA\n",
            ),
        ),
        ("stray Base64", filled(header("image/png") + "Content-Transfer-Encoding: base64\n\n", "AAAAAAA!\n")),
        (
            "soft breaks",
            filled(header("text/plain") + "Content-Transfer-Encoding: quoted-printable\n\n", "=\n"),
        ),
        ("words", long("Subject: ", "=?utf-8?B?YQ==?= ")),
        ("almost words", long("Subject: ", "=?a?b?")),
        ("parameters", long("Content-Type: text/plain", "; name*0*=x")),
        ("pieces of parameters", long("Content-Disposition: attachment", "; filename*1*=%41%42")),
        ("addresses", long("To: ", "<a@b>, ")),
        ("comments", long("To: ", "((((a@b")),
        ("almost addresses", long("To: ", "\"a\\ <:;")),
        ("ids", long("References: ", "<a@b> < ")),
        ("a date", long("Date: ", "1 Jan 10:00 ( ")),
        ("open tags", filled(page.clone(), "<div><blockquote><table><td><a href=x>")),
        ("closing tags", filled(page.clone(), "<blockquote></div></table>")),
        ("tags closed too often", filled(format!("{page}{}", "<div>".repeat(6_000)), "</blockquote>")),
        ("almost comments", filled(page.clone(), "<!-- -")),
        ("entities", filled(page, "&amp&notit;&#")),
        ("quotes", filled(header("text/plain") + "\n", "> > >\n")),
        ("lines that almost say who wrote", filled(header("text/plain") + "\n", "On 5 a@b\n")),
        ("almost headers", filled(header("text/plain") + "\n", "From: a@b\n")),
        ("signatures", filled(header("text/plain") + "\n", "--\n")),
    ];
    for (name, raw) in inputs {
        let start = Instant::now();
        let read = read(raw.as_bytes(), &Limits::default()).map(|mail| mail.text.whole.chars().count());
        assert!(start.elapsed() < PATIENCE, "{name}: {:?}", start.elapsed());
        assert!(matches!(read, Ok(0..=MAX_TEXT)), "{name}: {read:?}");
        println!("{name}: {:?}", start.elapsed());
    }
}
