//! The words of a notice, as people write them: text with places, `{{ name }}`, and parts
//! that are there or not, `{% if reasons %} … {% else %} … {% endif %}`.
//!
//! Nothing else is offered: no filters, no arithmetic, no comparisons, no loops and no other
//! files. So no text and nothing is compared with a number and picks a paragraph unnoticed;
//! what is not known of a notice is refused when the template is made, and stops the letter
//! if it is met later. What is put into a place is never read as a template itself,
//! whatever a citizen has typed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::{Deserialize, Serialize};

use crate::owed::Kind;

/// Most characters of a template's subject line, and of one that is written.
pub const MAX_SUBJECT: usize = 300;
/// Most conditions within each other, alternatives included.
pub const MAX_NESTED: usize = 20;
/// Most words, and most parentheses, of one condition.
pub const MAX_WORDS: usize = 20;
/// Most characters of a template's text.
pub const MAX_BODY: usize = 20_000;
/// Most characters of a text that is written: whatever citizens and handlers have said
/// fits in it.
pub const MAX_WRITTEN: usize = 100_000;
/// Steps a template may take: more than its length allows it to need.
const FUEL: u64 = 50_000;
/// Words with a meaning of their own that are offered.
const OFFERED: [&str; 8] = ["if", "elif", "else", "endif", "and", "or", "not", "raw"];

/// The words of a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Its subject line.
    pub subject: String,
    /// Its text.
    pub body: String,
}

/// What is put into the places.
pub type Values = BTreeMap<&'static str, Value>;

/// Something wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// `subject` or `body`.
    pub field: &'static str,
    /// What.
    pub problem: String,
}

/// The places that a notice of a kind has; those that its text must show are true.
pub fn places(kind: Kind) -> Vec<(&'static str, bool)> {
    let of_all = [("greeting", false), ("name", false), ("subject", false), ("case", true)];
    let own: &[(&'static str, bool)] = match kind {
        Kind::Acknowledgement => &[("has_code", false)],
        Kind::Recourse | Kind::Withdrawal => &[],
        Kind::Outcome => &[("decision", true), ("reasons", true), ("until", true)],
        Kind::Extension => &[("reasons", true), ("until", true)],
        Kind::Holding => &[("text", true), ("reason", true), ("next", true), ("until", true)],
        Kind::Shortage => &[("article", true), ("until", true)],
        Kind::ClosingSoon => &[("until", true)],
        Kind::CallBackPlanned => &[("from", true), ("until", true)],
        Kind::CallBackMissed => &[("tried", true), ("until", true)],
        Kind::Progress => &[("stage", true), ("days", true)],
        Kind::Survey => &[
            ("reminder", false),
            ("handling", true),
            ("outcome", true),
            ("effort", true),
            ("comment", true),
            ("code", true),
            ("until", true),
        ],
    };
    of_all.iter().chain(own).copied().collect()
}

impl Template {
    /// Everything that is wrong with the template of a notice, tried on samples.
    pub fn flaws(&self, kind: Kind, samples: &[(Values, Values)]) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let subject_shown = shown(&mut flaws, kind, "subject", &self.subject, MAX_SUBJECT);
        let body_shown = shown(&mut flaws, kind, "body", &self.body, MAX_BODY);
        if let (Some(_), Some(body)) = (subject_shown, body_shown) {
            let missing = places(kind).into_iter().filter(|(place, must)| *must && !body.contains(*place));
            let missing: Vec<&str> = missing.map(|(place, _)| place).collect();
            flaws.extend(
                missing
                    .into_iter()
                    .map(|place| Flaw { field: "body", problem: format!("must show {place}") }),
            );
        }
        if flaws.is_empty() {
            flaws.extend(samples.iter().find_map(|(subject, body)| self.write(subject, body).err()));
        }
        flaws
    }

    /// Writes subject line and text, or says what stops it.
    pub fn write(&self, for_subject: &Values, for_body: &Values) -> Result<(String, String), Flaw> {
        let subject = write("subject", &self.subject, for_subject)?;
        let long = subject.chars().count() > MAX_SUBJECT || subject.chars().any(char::is_control);
        if long || subject.trim().is_empty() {
            let problem = format!("must write one line of at most {MAX_SUBJECT} characters");
            return Err(Flaw { field: "subject", problem });
        }
        let body = write("body", &self.body, for_body)?;
        if body.chars().count() > MAX_WRITTEN || body.trim().is_empty() {
            return Err(Flaw {
                field: "body",
                problem: format!("must write at most {MAX_WRITTEN} characters"),
            });
        }
        Ok((subject, body))
    }
}

