//! Puts mails together: each shape in each of its languages, charsets and transfer
//! encodings, and what must be read of it.

use super::encode::{Charset, flowed, name, transfer, words};
use super::table::{Language, Shape, languages, shapes};

/// How headers are written, one way for each mail in turn.
const WORDS: [&str; 5] = ["b", "q", "split", "raw", "odd"];
const OUTER: &str = "----=_NextPart_000_0001_01DC";
const INNER: &str = "----=_NextPart_000_0001_01DC_inner";

/// A mail of the corpus.
pub(crate) struct Message {
    /// What it is, for whoever reads that a test failed.
    pub(crate) title: String,
    pub(crate) raw: Vec<u8>,
    pub(crate) expected: Expected,
}

/// What must be read of it.
pub(crate) struct Expected {
    pub(crate) subject: String,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) own: String,
    pub(crate) from_html: bool,
    /// What must be somewhere in the text.
    pub(crate) shown: Vec<String>,
    pub(crate) parts: Vec<File>,
    pub(crate) automatic: Option<String>,
    pub(crate) remark: Option<String>,
}

/// A file that is sent.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) media_type: &'static str,
    pub(crate) is_inline: bool,
    pub(crate) content: Vec<u8>,
    /// What is sent of it: header and encoded body.
    entity: Vec<u8>,
}

/// One mail to be made.
struct Draft<'a> {
    shape: &'a Shape,
    key: &'a str,
    language: &'a Language,
    charset: Charset,
    transfer: &'a str,
    words: &'a str,
    names: &'a str,
}

/// The whole corpus.
pub(crate) fn all() -> Vec<Message> {
    let (languages, shapes) = (languages(), shapes());
    let mut messages = Vec::new();
    for shape in &shapes {
        let is_of = |key: &String| shape.languages.is_empty() || shape.languages.contains(key);
        for (key, language) in languages.iter().filter(|(key, _)| is_of(key)) {
            let charsets = if shape.charsets.is_empty() { &language.charsets } else { &shape.charsets };
            let none = [String::new()];
            let names = if shape.names.is_empty() { &none } else { shape.names.as_slice() };
            for (charset, transfer, names) in product(charsets, &shape.transfers, names) {
                let words = WORDS[messages.len() % WORDS.len()];
                let charset = Charset::of(charset);
                messages.push(Draft { shape, key, language, charset, transfer, words, names }.message());
            }
        }
    }
    messages
}

fn product<'a>(
    first: &'a [String],
    second: &'a [String],
    third: &'a [String],
) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    first.iter().flat_map(move |a| {
        second.iter().flat_map(move |b| third.iter().map(move |c| (a.as_str(), b.as_str(), c.as_str())))
    })
}

