//! The words of the console, each in every language: a phrase without one does not compile.
//!
//! A phrase is a method of [`Words`], which a page has of its language. What stands in braces
//! is put in: `waiting(count): "{count} waiting", "{count} 件待办";`.

mod admin;
mod boards;
mod case;
mod changes;
mod common;
mod complainant;
mod department;
mod errors;
mod figures;
mod inbox;
mod progress;
mod sign_in;
mod team;

use crate::language::Language;

/// The words in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) Language);

impl Words {
    /// One of two texts.
    pub(crate) fn pick(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self.0 {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    /// The language, as a page declares it.
    pub(crate) fn html(self) -> &'static str {
        self.0.html()
    }

    /// Its tag.
    pub(crate) fn tag(self) -> &'static str {
        self.0.tag()
    }
}

/// Phrases, as methods of [`Words`].
macro_rules! phrases {
    ($($name:ident $(($($value:ident),+))? : $english:literal, $chinese:literal;)+) => {
        impl $crate::words::Words {
            $($crate::words::phrase! { $name $(($($value),+))? : $english, $chinese; })+
        }

        /// Every phrase here in both languages, for tests.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str, &str)] =
            &[$((stringify!($name), $english, $chinese)),+];
    };
}

/// One phrase.
macro_rules! phrase {
    ($name:ident : $english:literal, $chinese:literal;) => {
        pub(crate) fn $name(self) -> &'static str {
            self.pick($english, $chinese)
        }
    };
    ($name:ident ($($value:ident),+) : $english:literal, $chinese:literal;) => {
        pub(crate) fn $name(self, $($value: impl std::fmt::Display),+) -> String {
            match self.0 {
                $crate::language::Language::English => format!($english),
                $crate::language::Language::Chinese => format!($chinese),
            }
        }
    };
}

pub(crate) use {phrase, phrases};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_phrase_is_empty_or_left_in_english() {
        let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let all = [
            admin::ALL,
            common::ALL,
            errors::ALL,
            sign_in::ALL,
            inbox::ALL,
            case::ALL,
            changes::ALL,
            complainant::ALL,
            progress::ALL,
            boards::ALL,
            department::ALL,
            team::ALL,
            figures::ALL,
        ]
        .concat();
        assert!(all.len() > 60, "phrases lie elsewhere");
        for (name, english, chinese) in all {
            assert!(!english.trim().is_empty(), "{name}");
            assert!(is_chinese(chinese), "{name}: {chinese}");
            assert!(!is_chinese(english), "{name}: {english}");
            let places = |text: &str| text.matches('{').count();
            assert_eq!(places(english), places(chinese), "{name}");
        }
    }
}