fn environment<'t>() -> Environment<'t> {
    let mut environment = Environment::empty();
    environment.set_keep_trailing_newline(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment
}

/// What a source writes.
pub(super) fn write(field: &'static str, source: &str, values: &Values) -> Result<String, Flaw> {
    let written = environment().render_str(source, values);
    written.map_err(|error| Flaw { field, problem: told(&error) })
}

/// The places a text shows, if it can be read; what is wrong with it is added.
fn shown(
    flaws: &mut Vec<Flaw>,
    kind: Kind,
    field: &'static str,
    source: &str,
    most: usize,
) -> Option<BTreeSet<String>> {
    let before = flaws.len();
    let mut add = |problem: String| flaws.push(Flaw { field, problem });
    if source.trim().is_empty() {
        add("is required".to_owned());
        return None;
    }
    if source.chars().count() > most {
        add(format!("must be at most {most} characters"));
        return None;
    }
    let Read { problems, names } = read(source);
    let is_offered = problems.is_empty();
    problems.into_iter().for_each(&mut add);
    let environment = environment();
    // The engine reads by recursion: it is given only what is known to be shallow.
    let names = if is_offered {
        match environment.template_from_str(source) {
            Ok(template) => template.undeclared_variables(false).into_iter().collect(),
            Err(error) => {
                add(told(&error));
                return None;
            }
        }
    } else {
        names
    };
    let known: Vec<&str> = places(kind).into_iter().map(|(place, _)| place).collect();
    for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
        add(format!("has no place {name}; there are {}", known.join(", ")));
    }
    (flaws.len() == before).then_some(names)
}

/// What stands between braces.
#[derive(Default)]
struct Read {
    /// What is neither a name nor a word of ours, or too much of it, each once.
    problems: BTreeSet<String>,
    /// The names.
    names: BTreeSet<String>,
}

fn read(source: &str) -> Read {
    let mut found = Read::default();
    let mut nested = Nested::default();
    let mut rest = source;
    while let Some(start) = rest.find(['{']) {
        let from = &rest[start..];
        let end = match from.get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => "#}",
            _ => {
                rest = &from[1..];
                continue;
            }
        };
        let inside = &from[2..];
        let (code, after) = inside.split_once(end).unwrap_or((inside, ""));
        if end != "#}" {
            let code = code.trim_start_matches(['-', '+']).trim_end_matches(['-', '+']);
            look_at(code, end == "%}", &mut found);
            if end == "%}" && nested.deepest_after(code) > MAX_NESTED {
                found.problems.insert(format!("nests more than {MAX_NESTED} conditions"));
            }
        }
        rest = after;
    }
    found
}

/// The conditions that are open, each with its alternatives: the engine takes an
/// alternative as one more condition within.
#[derive(Default)]
struct Nested(Vec<usize>);

impl Nested {
    /// How deep they are, at most, once this statement is read.
    fn deepest_after(&mut self, code: &str) -> usize {
        match code.split_whitespace().next() {
            Some(word) if word.starts_with("elif") => {
                if let Some(alternatives) = self.0.last_mut() {
                    *alternatives += 1;
                }
            }
            Some(word) if word.starts_with("if") => self.0.push(1),
            Some(word) if word.starts_with("endif") => {
                self.0.pop();
            }
            _ => {}
        }
        self.0.iter().sum()
    }
}

