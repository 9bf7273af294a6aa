//! Clusters of closed cases: what articles might be written about. Pure.
//!
//! Two cases of one category are alike as far as the words of their texts are the same, each
//! weighed by how few cases have it (the cosine of their vectors). The case that is like the
//! most others gathers them around itself, then the next of those that are left, until none
//! has enough.

use std::collections::{BTreeMap, HashMap};

use filter::keywords::is_telling;
use filter::terms::Terms;
use kernel::CaseId;
use vocabulary::Outcome;

use crate::timeline::Ending;

/// Most closed cases that are looked at, the newest.
pub(crate) const MOST_CASES: usize = 600;
/// Most words of a case that are compared.
pub(crate) const MOST_WORDS: i32 = 400;
/// Fewest cases of a cluster.
const FEWEST: usize = 3;
/// Texts less alike than this are of different matters.
const ALIKE: f64 = 0.25;
/// Most words told of a cluster.
const MAX_TERMS: usize = 8;
/// Most cases told of a cluster.
pub(crate) const MAX_CASES: usize = 50;

/// A closed case.
#[derive(Clone, Debug)]
pub(crate) struct Closed {
    /// The case.
    pub(crate) case: CaseId,
    /// What it is about.
    pub(crate) category: String,
    /// The words of its text that tell what it is about, each once.
    pub(crate) words: Vec<String>,
    /// Whether it ended to the complainant's satisfaction.
    pub(crate) satisfied: bool,
}

/// A closed case as it is kept: its words lie together, as they are many.
#[derive(Clone, Debug)]
pub(crate) struct KeptClosed {
    /// The case.
    pub(crate) case: CaseId,
    /// What it is about.
    pub(crate) category: String,
    /// The words of its text as the index has them, with spaces between.
    pub(crate) terms: String,
    /// Whether it ended to the complainant's satisfaction.
    pub(crate) satisfied: bool,
}

impl KeptClosed {
    /// The case with its words apart.
    pub(crate) fn read(self, terms: &Terms) -> Closed {
        let plain = self.terms.split(' ').filter_map(|term| terms.untagged(term));
        let words = plain.filter(|word| is_telling(word)).map(str::to_owned).collect();
        Closed { case: self.case, category: self.category, words, satisfied: self.satisfied }
    }
}

/// What is told of a case that stands for its like.
#[derive(Clone, Debug)]
pub(crate) struct Typical {
    /// Its subject, in the complainant's words.
    pub(crate) subject: String,
    /// What was decided.
    pub(crate) outcome: Option<Outcome>,
    /// Why.
    pub(crate) decision_reasons: String,
    /// How it ended.
    pub(crate) ending: Ending,
}

/// Cases of one category that are alike.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cluster {
    /// The category.
    pub(crate) category: String,
    /// The cases, the most typical first; the first is one that satisfied, if any did.
    pub(crate) cases: Vec<CaseId>,
    /// How many satisfied.
    pub(crate) satisfied: i64,
    /// Words that half of them have, the most telling first.
    pub(crate) terms: Vec<String>,
}

/// The weights of the words of a case, by the number of each word, of length 1.
type Vector = Vec<(usize, f64)>;

/// The clusters of some cases, what satisfied the most complainants first. The order of the
/// cases does not matter.
pub(crate) fn clusters(mut cases: Vec<Closed>, most: usize) -> Vec<Cluster> {
    cases.sort_by_key(|case| case.case);
    let mut by_category: BTreeMap<&str, Vec<&Closed>> = BTreeMap::new();
    for case in &cases {
        by_category.entry(&case.category).or_default().push(case);
    }
    let mut found: Vec<Cluster> = by_category.into_values().flat_map(|cases| within(&cases)).collect();
    found.sort_by(|one, other| {
        let size = |cluster: &Cluster| (cluster.satisfied, cluster.cases.len());
        size(other).cmp(&size(one)).then_with(|| one.cases.cmp(&other.cases))
    });
    found.truncate(most);
    found
}

