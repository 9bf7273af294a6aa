//! HTML to plain text: one pass over the tokens of `html5gum`, no tree, so that neither depth
//! nor unclosed tags cost anything. What is quoted begins with `> ` as in plain text, so
//! that one set of rules folds both.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use mail_parser::decoders::html::html_to_text;

/// Deepest quotes that are shown as such.
const MAX_QUOTES: usize = 8;
/// Most elements that are kept open; deeper ones are shown all the same.
const MAX_OPEN: usize = 5_000;
/// Longest address of a link that is shown, in characters.
const MAX_LINK: usize = 300;
/// What begins a paragraph of its own, and what a line of its own.
const PARAGRAPHS: [&[u8]; 12] =
    [b"p", b"h1", b"h2", b"h3", b"h4", b"h5", b"h6", b"table", b"ul", b"ol", b"dl", b"pre"];
const LINES: [&[u8]; 18] = [
    b"div",
    b"li",
    b"tr",
    b"section",
    b"article",
    b"header",
    b"footer",
    b"address",
    b"center",
    b"form",
    b"dt",
    b"dd",
    b"hr",
    b"body",
    b"caption",
    b"fieldset",
    b"main",
    b"blockquote",
];
/// What is never shown.
const HIDDEN: [&[u8]; 3] = [b"script", b"style", b"title"];
/// Classes of containers that hold what is quoted, by programs that use no `blockquote`.
const QUOTING: [&str; 2] = ["yahoo_quoted", "zmail_extra"];

/// The text of a page, about so many characters of it at most.
pub(crate) fn text(html: &str, most: usize) -> String {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut page = Page::default();
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(token) = token;
        page.take(token);
        if page.out.len() > most.saturating_mul(4) {
            break;
        }
    }
    // An unclosed `<title>` hides all there is: what was sent must still be read.
    if page.out.trim().is_empty() { html_to_text(html) } else { page.out }
}

/// An element that is open.
#[derive(Clone, Copy)]
struct Open {
    is_blockquote: bool,
    is_quote: bool,
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what is to come before the next character, each by itself"
)]
struct Page {
    out: String,
    /// Line breaks and a blank that come before the next character.
    breaks: usize,
    has_blank: bool,
    /// The blank is a line break of the source: none is needed between Chinese characters.
    is_folded: bool,
    open: Vec<Open>,
    /// Of those, how many are of the name `blockquote`, and how many are quotes.
    blockquotes: usize,
    quotes: usize,
    /// Lists that are open, with the number of the next item where they are numbered.
    lists: Vec<Option<u32>>,
    hidden: Option<Vec<u8>>,
    link: Option<(String, usize)>,
    pre: bool,
    /// There is a cell before this one in the row, and it is still to be parted from it.
    has_cell: bool,
    is_next_cell: bool,
    /// Nothing of the row was shown yet.
    is_row: bool,
}

