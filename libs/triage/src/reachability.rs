//! Which rules can never decide anything: their condition contradicts itself, or
//! rules before them have decided whatever they match.
//!
//! A condition is brought into disjunctive normal form: terms, each a list of facts
//! that are wanted or not wanted. A term is dead when facts about one variable
//! exclude each other: a number's interval is empty or its values are used up, a
//! flag or vulnerability is wanted both ways, a text would have to be two things,
//! or to lack what another wanted fact implies (a piece of a piece, the words of a
//! list, the subject as part of the text). A condition without living terms is dead.
//! A rule is shadowed when its condition, and that of none of the rules before that
//! set the same, is dead.
//!
//! Only what is proven dead is refused. Not proven are contradictions between
//! unrelated variables (a language and the words in a text), and whatever takes
//! more than [`MAX_STEPS`] steps, or all proofs of a set more than
//! [`limits::MAX_PROOF_STEPS`](super::limits::MAX_PROOF_STEPS).

use std::cell::Cell;
use std::collections::HashSet;

use vocabulary::Channel;

use super::condition::{Condition, Fact, Flag, HAND_OVERS, Number, Question, Text};

/// Terms looked at before a rule is believed to be alive.
const MAX_STEPS: usize = 10_000;

/// A variable that rules themselves set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Attribute {
    /// A level.
    Number(Number),
    /// A yes or no.
    Flag(Flag),
}

/// That a rule sets an attribute to a value; a flag to 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Place of the rule.
    pub(crate) rule: usize,
    /// What it sets.
    pub(crate) attribute: Attribute,
    /// To what.
    pub(crate) value: i64,
}

/// What can be known of all records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World<'a> {
    /// The words of each list.
    pub(crate) lists: &'a [&'a [String]],
    /// What rules set, in their order.
    pub(crate) settings: &'a [Setting],
    /// What an attribute is before any rule has set it.
    pub(crate) initial: fn(Attribute) -> i64,
    /// Most that a number can be.
    pub(crate) most: fn(Number) -> i64,
    /// Steps left for all proofs together.
    pub(crate) left: &'a Cell<usize>,
}

/// A fact that is wanted, or not. An attribute changes from rule to rule: `epoch`
/// counts the rules that might have set it before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Literal {
    fact: Fact,
    epoch: usize,
    wanted: bool,
}

type Term = Vec<Literal>;

/// Too many steps: nothing is proven.
#[derive(Debug)]
struct Unproven;