/// The clusters of the cases of one category.
fn within(cases: &[&Closed]) -> Vec<Cluster> {
    let (words, vectors) = vectors(cases);
    let like = likeness(&vectors);
    let mut free = vec![true; cases.len()];
    let mut found = Vec::new();
    loop {
        let around = |at: usize| like[at].iter().filter(|(other, _)| free[*other]);
        let size = |at: usize| (around(at).count(), around(at).map(|(_, how)| how).sum::<f64>());
        let first = (0..cases.len()).filter(|at| free[*at]).map(|at| (at, size(at))).max_by(
            |(one, (count, sum)), (other, (other_count, other_sum))| {
                count.cmp(other_count).then(sum.total_cmp(other_sum)).then(other.cmp(one))
            },
        );
        let Some((first, (count, _))) = first else { return found };
        if count + 1 < FEWEST {
            return found;
        }
        let mut members: Vec<usize> = around(first).map(|(other, _)| *other).chain([first]).collect();
        members.sort_unstable();
        for member in &members {
            free[*member] = false;
        }
        found.push(cluster(cases, &members, &like, (&words, &vectors)));
    }
}

/// The words of cases and what each weighs in each: the more, the fewer cases have it.
#[expect(clippy::cast_precision_loss, reason = "counts of cases")]
fn vectors<'a>(cases: &[&'a Closed]) -> (Vec<&'a str>, Vec<Vector>) {
    let mut bearers: BTreeMap<&str, usize> = BTreeMap::new();
    for word in cases.iter().flat_map(|case| &case.words) {
        *bearers.entry(word).or_default() += 1;
    }
    bearers.retain(|_, count| *count > 1);
    let number: HashMap<&str, usize> = bearers.keys().enumerate().map(|(at, word)| (*word, at)).collect();
    let weight = |count: usize| 1.0 + (cases.len() as f64 / count as f64).ln();
    let rarity: Vec<f64> = bearers.values().map(|count| weight(*count)).collect();
    let vector = |case: &&Closed| {
        let numbers = case.words.iter().filter_map(|word| number.get(word.as_str()));
        let mut vector: Vector = numbers.map(|at| (*at, rarity[*at])).collect();
        vector.sort_unstable_by_key(|(at, _)| *at);
        vector.dedup_by_key(|(at, _)| *at);
        // What nobody shares makes a text less like any other, too.
        let alone = case.words.iter().filter(|word| !number.contains_key(word.as_str())).count();
        let own = alone as f64 * weight(1).powi(2);
        let length = (vector.iter().map(|(_, weight)| weight * weight).sum::<f64>() + own).sqrt();
        for (_, weight) in &mut vector {
            *weight /= length.max(f64::MIN_POSITIVE);
        }
        vector
    };
    let vectors = cases.iter().map(vector).collect();
    (bearers.into_keys().collect(), vectors)
}

/// For each case, those that are like it, and how much.
fn likeness(vectors: &[Vector]) -> Vec<Vec<(usize, f64)>> {
    let mut like = vec![Vec::new(); vectors.len()];
    for (at, one) in vectors.iter().enumerate() {
        for (other_at, other) in vectors.iter().enumerate().skip(at + 1) {
            let how = product(one, other);
            if how >= ALIKE {
                like[at].push((other_at, how));
                like[other_at].push((at, how));
            }
        }
    }
    like
}

fn product(one: &Vector, other: &Vector) -> f64 {
    let mut others = other.iter().peekable();
    let mut sum = 0.0;
    for (word, weight) in one {
        while others.next_if(|(at, _)| at < word).is_some() {}
        if let Some((_, same)) = others.next_if(|(at, _)| at == word) {
            sum += weight * same;
        }
    }
    sum
}

