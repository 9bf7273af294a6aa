//! A mapping as somebody writes it, and what is wrong with it.

use serde::{Deserialize, Serialize};

use crate::keywords::{Matcher, Rule, folded};
use crate::limits::{
    MAX_LANGUAGE, MAX_RULE_NAME, MAX_RULES, MAX_TEMPLATE, MAX_TEMPLATES, MAX_THRESHOLDS, MAX_WORD, MAX_WORDS,
};
use crate::{Field, Mapping, Path, reply};

/// The text of a reply in a language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// The language, as a BCP 47 tag.
    pub language: String,
    /// The text: `{author}` and `{reference}` stand for the account and the case.
    pub text: String,
}

/// A mapping as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Path to the posts of a body; empty where the body is a post, or a list of them.
    #[serde(default)]
    pub items: String,
    /// Where each field of a post is: its name, and a path from the post.
    #[serde(default)]
    pub fields: Vec<(String, String)>,
    /// Which posts are complaints; all where there are none.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Numbers of posts from which on it is told that a matter spreads, from the least.
    #[serde(default)]
    pub mention_thresholds: Vec<i64>,
    /// The same of how many may have seen them.
    #[serde(default)]
    pub reach_thresholds: Vec<i64>,
    /// What is answered in public.
    #[serde(default)]
    pub templates: Vec<Template>,
}

/// Something that is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where, e.g. `fields[0].path`.
    pub field: String,
    /// What.
    pub what: String,
}

/// What is wrong with a mapping, as it is found.
#[derive(Default)]
struct Faults(Vec<Wrong>);

impl Faults {
    fn fail(&mut self, field: impl Into<String>, what: impl Into<String>) {
        self.0.push(Wrong { field: field.into(), what: what.into() });
    }

    fn ensure(&mut self, holds: bool, field: &str, what: &str) {
        if !holds {
            self.fail(field, what);
        }
    }

    /// Postgres keeps no NUL.
    fn no_nul(&mut self, field: &str, text: &str) {
        self.ensure(!text.contains('\0'), field, "must not contain NUL characters");
    }

    fn path(&mut self, field: &str, text: &str) -> Option<Path> {
        Path::parse(text).inspect_err(|error| self.fail(field, error.to_string())).ok()
    }
}

impl Spec {
    /// Makes a mapping ready.
    ///
    /// # Errors
    ///
    /// Fails with everything that is wrong with it.
    pub fn compile(&self) -> Result<Mapping, Vec<Wrong>> {
        let mut faults = Faults::default();
        let items = if self.items.is_empty() { None } else { faults.path("items", &self.items) };
        let fields = self.compiled_fields(&mut faults);
        self.check_rules(&mut faults);
        check_thresholds(&mut faults, "mention_thresholds", &self.mention_thresholds);
        check_thresholds(&mut faults, "reach_thresholds", &self.reach_thresholds);
        self.check_templates(&mut faults);
        if !faults.0.is_empty() {
            return Err(faults.0);
        }
        let matcher = Matcher::new(&self.rules)
            .map_err(|error| vec![Wrong { field: "rules".to_owned(), what: error.to_string() }])?;
        Ok(Mapping { items, fields, matcher, takes_all: self.rules.is_empty() })
    }

    fn compiled_fields(&self, faults: &mut Faults) -> Vec<(Field, Path)> {
        let mut fields: Vec<(Field, Path)> = Vec::new();
        if self.fields.len() > Field::ALL.len() {
            faults.fail("fields", format!("must be at most {}", Field::ALL.len()));
            return fields;
        }
        for (place, (name, path)) in self.fields.iter().enumerate() {
            let field = Field::ALL.iter().copied().find(|field| field.to_string() == *name);
            let path = faults.path(&format!("fields[{place}].path"), path);
            let at = format!("fields[{place}].field");
            match field {
                None => faults.fail(at, "must be one of the fields of a post"),
                Some(field) if fields.iter().any(|(known, _)| *known == field) => {
                    faults.fail(at, "must be there once");
                }
                Some(field) => fields.extend(path.map(|path| (field, path))),
            }
        }
        let reads_words = self.fields.iter().any(|(name, _)| *name == Field::Text.to_string());
        faults.ensure(reads_words, "fields", "must have the text of a post");
        fields
    }

