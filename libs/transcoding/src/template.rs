//! Path templates of `google.api.http` rules: `/v1/cases/{case_id}:close`.
//!
//! ```text
//! Template  = "/" Segments [ ":" verb ]
//! Segments  = Segment { "/" Segment }
//! Segment   = "*" | "**" | literal | "{" field.path [ "=" Segments ] "}"
//! ```
//!
//! `*` is one segment, `**` all that are left and stands last. A variable without segments
//! of its own is one segment.

use percent_encoding::percent_decode_str;

use crate::limits::{MAX_SEGMENTS, MAX_TEMPLATE_BYTES};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    One,
    Rest,
}

/// A field that segments of the path are the value of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Variable {
    field: String,
    start: usize,
    /// Behind its last segment; of `**`, behind all there are.
    end: usize,
}

/// A template that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    segments: Vec<Segment>,
    variables: Vec<Variable>,
    verb: Option<String>,
}

/// A template that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path template {template:?} cannot be read: {problem}")]
pub struct TemplateError {
    template: String,
    problem: &'static str,
}

/// What is wrong with a template, or that it ends there.
type Read<T> = Result<T, &'static str>;

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// Fails on what does not follow the grammar, is too long or has too many segments.
    pub fn parse(template: &str) -> Result<Self, TemplateError> {
        let failed = |problem| TemplateError { template: template.chars().take(200).collect(), problem };
        if template.len() > MAX_TEMPLATE_BYTES {
            return Err(failed("it is too long"));
        }
        let mut parser = Parser { rest: template, segments: Vec::new(), variables: Vec::new() };
        let verb = parser.template().map_err(failed)?;
        Ok(Self { segments: parser.segments, variables: parser.variables, verb })
    }

    /// The fields its variables name, as paths with dots.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| variable.field.as_str())
    }

    /// The values of the variables in a path that it matches, in the order of
    /// [`Template::fields`]; an error names the field whose value is no UTF-8.
    pub(crate) fn matches(&self, path: &SplitPath<'_>) -> Option<Vec<Result<String, ()>>> {
        let segments = match &self.verb {
            None => &path.segments,
            Some(verb) if path.verb == Some(verb) => path.without_verb.as_ref()?,
            Some(_) => return None,
        };
        let is_open = self.segments.last() == Some(&Segment::Rest);
        let fixed = if is_open { self.segments.len() - 1 } else { self.segments.len() };
        if segments.len() < fixed || (!is_open && segments.len() > fixed) {
            return None;
        }
        let fits = |(segment, part): (&Segment, &&str)| match segment {
            Segment::Literal(literal) => literal == part,
            Segment::One | Segment::Rest => !part.is_empty(),
        };
        let is_whole = segments.iter().skip(fixed).all(|part| !part.is_empty());
        if !self.segments.iter().zip(segments).all(fits) || !is_whole {
            return None;
        }
        let value = |variable: &Variable| {
            let end = variable.end.min(segments.len());
            let parts = segments.get(variable.start..end).unwrap_or_default().join("/");
            percent_decode_str(&parts).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| ())
        };
        Some(self.variables.iter().map(value).collect())
    }

    /// What two templates that match the same paths have in common.
    pub fn shape(&self) -> String {
        let mut shape = String::new();
        for segment in &self.segments {
            shape.push('/');
            shape.push_str(match segment {
                Segment::Literal(literal) => literal,
                Segment::One => "*",
                Segment::Rest => "**",
            });
        }
        if let Some(verb) = &self.verb {
            shape.push(':');
            shape.push_str(verb);
        }
        shape
    }

    pub(crate) fn has_verb(&self) -> bool {
        self.verb.is_some()
    }

    /// Before which others it is tried: literals before `*`, `*` before `**`, and verbs
    /// first, because what has none takes a colon for a letter.
    pub(crate) fn rank(&self) -> impl Ord + use<> {
        let kinds: Vec<u8> = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(_) => 0,
                Segment::One => 1,
                Segment::Rest => 2,
            })
            .collect();
        (self.verb.is_none(), kinds)
    }

    /// The path as OpenAPI writes it: every variable by the last name of its field alone, so
    /// that it is the same path where a request has the field and where it has a message of it.
    pub(crate) fn openapi(&self) -> String {
        let mut path = String::new();
        let mut at = 0;
        while at < self.segments.len() {
            path.push('/');
            if let Some(variable) = self.variables.iter().find(|variable| variable.start == at) {
                path.push('{');
                path.push_str(variable.field.rsplit('.').next().unwrap_or_default());
                path.push('}');
                at = variable.end.min(self.segments.len());
                continue;
            }
            if let Segment::Literal(literal) = &self.segments[at] {
                path.push_str(literal);
            } else {
                path.push('*');
            }
            at += 1;
        }
        if let Some(verb) = &self.verb {
            path.push(':');
            path.push_str(verb);
        }
        path
    }
}