impl Page {
    fn take(&mut self, token: Token) {
        match token {
            Token::EndTag(tag) if self.hidden.as_deref() == Some(&*tag.name) => self.hidden = None,
            _ if self.hidden.is_some() => {}
            Token::StartTag(tag) => self.start(&tag),
            Token::EndTag(tag) => self.end(&tag.name),
            Token::String(text) => self.write(&String::from_utf8_lossy(&text.value)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let name: &[u8] = &tag.name;
        if HIDDEN.contains(&name) {
            self.hidden = Some(name.to_vec());
            return;
        }
        self.part(name);
        match name {
            b"br" => self.breaks = (self.breaks + 1).min(2),
            b"div" | b"blockquote" => self.open(name == b"blockquote", tag),
            b"ul" | b"ol" if self.lists.len() < MAX_OPEN => self.lists.push((name == b"ol").then_some(1)),
            b"li" => self.item(),
            b"tr" => (self.is_row, self.has_cell, self.is_next_cell) = (true, false, false),
            b"td" | b"th" if self.has_cell => {
                (self.breaks, self.has_blank, self.is_next_cell) = (0, false, true);
            }
            b"a" => self.link = attribute(tag, "href").map(|href| (href, self.out.len())),
            b"img" => {
                if let Some(alt) = attribute(tag, "alt").filter(|alt| !alt.trim().is_empty()) {
                    self.write(&format!("[{}]", alt.trim()));
                }
            }
            b"pre" => self.pre = true,
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        self.part(name);
        match name {
            b"div" | b"blockquote" => self.close(name == b"blockquote"),
            b"ul" | b"ol" => drop(self.lists.pop()),
            // Rows follow each other, even where their cells hold paragraphs.
            b"tr" => (self.breaks, self.has_cell, self.is_next_cell) = (1, false, false),
            b"a" => self.end_link(),
            b"pre" => self.pre = false,
            _ => {}
        }
    }

    /// What stands before an element and after it.
    fn part(&mut self, name: &[u8]) {
        let breaks = if PARAGRAPHS.contains(&name) { 2 } else { usize::from(LINES.contains(&name)) };
        // A paragraph that begins a row needs no empty line before it.
        let breaks = if self.is_row && self.breaks > 0 { breaks.min(1) } else { breaks };
        self.breaks = self.breaks.max(breaks);
        self.has_blank &= breaks == 0;
    }

    fn open(&mut self, is_blockquote: bool, tag: &StartTag<()>) {
        let is_quote = if is_blockquote {
            // Gmail's button that indents a paragraph makes one without a border.
            let style = attribute(tag, "style").unwrap_or_default().replace(' ', "");
            !style.contains("border:none")
        } else {
            let class = attribute(tag, "class").unwrap_or_default();
            class.split_whitespace().any(|one| QUOTING.contains(&one))
        };
        if self.open.len() < MAX_OPEN {
            self.open.push(Open { is_blockquote, is_quote });
            self.blockquotes += usize::from(is_blockquote);
            self.quotes += usize::from(is_quote);
        }
    }

    fn close(&mut self, is_blockquote: bool) {
        let is_it = |open: &Open| open.is_blockquote == is_blockquote;
        // A `</div>` too many closes no quote.
        let at = if is_blockquote {
            // Not looked for where there is none: a page may close millions.
            (self.blockquotes > 0).then(|| self.open.iter().rposition(is_it)).flatten()
        } else {
            self.open.len().checked_sub(1).filter(|at| self.open.get(*at).is_some_and(is_it))
        };
        for closed in at.map(|at| self.open.split_off(at)).unwrap_or_default() {
            self.blockquotes -= usize::from(closed.is_blockquote);
            self.quotes -= usize::from(closed.is_quote);
        }
    }

    fn item(&mut self) {
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "- ".to_owned(),
        };
        self.write(&mark);
        self.has_blank = true;
        self.is_folded = false;
    }

    fn end_link(&mut self) {
        let Some((href, start)) = self.link.take() else { return };
        let shown = self.out.get(start..).unwrap_or_default().trim();
        let target = href.trim().strip_prefix("mailto:").unwrap_or(href.trim());
        let is_web = ["http://", "https://", "mailto:"].iter().any(|scheme| href.trim().starts_with(scheme));
        let bare = target.split_once("://").map_or(target, |(_, rest)| rest).trim_end_matches('/');
        let is_said =
            shown.contains(target) || (!bare.is_empty() && shown.trim_end_matches('/').ends_with(bare));
        if is_web && !shown.is_empty() && !is_said {
            let target: String = target.chars().take(MAX_LINK).collect();
            self.write(&format!(" ({target})"));
        }
    }

    fn write(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\r' => {}
                '\n' if self.pre => self.breaks = (self.breaks + 1).min(2),
                ' ' | '\t' if self.pre => self.put(c),
                c if c.is_whitespace() => {
                    self.is_folded = (self.is_folded || !self.has_blank) && c == '\n';
                    self.has_blank = true;
                }
                c => self.put(c),
            }
        }
    }