    fn check_rules(&self, faults: &mut Faults) {
        if self.rules.len() > MAX_RULES {
            faults.fail("rules", format!("must be at most {MAX_RULES}"));
            return;
        }
        let words = |rule: &Rule| rule.any_of.len() + rule.all_of.len() + rule.none_of.len();
        // A list that is too long is one violation, and nothing of it is looked at.
        if self.note_long_lists(faults) {
            return;
        }
        if self.rules.iter().map(words).sum::<usize>() > MAX_WORDS {
            faults.fail("rules", format!("must have at most {MAX_WORDS} words together"));
            return;
        }
        for (place, rule) in self.rules.iter().enumerate() {
            let name = format!("rules[{place}].name");
            let length = rule.name.chars().count();
            let fits = (1..=MAX_RULE_NAME).contains(&length);
            faults.ensure(fits, &name, "must have 1 to 100 characters");
            faults.no_nul(&name, &rule.name);
            let is_first = !self.rules[..place].iter().any(|other| other.name == rule.name);
            faults.ensure(is_first, &name, "must be another than that of the other rules");
            faults.ensure(words(rule) > 0, &format!("rules[{place}]"), "must have a word");
            for (list, words) in lists(rule) {
                for (at, word) in words.iter().enumerate() {
                    let fits = word.chars().count() <= MAX_WORD && !folded(word).is_empty();
                    let field = format!("rules[{place}].{list}[{at}]");
                    faults.ensure(fits, &field, "must have 1 to 100 characters that can be seen");
                    faults.no_nul(&field, word);
                }
            }
        }
    }

    /// Notes lists of words that are too long each by itself; whether there are any.
    fn note_long_lists(&self, faults: &mut Faults) -> bool {
        let before = faults.0.len();
        for (place, rule) in self.rules.iter().enumerate() {
            for (list, words) in lists(rule) {
                let fits = words.len() <= MAX_WORDS;
                faults.ensure(fits, &format!("rules[{place}].{list}"), "must be at most 500");
            }
        }
        faults.0.len() > before
    }

    fn check_templates(&self, faults: &mut Faults) {
        if self.templates.len() > MAX_TEMPLATES {
            faults.fail("templates", format!("must be at most {MAX_TEMPLATES}"));
            return;
        }
        for (place, template) in self.templates.iter().enumerate() {
            let language = format!("templates[{place}].language");
            let is_part = |part: &str| {
                (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            };
            let tag = template.language.as_str();
            let is_tag = tag.len() <= MAX_LANGUAGE && tag.split('-').all(is_part);
            faults.ensure(is_tag, &language, "must be a BCP 47 language tag, e.g. zh-CN");
            let is_first = !self.templates[..place].iter().any(|one| one.language.eq_ignore_ascii_case(tag));
            faults.ensure(is_first, &language, "must be another than that of the other templates");
            let text = format!("templates[{place}].text");
            let length = template.text.chars().count();
            let fits = length <= MAX_TEMPLATE && !template.text.trim().is_empty();
            faults.ensure(fits, &text, "must have 1 to 2000 characters");
            faults.no_nul(&text, &template.text);
            let is_plain = reply::stray_brace(&template.text).is_none();
            faults.ensure(is_plain, &text, "must have no braces but {author} and {reference}");
        }
    }

    /// The template for a language: of the same tag, of the same language, or the first.
    pub fn template(&self, language: &str) -> Option<&Template> {
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let exact = self.templates.iter().find(|one| one.language.eq_ignore_ascii_case(language));
        let alike = || self.templates.iter().find(|one| primary(&one.language) == primary(language));
        exact.or_else(alike).or_else(|| self.templates.first())
    }
}

/// The lists of a rule, by name.
fn lists(rule: &Rule) -> [(&'static str, &[String]); 3] {
    [("any_of", &rule.any_of), ("all_of", &rule.all_of), ("none_of", &rule.none_of)]
}

fn check_thresholds(faults: &mut Faults, field: &str, thresholds: &[i64]) {
    if thresholds.len() > MAX_THRESHOLDS {
        faults.fail(field, format!("must be at most {MAX_THRESHOLDS}"));
        return;
    }
    let ascends = thresholds.windows(2).all(|pair| pair[0] < pair[1]);
    let is_positive = thresholds.first().is_none_or(|first| *first > 1);
    faults.ensure(ascends && is_positive, field, "must be more than 1 each, and ascend");
}
