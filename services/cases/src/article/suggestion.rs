//! Which articles may help with a case, and why. Pure.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

/// Most words of a complaint that are asked for: those that stand first in it.
pub(crate) const ASKED_WORDS: usize = 200;
/// A word that more articles have says too little to count.
pub(crate) const MOST_BEARERS: usize = 100;
/// Most reasons told of a suggestion.
pub(crate) const MAX_TERMS: usize = 12;
/// What the category of the case counts; of one above it, by how near it is.
const CATEGORY: f64 = 3.0;
/// What the product of the case counts.
const PRODUCT: f64 = 2.0;
/// What a word of the title counts more than one of the text.
const TITLE: f64 = 2.0;
/// Less than this is no suggestion.
const LEAST: f64 = 1.0;
/// How fast a word counts less in longer articles (Robertson's b).
const BY_LENGTH: f64 = 0.75;
/// How much more a word may count in shorter ones (Robertson's k₁).
const SATURATION: f64 = 1.2;
/// Words of an article of usual length.
const USUAL_WORDS: f64 = 120.0;

kernel::numbered! {
    /// What an article and a case have in common.
    Match {
        /// The category.
        Category = 1,
        /// The product.
        Product = 2,
        /// A word of the title.
        TitleWord = 3,
        /// A word of the text.
        Word = 4,
    }
}

/// A case, as articles are sought for it.
#[derive(Clone, Debug)]
pub(crate) struct SuggestionQuery {
    /// What it is about.
    pub(crate) category: String,
    /// The product it names; empty where none.
    pub(crate) product: String,
    /// Language to answer in.
    pub(crate) language: String,
}

impl SuggestionQuery {
    /// Its category and those above it.
    pub(crate) fn categories(&self) -> Vec<&str> {
        let parts = self.category.match_indices('/').map(|(at, _)| &self.category[..at]);
        let all = parts.chain([self.category.as_str()]);
        all.filter(|path| !path.is_empty()).collect()
    }
}

/// An article in force that has something in common with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The article.
    pub(crate) article: Uuid,
    /// Its language.
    pub(crate) language: String,
    /// Categories it applies to.
    pub(crate) categories: Vec<String>,
    /// Products it applies to.
    pub(crate) products: Vec<String>,
    /// How many words it is found by.
    pub(crate) words: i32,
}

/// A word that a case asks for, and an article that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    /// The word.
    pub(crate) word: String,
    /// The article.
    pub(crate) article: Uuid,
    /// Whether its title has it.
    pub(crate) in_title: bool,
}

/// One reason why an article is suggested.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScoreTerm {
    /// What they have in common.
    pub(crate) matched: Match,
    /// The category, product or word.
    pub(crate) term: String,
    /// What it counts.
    pub(crate) score: f64,
}

/// An article that may help.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Suggestion {
    /// The article.
    pub(crate) article: Uuid,
    /// The sum of what its reasons count.
    pub(crate) score: f64,
    /// Why, what counts most first.
    pub(crate) terms: Vec<ScoreTerm>,
}