impl World<'_> {
    /// Whether no record can meet the condition of a rule.
    pub(crate) fn is_dead(&self, rule: usize, condition: &Condition) -> bool {
        matches!(Proof::new(self).terms(condition, rule, true), Ok(terms) if terms.is_empty())
    }

    /// Whether each record that meets the condition of a rule meets one of the others'
    /// as well.
    pub(crate) fn is_covered(
        &self,
        rule: usize,
        condition: &Condition,
        others: &[(usize, &Condition)],
    ) -> bool {
        let mut proof = Proof::new(self);
        let Ok(mut terms) = proof.terms(condition, rule, true) else { return false };
        for (at, other) in others {
            let narrowed = proof.terms(other, *at, false).and_then(|not| proof.product(&terms, &not));
            match narrowed {
                Ok(narrowed) if narrowed.is_empty() => return true,
                Ok(narrowed) => terms = narrowed,
                Err(Unproven) => return false,
            }
        }
        terms.is_empty()
    }

    fn epoch(&self, fact: &Fact, rule: usize) -> usize {
        let attribute = match fact {
            Fact::Flag(flag) => Attribute::Flag(*flag),
            Fact::Number(number, ..) => Attribute::Number(*number),
            Fact::Text(..) | Fact::Vulnerable(_) | Fact::Threatens(_) => return 0,
        };
        let before = |setting: &&Setting| setting.attribute == attribute && setting.rule < rule;
        self.settings.iter().filter(before).count()
    }

    /// What an attribute can be; none for what rules never set.
    fn values(&self, attribute: Attribute, epoch: usize) -> Option<Vec<i64>> {
        let is_attribute = match attribute {
            Attribute::Flag(flag) => matches!(flag, Flag::Safety | Flag::Vulnerable),
            Attribute::Number(number) => {
                matches!(number, Number::Severity | Number::Complexity | Number::Impact | Number::Urgency)
            }
        };
        let set = self.settings.iter().filter(|setting| setting.attribute == attribute).take(epoch);
        is_attribute.then(|| {
            std::iter::once((self.initial)(attribute)).chain(set.map(|setting| setting.value)).collect()
        })
    }

    /// Takes steps from those that are left; false when there are not so many.
    fn spend(&self, steps: usize) -> bool {
        let left = self.left.get().checked_sub(steps);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    fn is_contradiction(&self, term: &Term) -> bool {
        // Where the steps ran out underway, answers were guesses.
        self.contradicts(term) && self.left.get() > 0
    }

    fn contradicts(&self, term: &Term) -> bool {
        let mut seen = HashSet::new();
        term.iter().any(|literal| match &literal.fact {
            Fact::Number(number, ..) => {
                seen.insert((Some(*number), None, literal.epoch))
                    && self.no_number(*number, literal.epoch, term)
            }
            Fact::Text(text, _) => seen.insert((None, Some(*text), 0)) && self.no_text(*text, term),
            Fact::Flag(flag) => {
                let values = self.values(Attribute::Flag(*flag), literal.epoch);
                opposed(literal, term)
                    || values.is_some_and(|values| !values.contains(&i64::from(literal.wanted)))
            }
            Fact::Vulnerable(_) | Fact::Threatens(_) => opposed(literal, term),
        })
    }

    /// Least and most that a number can be: what a term wants of the members of a list
    /// tells of their count.
    fn bounds(&self, number: Number, term: &Term) -> (i64, i64) {
        let members = |is_member: fn(&Fact) -> bool, wanted: bool| {
            let literals = term.iter().filter(|literal| literal.wanted == wanted && is_member(&literal.fact));
            let distinct: HashSet<&Fact> = literals.map(|literal| &literal.fact).collect();
            i64::try_from(distinct.len()).unwrap_or(i64::MAX)
        };
        let is_threat = |fact: &Fact| matches!(fact, Fact::Threatens(_));
        let most = (self.most)(number);
        match number {
            Number::Vulnerabilities => (members(|fact| matches!(fact, Fact::Vulnerable(_)), true), most),
            Number::Threats => (members(is_threat, true), most - members(is_threat, false)),
            _ => (0, most),
        }
    }

    /// Whether no number can be what the term wants of one.
    fn no_number(&self, number: Number, epoch: usize, term: &Term) -> bool {
        let wants = |value: i64| {
            term.iter().all(|literal| match &literal.fact {
                Fact::Number(other, comparison, with) if *other == number && literal.epoch == epoch => {
                    comparison.holds(value, *with) == literal.wanted
                }
                _ => true,
            })
        };
        if let Some(values) = self.values(Attribute::Number(number), epoch) {
            return !values.into_iter().any(wants);
        }
        // Between two neighbouring constants nothing changes: it is enough to try the
        // ends, the constants and the numbers beside them.
        let (least, most) = self.bounds(number, term);
        let mut tried = vec![least, most];
        for literal in term {
            if let Fact::Number(other, _, with) = &literal.fact
                && *other == number
            {
                tried.extend([with.saturating_sub(1), *with, with.saturating_add(1)]);
            }
        }
        !tried.into_iter().any(|value| (least..=most).contains(&value) && wants(value))
    }

    /// Whether no text can be what the term wants of one.
    fn no_text(&self, text: Text, term: &Term) -> bool {
        let about = |wanted: bool| {
            term.iter().filter_map(move |literal| match &literal.fact {
                Fact::Text(other, question) if *other == text && literal.wanted == wanted => Some(question),
                _ => None,
            })
        };
        let fits = |value: &str| {
            about(true).all(|question| self.holds(question, value))
                && !about(false).any(|question| self.holds(question, value))
        };
        if text == Text::Channel {
            return !Channel::ALL.iter().any(|channel| fits(channel.name()));
        }
        if text == Text::HandOverReason {
            return !fits("") && !HAND_OVERS.iter().any(|(_, name)| fits(name));
        }
        if let Some(value) = about(true)
            .find_map(|question| if let Question::Is(value) = question { Some(value) } else { None })
        {
            return !fits(value);
        }
        let parts = term.iter().filter_map(|literal| match &literal.fact {
            Fact::Text(part @ (Text::Subject | Text::Description), question)
                if literal.wanted && text == Text::Both =>
            {
                Some((*part, question))
            }
            _ => None,
        });
        let implied = parts.map(|(_, question)| within(question));
        let wanted: Vec<Question> = about(true).cloned().chain(implied).collect();
        let denied = |not: &Question| wanted.iter().any(|question| self.implies(question, not));
        about(false).any(denied) || about(true).any(|one| about(true).any(|other| excludes(one, other)))
    }

    /// Whether the answer for a known text is yes.
    fn holds(&self, question: &Question, value: &str) -> bool {
        match question {
            // Without steps left nothing is proven: neither a yes nor what it implies.
            Question::SpeaksOf(list) if !self.spend(self.lists[*list].len()) => false,
            Question::SpeaksOf(list) => self.lists[*list].iter().any(|word| value.contains(word.as_str())),
            question => question.holds(value),
        }
    }

    /// Whether a yes to one question is a yes to another, of any text.
    fn implies(&self, question: &Question, other: &Question) -> bool {
        match (question, other) {
            (question, other) if question == other => true,
            (Question::SpeaksOf(list), _) if !self.spend(self.lists[*list].len()) => false,
            (Question::SpeaksOf(list), other) => {
                self.lists[*list].iter().all(|word| self.implies(&Question::Contains(word.clone()), other))
            }
            (Question::Is(value), other) => self.holds(other, value),
            (Question::StartsWith(piece), Question::StartsWith(other)) => piece.starts_with(other.as_str()),
            (Question::EndsWith(piece), Question::EndsWith(other)) => piece.ends_with(other.as_str()),
            (
                Question::Contains(piece) | Question::StartsWith(piece) | Question::EndsWith(piece),
                Question::Contains(_) | Question::SpeaksOf(_),
            ) => self.holds(other, piece),
            _ => false,
        }
    }
}

