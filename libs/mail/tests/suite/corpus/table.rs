//! The tables of the corpus, as they are written.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// What people write in a language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Language {
    pub(super) charsets: Vec<String>,
    pub(super) odd: String,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) shop: String,
    pub(super) subject: String,
    pub(super) own: Vec<String>,
    pub(super) quoted: Vec<String>,
    pub(super) file: String,
    pub(super) gmail: String,
    pub(super) apple: String,
    pub(super) thunderbird: String,
    pub(super) outlook: String,
    pub(super) separator: String,
    pub(super) forward: String,
    pub(super) telephone: String,
    pub(super) away: String,
}

/// How a program writes a mail.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) languages: Vec<String>,
    #[serde(default)]
    pub(super) charsets: Vec<String>,
    pub(super) transfers: Vec<String>,
    pub(super) subject: Option<String>,
    pub(super) sender: Option<String>,
    pub(super) message_id: Option<String>,
    #[serde(default)]
    pub(super) header: Vec<String>,
    #[serde(default)]
    pub(super) plain: String,
    #[serde(default)]
    pub(super) html: String,
    pub(super) own: Option<String>,
    #[serde(default)]
    pub(super) flowed: bool,
    #[serde(default)]
    pub(super) delsp: bool,
    #[serde(default)]
    pub(super) files: Vec<String>,
    #[serde(default)]
    pub(super) names: Vec<String>,
    pub(super) report: Option<String>,
    pub(super) automatic: Option<String>,
    pub(super) remark: Option<String>,
    /// The sender has added nothing, so that all is theirs.
    #[serde(default)]
    pub(super) keeps_all: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shapes {
    subject: String,
    shape: Vec<Shape>,
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    std::fs::read_to_string(path).unwrap()
}

pub(super) fn languages() -> BTreeMap<String, Language> {
    toml::from_str(&file("languages.toml")).unwrap()
}

/// All shapes, each with its subject.
pub(super) fn shapes() -> Vec<Shape> {
    let files = ["replies.toml", "first.toml", "automatic.toml"];
    let read = files.map(|name| toml::from_str::<Shapes>(&file(name)).unwrap());
    let with_subject = |shapes: Shapes| {
        let Shapes { subject, shape } = shapes;
        shape.into_iter().map(move |mut one| {
            one.subject = one.subject.or_else(|| Some(subject.clone()));
            one
        })
    };
    read.into_iter().flat_map(with_subject).collect()
}

impl Language {
    /// A template with this language's words in it.
    pub(super) fn fill(&self, language: &str, label: &str, template: &str) -> String {
        let page = |text: &str| {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            text.replace('\n', "<br>\r\n")
        };
        let (own, quoted) = (self.own.join("\n"), self.quoted.join("\n"));
        let marked = self.quoted.iter().map(|line| format!("> {line}")).collect::<Vec<String>>().join("\n");
        let mut filled = template.to_owned();
        for (name, text) in [
            ("own", own.as_str()),
            ("quoted", &quoted),
            ("gmail", &self.gmail),
            ("apple", &self.apple),
            ("thunderbird", &self.thunderbird),
            ("outlook", &self.outlook),
            ("telephone", &self.telephone),
        ] {
            filled = filled.replace(&format!("{{{name}}}"), text);
            filled = filled.replace(&format!("{{{name}_html}}"), &page(text));
        }
        for (name, text) in [
            ("marked", marked.as_str()),
            ("own_first", &self.own[0]),
            ("own_second", &self.own[1]),
            ("own_last", &self.own[2]),
            ("quoted_first", &self.quoted[0]),
            ("quoted_last", &self.quoted[2]),
            ("separator", &self.separator),
            ("forward", &self.forward),
            ("name", &self.name),
            ("address", &self.address),
            ("shop", &self.shop),
            ("subject", &self.subject),
            ("away", &self.away),
            ("language", language),
            ("label", label),
        ] {
            filled = filled.replace(&format!("{{{name}}}"), text);
        }
        filled.replace("{{", "{").replace("}}", "}")
    }
}
