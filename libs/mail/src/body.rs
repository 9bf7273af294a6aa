//! Which parts of a mail are its text, and which are evidence.

use crate::charset::{self, Hints};
use crate::entity::Entity;
use crate::limits::Limits;
use crate::part::{Disposition, Part};
use crate::remark::{Remark, Remarks};
use crate::{clean, flowed, html, transfer};

/// Bytes that are decoded for a character at most: more of a text are beyond its limit.
const MAX_WIDTH: usize = 8;
/// Bytes of a page in which it may name its charset.
const MAX_META: usize = 2_048;
/// Longest text that is taken for one that only says to look elsewhere, in characters.
const MAX_PLACEHOLDER: usize = 300;
/// What programs write that send their text as HTML only.
const PLACEHOLDERS: [&str; 14] = [
    "does not support html",
    "doesn't support html",
    "not support html",
    "html-compatible",
    "html compatible",
    "view this email in",
    "this is an html message",
    "this message contains html",
    "this is a multi-part message in mime format",
    "you need an html",
    "不支持html",
    "支持html",
    "html格式",
    "keine html",
];

/// What the parts of a mail hold.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// Its text, no longer than is allowed.
    pub(crate) text: String,
    /// Some of it was HTML.
    pub(crate) from_html: bool,
    pub(crate) parts: Vec<Part>,
}

/// Where a part lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where texts are those of the mail.
    Text,
    /// Beside the form of the text that was chosen: other forms of it are left out.
    Other,
    /// Where all is evidence.
    Evidence,
}

pub(crate) fn read(mail: &Entity<'_>, hints: &Hints, limits: &Limits, remarks: &mut Remarks) -> Body {
    let mut reader =
        Reader { hints, limits, remarks, pieces: Vec::new(), parts: Vec::new(), from_html: false };
    let disposition = Disposition::of(mail, hints, reader.remarks);
    if is_text(mail) && !disposition.is_attachment {
        // The only part there is: however it is named, these are the sender's words.
        reader.take_text(mail);
    } else {
        reader.visit(mail, Place::Text);
    }
    reader.finish()
}

struct Reader<'r> {
    hints: &'r Hints,
    limits: &'r Limits,
    remarks: &'r mut Remarks,
    pieces: Vec<String>,
    parts: Vec<Part>,
    from_html: bool,
}