struct Parser<'a> {
    rest: &'a str,
    segments: Vec<Segment>,
    variables: Vec<Variable>,
}

impl Parser<'_> {
    fn template(&mut self) -> Read<Option<String>> {
        self.eat('/').then_some(()).ok_or("it must begin with a slash")?;
        loop {
            if self.eat('{') {
                self.variable()?;
            } else {
                self.segment()?;
            }
            if self.segments.len() > MAX_SEGMENTS {
                return Err("it has too many segments");
            }
            if !self.eat('/') {
                break;
            }
        }
        if let Some(at) = self.segments.iter().position(|segment| *segment == Segment::Rest)
            && at + 1 != self.segments.len()
        {
            return Err("** must stand last");
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.eat(':').then_some(()).ok_or("a segment must be followed by a slash, a verb or nothing")?;
        let verb = self.word();
        if verb.is_empty() || !self.rest.is_empty() { Err("its verb cannot be read") } else { Ok(Some(verb)) }
    }

    fn variable(&mut self) -> Read<()> {
        let end = self.rest.find(['=', '}']).ok_or("a variable does not end")?;
        let field = self.rest[..end].to_owned();
        let is_path = field.split('.').all(|name| {
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        });
        if !is_path {
            return Err("a variable must name a field");
        }
        if self.variables.iter().any(|variable| variable.field == field) {
            return Err("a variable is there twice");
        }
        self.rest = &self.rest[end..];
        let start = self.segments.len();
        if self.eat('=') {
            loop {
                self.segment()?;
                if !self.eat('/') {
                    break;
                }
            }
        } else {
            self.segments.push(Segment::One);
        }
        let end = match self.segments.last() {
            Some(Segment::Rest) => usize::MAX,
            _ => self.segments.len(),
        };
        self.variables.push(Variable { field, start, end });
        self.eat('}').then_some(()).ok_or("a variable does not end")
    }

    fn segment(&mut self) -> Read<()> {
        let segment = if let Some(rest) = self.rest.strip_prefix("**") {
            self.rest = rest;
            Segment::Rest
        } else if self.eat('*') {
            Segment::One
        } else {
            match self.word() {
                word if word.is_empty() => return Err("a segment is empty"),
                word => Segment::Literal(word),
            }
        };
        self.segments.push(segment);
        Ok(())
    }

    fn word(&mut self) -> String {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_.~".contains(letter);
        let end = self.rest.find(|letter| !is_part(letter)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn eat(&mut self, letter: char) -> bool {
        match self.rest.strip_prefix(letter) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// A path in its segments, with and without what may be a verb.
pub(crate) struct SplitPath<'a> {
    segments: Vec<&'a str>,
    without_verb: Option<Vec<&'a str>>,
    verb: Option<&'a str>,
}

impl<'a> SplitPath<'a> {
    /// None of a path that no template can match.
    pub(crate) fn new(path: &'a str) -> Option<Self> {
        let below = path.strip_prefix('/')?;
        let segments: Vec<_> = below.split('/').take(MAX_SEGMENTS + 1).collect();
        if segments.len() > MAX_SEGMENTS {
            return None;
        }
        let (last, verb) = match segments.last()?.rsplit_once(':') {
            Some((last, verb)) => (Some(last), Some(verb)),
            None => (None, None),
        };
        let without_verb = last.map(|last| {
            let mut segments = segments.clone();
            segments.pop();
            segments.push(last);
            segments
        });
        Some(Self { segments, without_verb, verb })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(template: &str, path: &str) -> Option<Vec<String>> {
        let template = Template::parse(template).unwrap();
        let found = template.matches(&SplitPath::new(path)?)?;
        Some(found.into_iter().map(|value| value.unwrap_or_else(|()| "no UTF-8".to_owned())).collect())
    }

    #[test]
    fn a_path_gives_the_variables_their_values() {
        for (template, path, expected) in [
            ("/v1/cases", "/v1/cases", Some(&[][..])),
            ("/v1/cases", "/v1/cases/", None),
            ("/v1/cases", "/v2/cases", None),
            ("/v1/cases/{case_id}", "/v1/cases/a%20b", Some(&["a b"])),
            ("/v1/cases/{case_id}", "/v1/cases/a:b", Some(&["a:b"])),
            ("/v1/cases/{case_id}", "/v1/cases/%FF", Some(&["no UTF-8"])),
            ("/v1/cases/{case_id}", "/v1/cases/", None),
            ("/v1/cases/{case_id}", "/v1/cases/a/b", None),
            ("/v1/cases/{case_id}:close", "/v1/cases/a:close", Some(&["a"])),
            ("/v1/cases/{case_id}:close", "/v1/cases/a:b:close", Some(&["a:b"])),
            ("/v1/cases/{case_id}:close", "/v1/cases/:close", None),
            ("/v1/cases/{case_id}:close", "/v1/cases/a:open", None),
            ("/v1/cases/{case_id}:close", "/v1/cases/a%3Aclose", None),
            ("/v1/cases:count", "/v1/cases:count", Some(&[])),
            ("/v1/{path=**}", "/v1/a/b", Some(&["a/b"])),
            ("/v1/{path=**}", "/v1/a%2Fb", Some(&["a/b"])),
            ("/v1/{path=**}", "/v1", Some(&[""])),
            ("/v1/{path=**}", "/v1/", None),
            ("/v1/{path=**}", "/v1/a/", None),
            ("/v1/{path=**}", "/v1/a//b", None),
            ("/v1/{a=x/*}/y/{b.c}", "/v1/x/1/y/2", Some(&["x/1", "2"])),
            ("/v1/{a=x/*}/y/{b.c}", "/v1/z/1/y/2", None),
            ("/v1/*/y", "/v1/any/y", Some(&[])),
        ] {
            let expected = expected.map(|values| values.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(values(template, path), expected, "{template} {path}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for wrong in [
            "",
            "v1",
            "/",
            "/v1/",
            "/v1//x",
            "/v1/{",
            "/v1/{}",
            "/v1/{a",
            "/v1/{a.}",
            "/v1/{a=}",
            "/v1/{a=**}/x",
            "/v1/**/x",
            "/v1/{a}/{a}",
            "/v1/{a}x",
            "/v1/x:",
            "/v1/x:y:z",
            "/v1/x y",
            "/v1/{a={b}}",
        ] {
            assert!(Template::parse(wrong).is_err(), "{wrong:?}");
        }
        let long = format!("/{}", "a".repeat(MAX_TEMPLATE_BYTES));
        assert!(Template::parse(&long).is_err());
        assert!(Template::parse(&"/a".repeat(MAX_SEGMENTS + 1)).is_err());
        assert!(Template::parse(&"/a".repeat(MAX_SEGMENTS)).is_ok());
    }

    #[test]
    fn openapi_names_variables_alone() {
        let template = Template::parse("/v1/{a=x/*}/y/{b.c}/{d=**}:z").unwrap();
        assert_eq!(template.openapi(), "/v1/{a}/y/{c}/{d}:z");
        assert_eq!(template.shape(), "/v1/x/*/y/*/**:z");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in any::<String>(), near in "[/{}=*:.a1]{0,40}") {
            let _ = Template::parse(&text);
            let _ = Template::parse(&near);
        }

        #[test]
        fn every_value_comes_back(value in "[^/\u{0}]{1,30}") {
            let encoded: String =
                percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).collect();
            prop_assert_eq!(values("/v1/{a}:go", &format!("/v1/{encoded}:go")), Some(vec![value]));
        }
    }
}