/// What a yes for a part of a text says of the whole.
fn within(question: &Question) -> Question {
    match question {
        Question::Is(piece) | Question::StartsWith(piece) | Question::EndsWith(piece) => {
            Question::Contains(piece.clone())
        }
        question => question.clone(),
    }
}

/// Whether no text has a yes to both.
fn excludes(one: &Question, other: &Question) -> bool {
    match (one, other) {
        (Question::StartsWith(one), Question::StartsWith(other)) => {
            !one.starts_with(other.as_str()) && !other.starts_with(one.as_str())
        }
        (Question::EndsWith(one), Question::EndsWith(other)) => {
            !one.ends_with(other.as_str()) && !other.ends_with(one.as_str())
        }
        _ => false,
    }
}

/// Whether the term wants the opposite as well.
fn opposed(literal: &Literal, term: &Term) -> bool {
    term.iter().any(|other| {
        other.fact == literal.fact && other.epoch == literal.epoch && other.wanted != literal.wanted
    })
}

/// Normal forms, within a number of steps.
struct Proof<'a> {
    world: &'a World<'a>,
    steps: usize,
}

impl<'a> Proof<'a> {
    fn new(world: &'a World<'a>) -> Self {
        Self { world, steps: 0 }
    }

    /// The living terms of a condition, or of its opposite.
    fn terms(&mut self, condition: &Condition, rule: usize, wanted: bool) -> Result<Vec<Term>, Unproven> {
        match (condition, wanted) {
            (Condition::Constant(holds), _) => {
                Ok(if *holds == wanted { vec![Term::new()] } else { Vec::new() })
            }
            (Condition::Fact(fact), _) => {
                let literal = Literal { fact: fact.clone(), epoch: self.world.epoch(fact, rule), wanted };
                self.product(&[Term::new()], &[vec![literal]])
            }
            (Condition::Not(condition), _) => self.terms(condition, rule, !wanted),
            (Condition::All(all), true) | (Condition::Any(all), false) => {
                let mut product = vec![Term::new()];
                for condition in all {
                    let terms = self.terms(condition, rule, wanted)?;
                    product = self.product(&product, &terms)?;
                }
                Ok(product)
            }
            (Condition::Any(any), true) | (Condition::All(any), false) => {
                let mut sum = Vec::new();
                for condition in any {
                    sum.extend(self.terms(condition, rule, wanted)?);
                }
                Ok(sum)
            }
        }
    }

    /// Each term of one with each of the other, but for contradictions.
    fn product(&mut self, one: &[Term], other: &[Term]) -> Result<Vec<Term>, Unproven> {
        let mut product = Vec::new();
        for left in one {
            for right in other {
                self.steps += 1;
                let cost = left.len() + right.len() + 1;
                if self.steps > MAX_STEPS || !self.world.spend(cost * cost) {
                    return Err(Unproven);
                }
                let mut term = left.clone();
                term.extend(right.iter().filter(|literal| !left.contains(literal)).cloned());
                if !self.world.is_contradiction(&term) {
                    product.push(term);
                }
            }
        }
        Ok(product)
    }
}