/// Ranks articles for a case: those in its language first, then what scores higher. `articles`
/// is how many are in force. The order of what is given does not matter.
pub(crate) fn rank(
    asked: &SuggestionQuery,
    candidates: Vec<Candidate>,
    bearers: &[Bearer],
    articles: i64,
    most: usize,
) -> Vec<Suggestion> {
    let mut by_word: HashMap<&str, usize> = HashMap::new();
    for bearer in bearers {
        *by_word.entry(&bearer.word).or_default() += 1;
    }
    let mut shared: BTreeMap<Uuid, Vec<&Bearer>> = BTreeMap::new();
    for bearer in bearers.iter().filter(|bearer| by_word[bearer.word.as_str()] <= MOST_BEARERS) {
        shared.entry(bearer.article).or_default().push(bearer);
    }
    let mut ranked: Vec<(bool, Suggestion)> = Vec::new();
    for candidate in candidates {
        let mut terms = applies(asked, &candidate);
        let words = shared.get(&candidate.article).map(Vec::as_slice).unwrap_or_default();
        let of_word = |bearer: &&Bearer| word(bearer, by_word[bearer.word.as_str()], articles, &candidate);
        terms.extend(words.iter().map(of_word));
        terms.sort_by(|one, other| {
            let by_name = || (one.matched, &one.term).cmp(&(other.matched, &other.term));
            other.score.total_cmp(&one.score).then_with(by_name)
        });
        terms.truncate(MAX_TERMS);
        let score: f64 = terms.iter().map(|term| term.score).sum();
        if score >= LEAST {
            let is_foreign = subtag(&candidate.language) != subtag(&asked.language);
            ranked.push((is_foreign, Suggestion { article: candidate.article, score, terms }));
        }
    }
    ranked.sort_by(|(foreign, one), (other_foreign, other)| {
        let by_score = || other.score.total_cmp(&one.score);
        foreign.cmp(other_foreign).then_with(by_score).then_with(|| one.article.cmp(&other.article))
    });
    ranked.into_iter().map(|(_, suggestion)| suggestion).take(most).collect()
}

/// The language itself, whatever the region.
pub(crate) fn subtag(language: &str) -> String {
    language.split('-').next().unwrap_or_default().to_ascii_lowercase()
}

/// What the category and the product of a case count for an article.
#[expect(clippy::cast_precision_loss, reason = "levels of a tree")]
fn applies(asked: &SuggestionQuery, candidate: &Candidate) -> Vec<ScoreTerm> {
    let mut terms = Vec::new();
    let above = asked.categories();
    // The nearest only: a category and the one above it say the same twice.
    let nearest = (0..above.len()).rev().find(|at| candidate.categories.iter().any(|one| one == above[*at]));
    if let Some(at) = nearest {
        let score = CATEGORY * (at + 1) as f64 / above.len() as f64;
        terms.push(ScoreTerm { matched: Match::Category, term: above[at].to_owned(), score });
    }
    let product = kernel::person::folded(&asked.product);
    if let Some(named) = candidate.products.iter().find(|one| kernel::person::folded(one) == product)
        && !product.is_empty()
    {
        terms.push(ScoreTerm { matched: Match::Product, term: named.clone(), score: PRODUCT });
    }
    terms
}

