//! Which language a page is in: the one that was chosen, else the one the browser asks for.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// The cookie that keeps what was chosen.
pub(crate) const COOKIE: &str = "redress-language";
/// How long it is kept, in seconds: a year.
pub(crate) const KEPT: u32 = 31_536_000;
/// Most languages looked at in what a browser asks for.
const LOOKED_AT: usize = 16;

/// A language the console speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    /// English.
    #[default]
    English,
    /// Chinese, in simplified characters.
    Chinese,
}

impl Language {
    /// Every language.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// Its tag (BCP 47).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// As pages declare it.
    pub(crate) fn html(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-Hans",
        }
    }

    /// What it calls itself.
    pub(crate) fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "中文",
        }
    }

    /// The language of a tag, `zh-CN` say.
    pub(crate) fn of(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The one that was chosen, else the first of those asked for that is spoken here.
    pub(crate) fn negotiated(chosen: Option<&str>, headers: &HeaderMap) -> Self {
        let asked = || headers.get(ACCEPT_LANGUAGE)?.to_str().ok().and_then(best);
        chosen.and_then(Self::of).or_else(asked).unwrap_or_default()
    }
}

/// The language with the greatest weight, the first of those with the same.
fn best(header: &str) -> Option<Language> {
    let mut best: Option<(Language, f32)> = None;
    for part in header.split(',').take(LOOKED_AT) {
        let mut pieces = part.split(';').map(str::trim);
        let Some(language) = pieces.next().and_then(Language::of) else { continue };
        let weight = pieces.find_map(|piece| piece.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        if weight > 0.0 && best.is_none_or(|(_, heaviest)| weight > heaviest) {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_chosen_or_asked_for() {
        let negotiated = |chosen: Option<&str>, asked: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, asked.parse().unwrap());
            Language::negotiated(chosen, &headers).tag()
        };
        for (chosen, asked, language) in [
            (None, "", "en"),
            (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
            (None, "fr, zh-Hans;q=0.2, en;q=0.3", "en"),
            (None, "de, ZH;q=0.1", "zh"),
            (None, "zh;q=0, en;q=0.1", "en"),
            (None, "*", "en"),
            (Some("zh"), "en", "zh"),
            (Some("xx"), "zh", "zh"),
            (Some("en"), "zh", "en"),
        ] {
            assert_eq!(negotiated(chosen, asked), language, "{chosen:?} {asked}");
        }
    }
}
