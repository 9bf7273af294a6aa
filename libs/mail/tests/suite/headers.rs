//! What the header of a mail says.

use encoding_rs::GB18030;
use mail::Zone;

use super::{codes, mail};

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn a_header_is_read_whole() {
    let read = mail(
        "Message-ID: <1@Example.com>\r\nIn-Reply-To: <b@redress>\r\nReferences: <a@redress>\r\n <b@redress>\r\n\
         From: Ada <Ada@Example.COM>\r\nSender: <desk@example.com>\r\nReply-To: Ada <home@example.org>\r\n\
         To: a@example.com, \"B, C\" <b@example.com>\r\nCc: c@example.com\r\nDelivered-To: x@example.com\r\n\
         X-Original-To: y@Example.com\r\nSubject: Late\r\n parcel\r\nContent-Language: zh-CN, en\r\n\
         Date: Mon, 5 Jan 2026 10:30:00 +0100\r\n\r\nHello\r\n",
    );
    assert_eq!(read.message_id.as_deref(), Some("1@Example.com"));
    assert_eq!(
        (read.in_reply_to, read.references),
        (vec!["b@redress".to_owned()], vec!["a@redress".to_owned(), "b@redress".to_owned()])
    );
    let from = read.from.unwrap();
    assert_eq!((from.name.as_str(), from.address.as_str()), ("Ada", "Ada@example.com"));
    assert_eq!(read.sender.unwrap().address, "desk@example.com");
    assert_eq!(read.reply_to.unwrap().address, "home@example.org");
    let to: Vec<&str> = read.to.iter().map(|one| one.address.as_str()).collect();
    assert_eq!((to, read.to[1].name.as_str()), (vec!["a@example.com", "b@example.com"], "B, C"));
    assert_eq!(read.cc[0].address, "c@example.com");
    assert_eq!(read.delivered_to, ["x@example.com", "y@example.com"]);
    assert_eq!((read.subject.as_str(), read.text.own.as_str()), ("Late parcel", "Hello"));
    assert_eq!(read.language.as_deref(), Some("zh-CN"));
    let date = read.date.unwrap();
    assert_eq!((date.at.to_string().as_str(), date.zone), ("2026-01-05T09:30:00Z", Zone::Offset));
    assert!(read.remarks.is_empty() && read.automatic.is_none() && read.parts.is_empty());
}

#[test]
fn a_mail_without_anything_is_read_all_the_same() {
    let read = mail("X-Test: 1\r\n\r\n");
    assert_eq!((read.subject.as_str(), read.text.whole.as_str(), read.text.own.as_str()), ("", "", ""));
    assert!(
        read.from.is_none() && read.message_id.is_none() && read.date.is_none() && read.language.is_none()
    );
    assert!(read.to.is_empty() && read.parts.is_empty() && read.remarks.is_empty());
    let no_body = mail("Subject: x");
    assert_eq!((no_body.subject.as_str(), no_body.text.whole.as_str()), ("x", ""));
}

#[test]
fn raw_bytes_are_read_as_the_mail_and_its_sender_let_expect() {
    let gbk = |text: &str| GB18030.encode(text).0.into_owned();
    let (subject, name) = (gbk("包裹损坏了要求退款"), gbk("张三"));
    let start = [b"Subject: ", subject.as_slice(), b"\r\nFrom: ", &name, b" <zhang@example.cn>\r\n"].concat();
    // The text names the charset, the sender's country lets guess it, or a server's clock.
    for rest in [
        "Content-Type: text/plain; charset=gb2312\r\n\r\nx",
        "\r\nx",
        "Received: by a; Mon, 5 Jan 2026 10:00:00 +0800\r\n\r\nx",
    ] {
        let read = mail(joined(&[&start, rest.as_bytes()]));
        assert_eq!(read.subject, "包裹损坏了要求退款", "{rest}");
        assert_eq!(read.from.unwrap().name, "张三", "{rest}");
    }
    let read = mail(joined(&[b"Subject: ", "包裹 – “坏”".as_bytes(), b"\n\nx"]));
    assert_eq!((read.subject.as_str(), codes(&mail("Subject: 包裹\n\nx"))), ("包裹 – “坏”", vec![]));
}

#[test]
fn what_is_too_short_to_tell_is_read_as_the_rest_looks() {
    let gbk = |text: &str| GB18030.encode(text).0.into_owned();
    let raw = [
        b"From: ".as_slice(),
        &gbk("王芳"),
        b" <wang@example.com>\nSubject: ",
        &gbk("投诉"),
        b"\n\n",
        &gbk("包裹坏了，请退款"),
    ];
    let read = mail(joined(&raw));
    assert_eq!((read.from.unwrap().name.as_str(), read.subject.as_str()), ("王芳", "投诉"));
    assert_eq!(read.text.own, "包裹坏了，请退款");
}