impl Draft<'_> {
    fn message(&self) -> Message {
        let shape = self.shape;
        let files: Vec<File> = shape.files.iter().map(|kind| self.file(kind)).collect();
        let mut raw = self.header();
        raw.extend(self.body(&files));
        // Some servers hand a mail over with the line breaks of their own system.
        if self.words == "q" && files.is_empty() {
            raw.retain(|byte| *byte != b'\r');
        }
        let title = format!(
            "{}, {}, {} ({}), {}, {}, {}",
            shape.name,
            self.key,
            self.charset.label,
            self.charset.encoding.name(),
            self.transfer,
            self.words,
            self.names
        );
        Message { title, raw, expected: self.expected(files) }
    }

    fn fill(&self, template: &str) -> String {
        self.language.fill(self.key, &self.charset.label, template)
    }

    fn expected(&self, files: Vec<File>) -> Expected {
        let (shape, language) = (self.shape, self.language);
        let mut parts = files;
        if let Some(kind) = &shape.report {
            parts.extend(self.report(kind));
        }
        let has_quote = [&shape.plain, &shape.html]
            .iter()
            .any(|text| text.contains("{quoted}") || text.contains("{quoted_html}"));
        let own = self.fill(shape.own.as_deref().unwrap_or("{own}"));
        let shown = if has_quote || shape.keeps_all { language.quoted.clone() } else { Vec::new() };
        let (name, address) = match &shape.sender {
            Some(sender) => (String::new(), sender.clone()),
            None => (language.name.clone(), language.address.clone()),
        };
        Expected {
            subject: self.fill(shape.subject.as_deref().unwrap()),
            name,
            address,
            own: own.trim().to_owned(),
            from_html: shape.kind == "html" || (shape.kind == "alternative" && is_placeholder(&shape.plain)),
            shown,
            parts,
            automatic: shape.automatic.clone(),
            remark: shape.remark.clone(),
        }
    }

    fn header(&self) -> Vec<u8> {
        let (shape, language) = (self.shape, self.language);
        let coded = |text: &str| words(text, self.words, &self.charset, &language.odd);
        let mut raw =
            b"Received: from mail.example.net by mx.example.com; Mon, 5 Jan 2026 10:31:00 +0000\r\n".to_vec();
        raw.extend(b"From: ");
        if let Some(sender) = &shape.sender {
            raw.extend(sender.as_bytes());
        } else {
            raw.extend(coded(&language.name));
            raw.extend(format!(" <{}>", language.address).as_bytes());
        }
        raw.extend(b"\r\nTo: <complaints@shop.example>\r\nSubject: ");
        raw.extend(coded(&self.fill(shape.subject.as_deref().unwrap())));
        let id = shape.message_id.as_deref().unwrap_or("1@example.com");
        raw.extend(format!("\r\nMessage-ID: <{id}>\r\nDate: Mon, 5 Jan 2026 10:30:00 +0000\r\n").as_bytes());
        for line in &shape.header {
            raw.extend(format!("{}\r\n", self.fill(line)).as_bytes());
        }
        raw
    }

    fn body(&self, files: &[File]) -> Vec<u8> {
        let shape = self.shape;
        let sent: Vec<Vec<u8>> = files.iter().map(|file| file.entity.clone()).collect();
        let text = match shape.kind.as_str() {
            "html" => self.text("text/html", &shape.html),
            "alternative" => {
                let page = self.text("text/html", &shape.html);
                let page = if sent.is_empty() {
                    page
                } else {
                    multipart("related", "_related", &[vec![page], sent.clone()].concat())
                };
                return multipart("alternative", INNER, &[self.text("text/plain", &shape.plain), page]);
            }
            _ => self.text("text/plain", &shape.plain),
        };
        let parts = |more: Vec<Vec<u8>>| [vec![text.clone()], more].concat();
        match shape.kind.as_str() {
            "report" => {
                let kind = shape.report.as_deref().unwrap();
                let reports = self.report(kind).into_iter().map(|file| file.entity).collect();
                multipart(&format!("report; report-type={kind}"), OUTER, &parts(reports))
            }
            "signed" => multipart("signed; protocol=\"application/pkcs7-signature\"", OUTER, &parts(sent)),
            _ if sent.is_empty() => text,
            _ => multipart("mixed", OUTER, &parts(sent)),
        }
    }

    fn text(&self, media_type: &str, template: &str) -> Vec<u8> {
        let mut text = self.fill(template).trim_start_matches('\n').to_owned();
        let mut field = format!("Content-Type: {media_type}");
        if !self.charset.label.is_empty() {
            field = format!("{field}; charset=\"{}\"", self.charset.label);
        }
        if self.shape.flowed && media_type == "text/plain" {
            text = flowed(&text, self.shape.delsp);
            field.push_str(if self.shape.delsp { "; format=flowed; delsp=yes" } else { "; format=flowed" });
        }
        let bytes = self.charset.bytes(&text.replace("\r\n", "\n").replace('\n', "\r\n"));
        let start = format!("{field}\r\nContent-Transfer-Encoding: {}\r\n\r\n", self.transfer);
        [start.into_bytes(), transfer(&bytes, self.transfer)].concat()
    }

    fn file(&self, kind: &str) -> File {
        let language = self.language;
        match kind {
            "photo" => self.attached(
                &language.file,
                "image/jpeg",
                "attachment",
                b"\xff\xd8\xff\xe0 a photo\0\r\n\x1a".to_vec(),
            ),
            "inline" => {
                self.attached("image001.png", "image/png", "inline", b"\x89PNG\r\n\x1a\n a picture".to_vec())
            }
            "log" => self.attached(
                "log.txt",
                "text/plain",
                "inline",
                self.charset.bytes(&language.own.join("\r\n")),
            ),
            "page" => self.attached("page.html", "text/html", "attachment", b"<p>not the text</p>".to_vec()),
            "tnef" => self.attached(
                "winmail.dat",
                "application/ms-tnef",
                "attachment",
                b"\x78\x9f\x3e\x22 rich text".to_vec(),
            ),
            "signature" => self.attached(
                "smime.p7s",
                "application/pkcs7-signature",
                "attachment",
                b"0\x80 signed".to_vec(),
            ),
            "mail" => {
                let subject = &language.quoted[0];
                let coded = words(subject, "b", &self.charset, "");
                let content = [
                    b"From: service@example.com\r\nSubject: ",
                    coded.as_slice(),
                    b"\r\n\r\nWe are sorry.\r\n",
                ]
                .concat();
                let entity = [
                    b"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n",
                    content.as_slice(),
                ]
                .concat();
                File {
                    name: format!("{subject}.eml"),
                    media_type: "message/rfc822",
                    is_inline: false,
                    content,
                    entity,
                }
            }
            _ => panic!("{kind} is no file"),
        }
    }

    fn attached(&self, file: &str, media_type: &'static str, disposition: &str, content: Vec<u8>) -> File {
        let (filename, type_name) = name(file, self.names, &self.charset);
        let mut entity = format!("Content-Type: {media_type}").into_bytes();
        entity.extend(type_name);
        entity.extend(format!("\r\nContent-Disposition: {disposition}").as_bytes());
        entity.extend(filename);
        if disposition == "inline" && media_type.starts_with("image/") {
            entity.extend(b"\r\nContent-ID: <image001@example.com>");
        }
        entity.extend(b"\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        entity.extend(transfer(&content, "base64"));
        File { name: file.to_owned(), media_type, is_inline: disposition == "inline", content, entity }
    }

    /// What a report holds after its text.
    fn report(&self, kind: &str) -> Vec<File> {
        let (media_type, content) = match kind {
            "delivery-status" => (
                "message/delivery-status",
                "Reporting-MTA: dns; mail.example.net\n\nFinal-Recipient: rfc822; gone@example.org\nAction: failed\nStatus: 5.1.1",
            ),
            _ => (
                "message/disposition-notification",
                "Final-Recipient: rfc822; ada@example.org\nDisposition: manual-action/MDN-sent-manually; displayed",
            ),
        };
        let report = |number: usize, media_type: &'static str, content: &str| {
            // As it is in the mail, whose line breaks some servers change.
            let content = if self.words == "q" { content.to_owned() } else { content.replace('\n', "\r\n") };
            let entity = format!("Content-Type: {media_type}\r\n\r\n{content}").into_bytes();
            let name = format!("attachment-{number}.txt");
            File { name, media_type, is_inline: false, content: content.into_bytes(), entity }
        };
        vec![
            report(1, media_type, content),
            report(2, "text/rfc822-headers", "Subject: Your complaint\nMessage-ID: <7.1@redress>"),
        ]
    }
}

fn is_placeholder(plain: &str) -> bool {
    plain.trim().is_empty() || plain.contains("does not support HTML")
}

fn multipart(kind: &str, boundary: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let (kind, more) = kind.split_once(';').map_or((kind, ""), |(kind, more)| (kind, more));
    let more = if more.is_empty() { String::new() } else { format!(";{more}") };
    let mut raw = format!("Content-Type: multipart/{kind}{more};\r\n boundary=\"{boundary}\"\r\n\r\nThis is a multi-part message in MIME format.\r\n").into_bytes();
    for part in parts {
        raw.extend(format!("--{boundary}\r\n").as_bytes());
        raw.extend(part);
        raw.extend(b"\r\n");
    }
    raw.extend(format!("--{boundary}--\r\n").as_bytes());
    raw
}