fn look_at(code: &str, is_statement: bool, found: &mut Read) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = code.split(|c| !is_word(c)).filter(|word| !word.is_empty()).count();
    if words > MAX_WORDS || code.matches('(').count() > MAX_WORDS {
        found.problems.insert(format!("has a condition of more than {MAX_WORDS} words or parentheses"));
    }
    for sign in code.chars().filter(|c| !is_word(*c) && !c.is_whitespace() && !matches!(c, '(' | ')')) {
        let mut problem = String::new();
        let _ = write!(problem, "does not offer {sign}: a place is a name, a condition one of names");
        found.problems.insert(problem);
    }
    for (at, word) in code.split(|c| !is_word(c)).filter(|word| !word.is_empty()).enumerate() {
        let first = is_statement && at == 0;
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        let reserved = ["none", "None", "true", "True", "false", "False", "in", "is"].contains(&word);
        if is_number || reserved || (first && !OFFERED.contains(&word)) {
            found.problems.insert(format!("does not offer {word}"));
        } else if !OFFERED.contains(&word) {
            found.names.insert(word.to_owned());
        }
    }
}

/// What the engine says, without the text.
fn told(error: &minijinja::Error) -> String {
    let at = error.line().map_or_else(String::new, |line| format!(" (line {line})"));
    let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
    format!("cannot be written: {}{detail}{at}", error.kind())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::letter::{languages, preview, samples, shipped};

    fn flaws(kind: Kind, subject: &str, body: &str) -> Vec<String> {
        let template = Template { subject: subject.to_owned(), body: body.to_owned() };
        let told = template.flaws(kind, &samples(kind, "en"));
        told.into_iter().map(|flaw| format!("{}: {}", flaw.field, flaw.problem)).collect()
    }

    #[test]
    fn every_shipped_template_is_sound() {
        for language in languages() {
            for kind in Kind::ALL {
                let template = shipped(*kind, language).unwrap();
                assert_eq!(template.flaws(*kind, &samples(*kind, language)), [], "{kind:?} in {language}");
                assert!(preview(*kind, language, template).is_ok());
            }
        }
    }

    /// What the sizes let through: as deep, as often and as wrong as it goes.
    #[test]
    fn the_worst_templates_are_refused_without_harm() {
        let deep = |open: &str, close: &str| {
            let most = MAX_BODY / (open.len() + close.len());
            format!("{}{}", open.repeat(most), close.repeat(most))
        };
        let worst = [
            format!("{{{{ {} }}}}", deep("(", ")").get(..MAX_BODY - 6).unwrap_or_default()),
            format!("{{{{ {}number{} }}}}", "(".repeat(9_000), ")".repeat(9_000)),
            deep("{% if number %}", "{% endif %}"),
            deep("{%if(number)%}", "{%endif%}"),
            format!("{{% if number %}}{}{{% endif %}}", "{% elif number %}".repeat(1_100)),
            "{% if not ".repeat(MAX_BODY / 10),
            format!("{{{{ {} number }}}}", "not ".repeat(4_000)),
            "{".repeat(MAX_BODY),
            // A text may hold what ends a place: what follows is still within.
            format!("{{{{ \"}}}}\" {} }}}}", "(".repeat(9_000)),
            "{{!}}".repeat(MAX_BODY / 5),
        ];
        for body in worst {
            assert!(body.chars().count() <= MAX_BODY);
            assert_ne!(flaws(Kind::Acknowledgement, "x", &body), [""; 0]);
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let body =
            "{{ greting }} {{ case | upper }} {% if reasons > 3 %}{{ 1 + 1 }}{% endif %} {% include 'x' %}";
        let told = flaws(Kind::Outcome, "{{ unknown }}", body);
        for part in
            ["subject: has no place unknown", "does not offer >", "does not offer |", "does not offer 3"]
        {
            assert!(told.iter().any(|flaw| flaw.contains(part)), "{part} is not in {told:#?}");
        }
        assert!(told.iter().any(|flaw| flaw.starts_with("body: has no place greting")), "{told:#?}");
        let told = flaws(Kind::Outcome, "x", "{{ case");
        assert!(told[0].starts_with("body: cannot be written: syntax error"), "{told:#?}");
        let told = flaws(Kind::Outcome, " ", "{{ case }} {{ greting }}");
        assert_eq!(told.len(), 2, "{told:#?}");
        let told = flaws(Kind::Outcome, "x", "{{ case }}");
        let expected = ["body: must show decision", "body: must show reasons", "body: must show until"];
        assert_eq!(told, expected);
    }

    /// What is undefined, nothing, or a text where a number is compared stops the letter
    /// when it is made, and never picks a paragraph.
    #[test]
    fn nothing_is_compared_and_nothing_undefined_is_shown() {
        for condition in [
            "until > 3",
            "until == none",
            "none",
            "reasons != ''",
            "reasons is defined",
            "reasons in until",
            "missing",
            "not missing",
            "case.first",
            "3",
        ] {
            let body = format!("{{{{ case }}}}{{% if {condition} %}}a{{% else %}}b{{% endif %}}");
            assert_ne!(flaws(Kind::Recourse, "x", &body), Vec::<String>::new(), "{condition}");
        }
        let strict = write("body", "{% if missing %}a{% else %}b{% endif %}", &Values::new());
        assert!(strict.is_err(), "{strict:?}");
    }

    #[test]
    fn neither_loops_nor_files_nor_long_texts_are_offered() {
        for body in [
            "{% for x in case %}{{ x }}{% endfor %}",
            "{% set x = case %}{{ x }}",
            "{% include 'x' %}",
            "{% macro x() %}{% endmacro %}",
            "{{ 'x' * 100000 }}",
            "{{ case",
            "{% if case %}",
        ] {
            let told = flaws(Kind::Recourse, "x", &format!("{{{{ case }}}}{body}"));
            assert_ne!(told, Vec::<String>::new(), "{body}");
        }
        assert_eq!(
            flaws(Kind::Recourse, "x", &"{{ case }}".repeat(2_001)),
            ["body: must be at most 20000 characters"]
        );
        let long = format!("{}{{{{ subject }}}}", "x".repeat(299));
        assert_eq!(flaws(Kind::Recourse, &long, "{{ case }}").len(), 1, "as written it is too long");
    }

    #[test]
    fn a_template_has_parts_that_are_there_or_not() {
        let body = "{#- a remark -#}{{ case }} {%- if (reasons and until) or not decision %} {{ reasons }}\n{%- else %} –{% endif %} {{ decision }} {{ until }}";
        assert_eq!(
            flaws(Kind::Outcome, "{% if name %}{{ name }}, {% endif %}an answer", body),
            Vec::<String>::new()
        );
    }

    proptest! {
        #[test]
        fn what_is_put_into_a_place_is_kept_as_it_is(text in any::<String>()) {
            let values = Values::from([("text", Value::from(text.clone()))]);
            prop_assert_eq!(write("body", "a {{ text }} b", &values), Ok(format!("a {text} b")));
        }

        #[test]
        fn a_template_without_flaws_can_be_previewed(source in "(\\{\\{|\\}\\}|\\{%|%\\}|\\{#|#\\}|if |endif|case|[ a-z<>=|.\"'0-9()-]){0,30}") {
            let template = Template { subject: "x".to_owned(), body: source };
            if template.flaws(Kind::Recourse, &samples(Kind::Recourse, "en")).is_empty() {
                prop_assert!(preview(Kind::Recourse, "en", &template).is_ok());
            }
        }
    }
}
