//! Posts that other systems push: what they say, whether they complain, and which of them are
//! one. Pure.
//!
//! - [`read`] reads a body as JSON, within limits.
//! - A [`Spec`] is a mapping as somebody writes it: a JSONPath (RFC 9535) for each [`Field`],
//!   rules of words, thresholds, templates. [`Spec::compile`] makes a [`Mapping`] of it, or
//!   says everything that is wrong with it. [`Mapping::items`] splits a body,
//!   [`Mapping::content`] reads one post, [`Mapping::taken`] says which rule takes it.
//! - [`Matcher`] finds words whatever their case and width: Chinese ones anywhere, others as
//!   whole words.
//! - [`normalized_uri`] is one text for the addresses of one page.
//! - [`reply`] is about what is answered in public.
//!
//! Everything is bounded ([`limits`]): a body, its depth and number of values, a path and the
//! nodes it visits, words and rules.
#![warn(missing_docs)]
#![warn(clippy::missing_errors_doc)]

mod document;
mod field;
mod keywords;
pub mod limits;
mod mapping;
mod path;
pub mod reply;
mod spec;
mod time;
mod uri;

pub use document::{Unreadable, read};
pub use field::Field;
pub use keywords::{Matcher, Rule, folded};
pub use mapping::{Content, Mapping, Problem};
pub use path::{InvalidPath, Path};
pub use spec::{Spec, Template, Wrong};
pub use uri::normalized as normalized_uri;