impl Reader<'_> {
    /// No deeper than a mail may be, which was looked at before.
    fn visit(&mut self, entity: &Entity<'_>, place: Place) {
        self.remark(entity);
        if !entity.is_multipart() {
            return self.leaf(entity, place);
        }
        let kind = entity.content.value.as_str();
        match kind {
            "multipart/alternative" if place == Place::Text => self.alternative(entity),
            "multipart/related" if place != Place::Evidence => {
                let root = entity.children.iter().position(|child| is_text(child) || child.is_multipart());
                self.first(entity, root.unwrap_or_default(), place);
            }
            "multipart/report" if place == Place::Text => self.first(entity, 0, place),
            "multipart/encrypted" => {
                self.remarks.make(Remark::EncryptedUnread);
                self.each(entity, Place::Evidence);
            }
            _ => self.each(entity, place),
        }
    }

    fn remark(&mut self, entity: &Entity<'_>) {
        let found = [
            (entity.header.is_cut, Remark::HeaderCut),
            (entity.header.is_broken, Remark::HeaderBroken),
            (entity.is_broken, Remark::StructureBroken),
        ];
        found.into_iter().filter(|(is, _)| *is).for_each(|(_, remark)| self.remarks.make(remark));
    }

    fn each(&mut self, entity: &Entity<'_>, place: Place) {
        entity.children.iter().for_each(|child| self.visit(child, place));
    }

    /// One part is in the place of all, the others are what it is shown with.
    fn first(&mut self, entity: &Entity<'_>, root: usize, place: Place) {
        for (at, child) in entity.children.iter().enumerate() {
            self.visit(child, if at == root { place } else { Place::Evidence });
        }
    }

    /// Of several forms of one text, plain text unless it says nothing, else HTML.
    fn alternative(&mut self, entity: &Entity<'_>) {
        let children = &entity.children;
        let plain = children.iter().position(|child| holds(child, "text/plain"));
        let says = plain.is_some_and(|at| children.get(at).is_some_and(|child| self.says(child)));
        let html = children.iter().rposition(|child| holds(child, "text/html"));
        let chosen = if says { plain } else { html.or(plain) }.unwrap_or_default();
        for (at, child) in children.iter().enumerate() {
            self.visit(child, if at == chosen { Place::Text } else { Place::Other });
        }
    }

    /// Whether a text is more than a note that it is to be read elsewhere.
    fn says(&mut self, entity: &Entity<'_>) -> bool {
        if entity.is_multipart() {
            return entity.children.iter().any(|child| holds(child, "text/plain") && self.says(child));
        }
        let (text, ..) = self.text(entity);
        let text = text.trim().to_lowercase();
        let is_short = text.chars().count() <= MAX_PLACEHOLDER;
        let is_placeholder = is_short && PLACEHOLDERS.iter().any(|phrase| text.contains(phrase));
        !text.is_empty() && !is_placeholder
    }

    fn leaf(&mut self, entity: &Entity<'_>, place: Place) {
        let disposition = Disposition::of(entity, self.hints, self.remarks);
        let is_words = is_text(entity) && disposition.name.is_none() && !disposition.is_attachment;
        match place {
            Place::Text if is_words => self.take_text(entity),
            Place::Other if is_words => {}
            _ => self.take_part(entity, &disposition),
        }
    }

    fn take_part(&mut self, entity: &Entity<'_>, disposition: &Disposition) {
        if disposition.name.is_none() && crate::field::is_blank(entity.body) {
            return;
        }
        let part = Part::of(entity, disposition, self.parts.len() + 1, self.hints, self.remarks);
        match part.media_type.as_str() {
            "application/ms-tnef" | "application/vnd.ms-tnef" => self.remarks.make(Remark::TnefUnread),
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                self.remarks.make(Remark::EncryptedUnread);
            }
            _ if part.name.eq_ignore_ascii_case("winmail.dat") => self.remarks.make(Remark::TnefUnread),
            _ => {}
        }
        self.parts.push(part);
    }

    fn take_text(&mut self, entity: &Entity<'_>) {
        self.remark(entity);
        let (text, bytes, is_cut) = self.text(entity);
        if is_cut {
            let is_html = entity.is("text/html");
            let name = if is_html { "message.html" } else { "message.txt" };
            let charset = entity.content.get("charset", self.hints, self.remarks);
            self.keep_whole(name, entity.content.value.clone(), charset, bytes);
        }
        if !text.trim().is_empty() {
            self.from_html |= entity.is("text/html");
            self.pieces.push(text);
        }
    }

    /// What is cut is not lost.
    fn keep_whole(&mut self, name: &str, media_type: String, charset: Option<String>, content: Vec<u8>) {
        self.remarks.make(Remark::TextCut);
        let name = name.to_owned();
        self.parts.push(Part { name, media_type, charset, content, inline: true, content_id: None });
    }

    /// The text of a part, what it was made of, and whether there is more of it.
    fn text(&mut self, entity: &Entity<'_>) -> (String, Vec<u8>, bool) {
        let decoded = transfer::decode(&entity.encoding(), entity.body, true);
        if decoded.is_damaged {
            self.remarks.make(Remark::TransferDamaged);
        }
        let bytes = decoded.bytes;
        let is_html = entity.is("text/html");
        let mut label = entity.content.get("charset", self.hints, self.remarks).unwrap_or_default();
        if is_html && label.is_empty() {
            label = meta_charset(&bytes);
        }
        let most = self.limits.text;
        let (text, is_cut) = if is_html {
            let page = charset::decode(&bytes, &label, self.hints, self.remarks);
            clean::lines(&html::text(&page, most), most)
        } else {
            let enough = bytes.get(..most.saturating_mul(MAX_WIDTH)).unwrap_or(&bytes);
            let plain = charset::decode(enough, &label, self.hints, self.remarks);
            clean::lines(&plain, most)
        };
        let says = |name: &str, reader: &mut Self| {
            let value = entity.content.get(name, reader.hints, reader.remarks).unwrap_or_default();
            value.to_ascii_lowercase()
        };
        let is_flowed = !is_html && says("format", self) == "flowed";
        let text = if is_flowed { flowed::unwrapped(&text, says("delsp", self) == "yes") } else { text };
        (text, bytes, is_cut)
    }

    fn finish(mut self) -> Body {
        let pieces: Vec<&str> = self.pieces.iter().map(|piece| piece.trim_matches('\n').trim_end()).collect();
        let joined = pieces.join("\n\n");
        let (text, is_cut) = clean::lines(&joined, self.limits.text);
        if is_cut {
            let charset = Some("utf-8".to_owned());
            self.keep_whole("message.txt", "text/plain".to_owned(), charset, joined.into_bytes());
        }
        Body { text, from_html: self.from_html, parts: self.parts }
    }
}

/// Whether a part is one that a text is sent in; a multipart that cannot be taken apart is
/// read as it stands.
fn is_text(entity: &Entity<'_>) -> bool {
    let kinds = ["text/plain", "text/html", "text/markdown", "text/enriched"];
    !entity.is_multipart()
        && (kinds.iter().any(|kind| entity.is(kind)) || entity.content.value.starts_with("multipart/"))
}

/// Whether a part is of this type, or has one within that is.
fn holds(entity: &Entity<'_>, kind: &str) -> bool {
    entity.is(kind) || entity.children.iter().any(|child| holds(child, kind))
}

/// The charset that a page names itself.
fn meta_charset(page: &[u8]) -> String {
    let start = String::from_utf8_lossy(page.get(..MAX_META).unwrap_or(page)).to_ascii_lowercase();
    let Some((_, rest)) = start.split_once("charset=") else { return String::new() };
    let rest = rest.trim_start_matches(['"', '\'', ' ']);
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
}