#[test]
fn chinese_that_is_said_to_be_latin_is_not() {
    let gbk = |text: &str| GB18030.encode(text).0.into_owned();
    let latin = "Content-Type: text/plain; charset=iso-8859-1\n";
    let of =
        |from: &str, body: &[u8]| mail(joined(&[latin.as_bytes(), from.as_bytes(), b"\n\n", body])).text.own;
    let text = "我的包裹坏了，请尽快退款，谢谢。";
    assert_eq!(of("From: <a@example.cn>", &gbk(text)), text);
    assert_eq!(of("Subject: =?GBK?B?sPy5/A==?=", &gbk(text)), text);
    // What is Latin stays so, wherever it comes from.
    assert_eq!(of("From: <a@example.cn>", b"Gr\xfc\xdfe aus K\xf6ln, 20 \x80"), "Grüße aus Köln, 20 €");
    // Where nothing tells of Chinese, Latin is believed.
    assert_eq!(of("From: <a@example.de>", b"\xc4\xd6\xdc\xdf"), "ÄÖÜß");
}

#[test]
fn a_character_that_was_cut_costs_only_itself() {
    let read = mail("Subject: =?utf-8?B?5YyF6KM=?=\n\nx");
    assert_eq!((read.subject.as_str(), codes(&read)), ("包\u{fffd}", vec!["CHARSET_DAMAGED"]));
}

#[test]
fn what_was_guessed_is_remarked_upon() {
    let read = mail(
        "Subject: =?x-nonesuch?Q?=E5=8C=85?= =?utf-8?X?!?=\nDate: Mon, 31 Feb 2026 10:00:00 +0800\nFrom: nobody\n\nx",
    );
    assert_eq!(codes(&read), ["CHARSET_GUESSED", "WORD_UNDECODABLE", "ADDRESS_UNREADABLE", "DATE_REFUSED"]);
    assert_eq!((read.date, read.from), (None, None));
    for remark in &read.remarks {
        assert!(remark.to_string().len() > 10, "{remark:?}");
    }
}

#[test]
fn cst_is_of_china_in_a_mail_with_chinese_marks() {
    let at = |header: &str| {
        let read = mail(format!("Date: Mon, 05 Jan 2026 10:00:00 CST\n{header}\n\nx"));
        assert_eq!(codes(&read).iter().filter(|code| **code == "DATE_ZONE_GUESSED").count(), 1, "{header}");
        read.date.unwrap().at.to_string()
    };
    for header in [
        "Content-Type: text/plain; charset=gbk",
        "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain; charset=big5\n\nx\n--a--",
        "Subject: =?GB2312?B?sPy5/A==?=",
        "Content-Language: zh-CN",
        "Received: from a by b; Mon, 5 Jan 2026 10:00:01 +0800 (CST)",
    ] {
        assert_eq!(at(header), "2026-01-05T02:00:00Z", "{header}");
    }
    for header in [
        "Subject: x",
        "Content-Language: en-US",
        "Received: from a by b; Mon, 5 Jan 2026 10:00:01 -0600 (CST)",
    ] {
        assert_eq!(at(header), "2026-01-05T16:00:00Z", "{header}");
    }
}

#[test]
fn nothing_a_header_says_can_bring_in_another_or_hide_what_it_says() {
    let read = mail(
        "Subject: =?utf-8?B?SGkNCkJjYzogZXZpbEBleGFtcGxlLm9yZwBhAWI=?=\n\
         From: =?utf-8?Q?A=0D=0ATo:_x=40example.org=E2=80=AE?= <a@example.com>\n\
         Reply-To: =?utf-8?Q?boss=40example.org_=3Cboss=40example.org=3E?= <b@example.com>\n\
         To: \"a\\\" <c@example.org>\" <d@example.com>\n\nx",
    );
    assert_eq!(read.subject, "Hi Bcc: evil@example.org a b");
    let from = read.from.unwrap();
    assert_eq!((from.name.as_str(), from.address.as_str()), ("A To: x@example.org", "a@example.com"));
    assert_eq!(read.reply_to.unwrap().address, "b@example.com");
    assert_eq!((read.to.len(), read.to[0].address.as_str()), (1, "d@example.com"));
}

#[test]
fn a_header_that_is_no_header_ends_there() {
    let read = mail(
        "From x@example.com Mon Jan  5 10:00:00 2026\nSubject: x\nMy parcel is lost.\nIt was dear.\n\nAda",
    );
    assert_eq!(
        (read.subject.as_str(), read.text.own.as_str()),
        ("x", "My parcel is lost.\nIt was dear.\n\nAda")
    );
    assert_eq!(codes(&read), ["HEADER_BROKEN"]);
}