/// What a word counts: the more, the fewer articles have it and the shorter this one is
/// (BM25, each word once: Robertson and Zaragoza 2009).
#[expect(clippy::cast_precision_loss, reason = "counts of articles and words")]
fn word(bearer: &Bearer, bearers: usize, articles: i64, candidate: &Candidate) -> ScoreTerm {
    let bearers = bearers as f64;
    let articles = (articles as f64).max(bearers);
    let rarity = ((articles - bearers + 0.5) / (bearers + 0.5)).ln_1p();
    let length = f64::from(candidate.words) / USUAL_WORDS;
    let damped = (SATURATION + 1.0) / (1.0 + SATURATION * (1.0 - BY_LENGTH + BY_LENGTH * length));
    let (matched, weight) = if bearer.in_title { (Match::TitleWord, TITLE) } else { (Match::Word, 1.0) };
    ScoreTerm { matched, term: bearer.word.clone(), score: rarity * damped * weight }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked() -> SuggestionQuery {
        SuggestionQuery {
            category: "delivery/late".to_owned(),
            product: "Kettle".to_owned(),
            language: "zh-CN".to_owned(),
        }
    }

    fn candidate(id: u128, language: &str, category: &str) -> Candidate {
        Candidate {
            article: Uuid::from_u128(id),
            language: language.to_owned(),
            categories: vec![category.to_owned()],
            products: Vec::new(),
            words: 120,
        }
    }

    fn bearer(word: &str, id: u128, in_title: bool) -> Bearer {
        Bearer { word: word.to_owned(), article: Uuid::from_u128(id), in_title }
    }

    fn ids(suggestions: &[Suggestion]) -> Vec<u128> {
        suggestions.iter().map(|one| one.article.as_u128()).collect()
    }

    #[test]
    fn the_language_of_the_case_comes_first_then_the_nearer_category() {
        let candidates = vec![
            candidate(1, "en", "delivery/late"),
            candidate(2, "zh", "delivery"),
            candidate(3, "zh-TW", "delivery/late"),
            candidate(4, "zh", "delivery/late/abroad"),
        ];
        let found = rank(&asked(), candidates, &[], 4, 9);
        assert_eq!(ids(&found), [3, 2, 1], "what is only below the category is not meant");
        assert_eq!(
            found[1].terms[0],
            ScoreTerm { matched: Match::Category, term: "delivery".to_owned(), score: 1.5 }
        );
    }

    #[test]
    fn a_rare_word_counts_more_than_a_common_one_and_one_of_the_title_twice() {
        let candidates: Vec<_> = (1..=9).map(|id| candidate(id, "zh", "x")).collect();
        let mut bearers: Vec<_> = (1..=9).map(|id| bearer("parcel", id, false)).collect();
        bearers.extend([bearer("courier", 7, false), bearer("strike", 8, true)]);
        let found = rank(&asked(), candidates, &bearers, 50, 2);
        assert_eq!(ids(&found), [8, 7]);
        let words: Vec<&str> = found[0].terms.iter().map(|term| term.term.as_str()).collect();
        assert_eq!(words, ["strike", "parcel"]);
        assert!((found[0].terms[0].score - 2.0 * found[1].terms[0].score).abs() < 1e-12);
    }

    #[test]
    fn a_product_is_one_whatever_its_letter_case() {
        let one = Candidate { products: vec!["KETTLE ".to_owned()], ..candidate(1, "zh", "x") };
        assert_eq!(rank(&asked(), vec![one.clone()], &[], 1, 9)[0].terms[0].matched, Match::Product);
        let unnamed = SuggestionQuery { product: String::new(), ..asked() };
        let nothing = Candidate { products: vec![String::new()], ..one };
        assert!(rank(&unnamed, vec![nothing], &[], 1, 9).is_empty());
    }

    #[test]
    fn what_too_many_have_says_nothing() {
        let many = u128::try_from(MOST_BEARERS).unwrap() + 1;
        let candidates: Vec<_> = (1..=many).map(|id| candidate(id, "zh", "x")).collect();
        let bearers: Vec<_> = (1..=many).map(|id| bearer("parcel", id, true)).collect();
        assert!(rank(&asked(), candidates, &bearers, 10_000, 9).is_empty());
    }

    proptest! {
        #[test]
        fn the_order_of_what_is_given_does_not_matter(
            given in prop::collection::vec((1..20_u128, "[a-e]", any::<bool>()), 1..60),
            turn in any::<prop::sample::Index>(),
        ) {
            let mut bearers: Vec<Bearer> = Vec::new();
            for (id, word, in_title) in given {
                if !bearers.iter().any(|one| one.article.as_u128() == id && one.word == word) {
                    bearers.push(bearer(&word, id, in_title));
                }
            }
            let candidates: Vec<_> =
                (1..20).map(|id| candidate(id, if id % 2 == 0 { "zh" } else { "en" }, "delivery")).collect();
            let (mut others, mut turned) = (candidates.clone(), bearers.clone());
            others.reverse();
            let by = turn.index(turned.len());
            turned.rotate_left(by);
            let found = rank(&asked(), candidates, &bearers, 20, 50);
            prop_assert_eq!(&found, &rank(&asked(), others, &turned, 20, 50));
            for one in &found {
                let sum: f64 = one.terms.iter().map(|term| term.score).sum();
                prop_assert!((sum - one.score).abs() < 1e-9 && one.terms.len() <= MAX_TERMS);
            }
        }
    }
}