    fn put(&mut self, c: char) {
        if self.is_next_cell {
            self.out.push_str(" | ");
        } else if self.breaks > 0 && !self.out.is_empty() {
            self.out.extend(std::iter::repeat_n('\n', self.breaks));
        } else if self.has_blank && !self.out.is_empty() && !(self.is_folded && self.is_between_wide(c)) {
            self.out.push(' ');
        }
        if self.out.is_empty() || self.out.ends_with('\n') {
            self.out.extend(std::iter::repeat_n("> ", self.quotes.min(MAX_QUOTES)));
        }
        (self.breaks, self.has_blank, self.is_folded) = (0, false, false);
        (self.has_cell, self.is_next_cell, self.is_row) = (true, false, false);
        self.out.push(c);
    }

    fn is_between_wide(&self, c: char) -> bool {
        let is_wide = |c: char| matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}');
        is_wide(c) && self.out.chars().next_back().is_some_and(is_wide)
    }
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(html: &str) -> String {
        text(html, 10_000)
    }

    #[test]
    fn what_is_seen_is_what_is_kept() {
        let page = "<html><head><title>T</title><style>p{}</style></head><body><p>Hello&nbsp;&amp;\n  you</p>\
                    <script>alert(1 < 2)</script><!-- no --><div>a<br>b</div><div><br></div><div>c</div></body></html>";
        assert_eq!(shown(page), "Hello & you\n\na\nb\n\nc");
        assert_eq!(shown("a &lt;b&gt; 3 < 4 &#x5305;<br><br><br>d"), "a <b> 3 < 4 包\n\nd");
        assert_eq!(shown("<pre>  x\n    y</pre>"), "  x\n    y");
        assert_eq!(shown("包裹\n坏了\nlate\nparcel"), "包裹坏了 late parcel");
        assert_eq!(shown("<img src=x alt='Photo of the box'><img src=y alt=''>"), "[Photo of the box]");
    }

    #[test]
    fn links_say_where_they_lead_unless_their_text_does() {
        assert_eq!(
            shown("see <a href='https://example.com/x'>here</a>."),
            "see here (https://example.com/x)."
        );
        assert_eq!(shown("<a href='https://example.com/'>example.com</a>"), "example.com");
        assert_eq!(shown("<a href='mailto:a@example.com'>a@example.com</a>"), "a@example.com");
        assert_eq!(shown("<a href='#top'>top</a> <a href='javascript:x()'>y</a>"), "top y");
    }

    #[test]
    fn tables_and_lists_can_be_read() {
        let table = "<table><tr><th>Order</th><th>Price</th></tr>\n<tr><td><p>A-7</p></td>\n<td> <p>12 €</p></td></tr></table>after";
        assert_eq!(shown(table), "Order | Price\nA-7 | 12 €\n\nafter");
        assert_eq!(shown("<ol><li>one<li>two</ol><ul><li>x</li></ul>"), "1. one\n2. two\n\n- x");
    }

    #[test]
    fn what_is_quoted_is_marked_and_what_is_only_indented_is_not() {
        assert_eq!(
            shown("me<blockquote>a<br>b<blockquote>c</blockquote></blockquote>me"),
            "me\n> a\n> b\n> > c\nme"
        );
        let indented = "<blockquote style='margin: 0 0 0 40px; border: none; padding: 0px'>mine</blockquote>";
        assert_eq!(shown(indented), "mine");
        assert_eq!(shown("a<div class='yahoo_quoted x'>q<div>r</div></div></div>b"), "a\n> q\n> r\nb");
    }

    #[test]
    fn depth_costs_nothing_and_a_text_is_not_lost_to_a_tag() {
        let deep = format!("{}deep", "<div><blockquote><table><tr><td>".repeat(20_000));
        assert!(shown(&deep).ends_with("deep"));
        assert_eq!(
            shown("<title/><p>My parcel is lost</p>"),
            html_to_text("<title/><p>My parcel is lost</p>")
        );
        assert!(text(&"word ".repeat(100_000), 100).len() < 1_000_000);
    }
}