fn cluster(
    cases: &[&Closed],
    members: &[usize],
    like: &[Vec<(usize, f64)>],
    (words, vectors): (&[&str], &[Vector]),
) -> Cluster {
    let within = |at: usize| {
        let others = like[at].iter().filter(|(other, _)| members.binary_search(other).is_ok());
        others.map(|(_, how)| how).sum::<f64>()
    };
    let mut typical: Vec<(usize, f64)> = members.iter().map(|at| (*at, within(*at))).collect();
    typical.sort_by(|(one, how), (other, other_how)| other_how.total_cmp(how).then(one.cmp(other)));
    if let Some(place) = typical.iter().position(|(at, _)| cases[*at].satisfied) {
        typical[..=place].rotate_right(1);
    }
    let mut weighed: BTreeMap<usize, (usize, f64)> = BTreeMap::new();
    for (word, weight) in members.iter().flat_map(|at| &vectors[*at]) {
        let (count, sum) = weighed.entry(*word).or_default();
        (*count, *sum) = (*count + 1, *sum + weight);
    }
    let mut terms: Vec<(usize, f64)> = weighed
        .into_iter()
        .filter(|(_, (count, _))| 2 * count >= members.len())
        .map(|(word, (_, sum))| (word, sum))
        .collect();
    terms.sort_by(|(one, sum), (other, other_sum)| other_sum.total_cmp(sum).then(one.cmp(other)));
    let satisfied = members.iter().filter(|at| cases[**at].satisfied).count();
    Cluster {
        category: cases[members[0]].category.clone(),
        cases: typical.iter().map(|(at, _)| cases[*at].case).collect(),
        satisfied: i64::try_from(satisfied).unwrap_or(i64::MAX),
        terms: terms.into_iter().take(MAX_TERMS).map(|(word, _)| words[word].to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn closed(id: u128, category: &str, text: &str, satisfied: bool) -> Closed {
        Closed {
            case: CaseId(Uuid::from_u128(id)),
            category: category.to_owned(),
            words: filter::keywords::keywords(text, 50),
            satisfied,
        }
    }

    fn some() -> Vec<Closed> {
        vec![
            closed(1, "goods", "The kettle arrived broken, the lid cracked", false),
            closed(2, "goods", "My kettle came broken with a cracked lid", true),
            closed(3, "goods", "Kettle broken on arrival, lid cracked in two", true),
            closed(4, "goods", "冰箱不制冷,压缩机坏了,要求退款", true),
            closed(5, "goods", "新买的冰箱不制冷,怀疑压缩机坏了", true),
            closed(6, "goods", "冰箱压缩机坏了不制冷", true),
            closed(7, "goods", "The courier was rude to my mother", true),
            closed(8, "staff", "The kettle arrived broken, the lid cracked", true),
        ]
    }

    fn ids(cluster: &Cluster) -> Vec<u128> {
        cluster.cases.iter().map(|case| case.0.as_u128()).collect()
    }

    #[test]
    fn what_is_alike_in_one_category_is_found_in_chinese_and_english() {
        let found = clusters(some(), 9);
        assert_eq!(found.len(), 2, "{found:?}");
        let mut sets: Vec<Vec<u128>> = found.iter().map(ids).collect();
        assert_eq!(found[0].satisfied, 3);
        assert!(found[0].terms.iter().any(|term| term == "冰箱"), "{found:?}");
        assert!(found[1].terms.iter().any(|term| term == "kettle"), "{found:?}");
        assert_ne!(sets[1][0], 1, "one that satisfied stands for them");
        for set in &mut sets {
            set.sort_unstable();
        }
        assert_eq!(sets, [vec![4, 5, 6], vec![1, 2, 3]]);
        assert_eq!(clusters(some(), 1).len(), 1);
    }

    proptest! {
        #[test]
        fn each_case_is_in_one_cluster_at_most_whatever_their_order(
            texts in prop::collection::vec("[a-f]{2} [a-f]{2} [a-f]{2}", 1..40),
            turn in any::<prop::sample::Index>(),
        ) {
            let cases: Vec<Closed> = (0_u128..)
                .zip(&texts)
                .map(|(id, text)| closed(id, if id % 3 == 0 { "x" } else { "y" }, text, id % 2 == 0))
                .collect();
            let mut turned = cases.clone();
            let by = turn.index(turned.len());
            turned.rotate_left(by);
            let found = clusters(cases.clone(), 50);
            prop_assert_eq!(&found, &clusters(turned, 50));
            let mut all: Vec<CaseId> = found.iter().flat_map(|one| one.cases.clone()).collect();
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            prop_assert_eq!(all.len(), count);
            for one in &found {
                prop_assert!(one.cases.len() >= FEWEST && one.terms.len() <= MAX_TERMS);
                let is_satisfied = |id: &CaseId| cases.iter().any(|case| case.case == *id && case.satisfied);
                let satisfied = one.cases.iter().filter(|id| is_satisfied(id)).count();
                prop_assert_eq!(i64::try_from(satisfied).ok(), Some(one.satisfied));
                prop_assert!(satisfied == 0 || is_satisfied(&one.cases[0]));
            }
        }
    }
}
