//! Complainants who are called back about a cycle: who, by when, and what came of it.
//!
//! ```text
//! asked for, a rule, the sample ─▶ DUE ─ reached, refused, tried often enough ─▶ DONE
//!                       │ └─ not reached: due again, some working hours later
//!                       └─ merged, withdrawn; declined, unless asked for ─▶ CANCELLED
//! ```

use jiff::Timestamp;
use kernel::CaseId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::profile::Profile;
use crate::refusal::Refusal;
use crate::sample::Draw;
use crate::working_hours;

/// Longest that a complainant waits for a call, and for the next one.
pub const MAX_WORKING_HOURS: i32 = 200;
/// Most attempts to reach somebody.
pub const MAX_ATTEMPTS: i32 = 10;
/// Most characters of a seed.
pub const MAX_SEED: usize = 100;
/// The least urgent priority there is.
pub const LEAST_URGENT: i32 = 4;

/// Which call-backs a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallBackFilter {
    /// All there are.
    All,
    /// A case's.
    Case(CaseId),
    /// Those in a state.
    State(State),
    /// Those due, the first due first.
    Due,
}

/// Who is called back, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own, in force or not")]
pub struct Policy {
    /// The least urgent priority of which everybody is called; 0 for none.
    pub priority_up_to: i16,
    /// Whether who needs extra care is called.
    pub vulnerable: bool,
    /// Whether who complained about a member of staff is called.
    pub about_staff: bool,
    /// Whether who was not satisfied is called.
    pub dissatisfied: bool,
    /// Of a hundred others, how many are called.
    pub sample_percent: i16,
    /// What the sample is drawn with.
    pub seed: String,
    /// Working hours within which they are called.
    pub within_working_hours: i32,
    /// Working hours until who was not reached is called again.
    pub retry_working_hours: i32,
    /// How often somebody is called.
    pub max_attempts: i32,
    /// Whether they are told in writing when they are called, and that they were not reached.
    #[serde(default = "announced")]
    pub announced: bool,
}

/// What those have who settled their policy before calls were announced.
fn announced() -> bool {
    true
}

impl Policy {
    /// Who is called where a tenant has settled nothing.
    pub fn shipped() -> Self {
        Self {
            priority_up_to: 2,
            vulnerable: true,
            about_staff: true,
            dissatisfied: true,
            sample_percent: 10,
            seed: "shipped".to_owned(),
            within_working_hours: 16,
            retry_working_hours: 4,
            max_attempts: 3,
            announced: true,
        }
    }

    /// The rules by which a complainant is called, once they were told an outcome.
    pub fn causes(&self, profile: &Profile) -> Vec<Cause> {
        let urgent = (1..=self.priority_up_to).contains(&profile.priority);
        let rules = [
            (urgent, Cause::Priority),
            (self.vulnerable && profile.vulnerable, Cause::Vulnerable),
            (self.about_staff && profile.about_staff, Cause::AboutStaff),
        ];
        rules.into_iter().filter_map(|(holds, cause)| holds.then_some(cause)).collect()
    }
}

kernel::numbered! {
    /// Why somebody is called back.
    Cause {
        /// The case is urgent.
        Priority = 1,
        /// They need extra care.
        Vulnerable = 2,
        /// They complained about a member of staff.
        AboutStaff = 3,
        /// They gave a low score.
        LowScore = 4,
        /// They disputed the outcome.
        Dispute = 5,
        /// They were drawn.
        Sample = 6,
        /// They asked for it.
        Requested = 7,
    }
}

kernel::numbered! {
    /// Which number is called.
    PhoneKind {
        /// The complainant's own.
        Complainant = 1,
        /// One of an intermediary, for a time.
        Masked = 2,
        /// The one they asked to be called at.
        Requested = 3,
    }
}

kernel::numbered! {
    /// Where a call-back stands.
    State {
        /// Somebody is to call.
        Due = 1,
        /// It was called for the last time.
        Done = 2,
        /// Nobody is to be called any more.
        Cancelled = 3,
    }
}

kernel::numbered! {
    /// What came of an attempt.
    Outcome {
        /// They were spoken to.
        Reached = 1,
        /// They were not there.
        NotReached = 2,
        /// They did not want to talk.
        Refused = 3,
    }
}

/// One attempt to call somebody back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which, from 1.
    pub number: i32,
    /// When it was recorded.
    pub at: Timestamp,
    /// Who called.
    pub caller: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether they are satisfied; none unless reached.
    pub satisfied: Option<bool>,
    /// What was said.
    pub note: String,
    /// Whether the outcome of the cycle was disputed with it.
    pub disputed: bool,
}

/// How somebody wants to be called who asked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// At which number; empty for the one that is known.
    pub phone: String,
    /// From when on; none for as soon as may be.
    pub not_before: Option<Timestamp>,
    /// Who asked by the rpc; empty where nobody did.
    pub requester: String,
    /// What they want to talk about.
    pub note: String,
}

/// A call that asks for a call-back, once its case is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedCall {
    /// The case.
    pub case_id: CaseId,
    /// Its cycle.
    pub cycle: i32,
    /// IANA name of its zone; empty when unknown.
    pub zone: String,
    /// Trace of the complaint.
    pub traceparent: String,
}

/// The number to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialled {
    /// The number; empty when none is known.
    pub phone: String,
    /// Which it is; none when none is known.
    pub kind: Option<PhoneKind>,
    /// Until when it leads to them; none for as long as it is theirs.
    pub until: Option<Timestamp>,
}

impl Wish {
    /// The number to call now: the one they asked for; else that of an intermediary, until it
    /// is given to somebody else; else their own.
    pub fn dialled(&self, profile: &Profile, now: Timestamp) -> Dialled {
        if !self.phone.is_empty() {
            return Dialled { phone: self.phone.clone(), kind: Some(PhoneKind::Requested), until: None };
        }
        let masked = profile.masked_phone.clone().filter(|(_, until)| *until > now);
        if let Some((phone, until)) = masked {
            return Dialled { phone, kind: Some(PhoneKind::Masked), until: Some(until) };
        }
        let kind = (!profile.phone.is_empty()).then_some(PhoneKind::Complainant);
        Dialled { phone: profile.phone.clone(), kind, until: None }
    }
}

/// A complainant to be called back.
#[derive(Clone, Debug, PartialEq)]
pub struct CallBack {
    /// Identity.
    pub id: Uuid,
    /// The case.
    pub case_id: CaseId,
    /// The cycle.
    pub cycle: i32,
    /// Where it stands.
    pub state: State,
    /// Why, in the order they came up.
    pub causes: Vec<Cause>,
    /// Version of the policy.
    pub policy: i64,
    /// How they were drawn.
    pub draw: Option<Draw>,
    /// IANA name of the zone in which they are called.
    pub zone: String,
    /// When it became owed.
    pub created: Timestamp,
    /// By when they are to be called; none unless due.
    pub due: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How they want to be called.
    pub wish: Wish,
    /// The attempts, oldest first.
    pub attempts: Vec<Attempt>,
}

impl CallBack {
    /// Whether it was asked for, and nothing else is a cause: there may be no outcome yet that
    /// they could be satisfied with.
    pub fn is_only_requested(&self) -> bool {
        self.causes.iter().all(|cause| *cause == Cause::Requested)
    }

    /// That it can still be called.
    pub fn check_due(&self) -> Result<(), Refusal> {
        if self.state == State::Due { Ok(()) } else { Err(Refusal::CallBackEnded) }
    }

    /// Takes in an attempt: it ends the call-back, or puts it off.
    pub fn take(&mut self, attempt: Attempt, policy: &Policy) -> Result<(), Refusal> {
        self.check_due()?;
        let at = attempt.at;
        let is_last = attempt.number >= policy.max_attempts;
        if attempt.outcome == Outcome::NotReached && !is_last {
            self.due = Some(working_hours::after(&self.zone, at, policy.retry_working_hours));
            // They were tried when they wished.
            self.wish.not_before = None;
        } else {
            (self.state, self.due, self.ended) = (State::Done, None, Some(at));
        }
        self.attempts.push(attempt);
        Ok(())
    }

    /// The number of the next attempt.
    pub fn next_attempt(&self) -> i32 {
        i32::try_from(self.attempts.len()).unwrap_or(i32::MAX).saturating_add(1)
    }
}

/// What came of the call-backs of a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Owed, but for those cancelled.
    pub owed: i64,
    /// Due still.
    pub due: i64,
    /// Reached.
    pub reached: i64,
    /// Refused.
    pub refused: i64,
    /// Given up.
    pub not_reached: i64,
    /// Reached and satisfied.
    pub satisfied: i64,
}

impl Count {
    /// How many were reached of those that are done; none where none is.
    pub fn reached_share(&self) -> Option<f64> {
        let done = self.reached + self.refused + self.not_reached;
        #[expect(clippy::cast_precision_loss, reason = "a share of counts")]
        let share = |part: i64, all: i64| part as f64 / all as f64;
        (done > 0).then(|| share(self.reached, done))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call_back() -> CallBack {
        CallBack {
            id: Uuid::nil(),
            case_id: CaseId(Uuid::nil()),
            cycle: 1,
            state: State::Due,
            causes: vec![Cause::Priority],
            policy: 0,
            draw: None,
            zone: "Asia/Shanghai".to_owned(),
            created: Timestamp::UNIX_EPOCH,
            due: Some(Timestamp::UNIX_EPOCH),
            ended: None,
            wish: Wish::default(),
            attempts: Vec::new(),
        }
    }

    #[test]
    fn a_number_of_an_intermediary_is_called_until_it_is_given_to_somebody_else() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let own = Profile { phone: "+86 138".to_owned(), ..Profile::default() };
        let masked = Profile { masked_phone: Some(("170 0001".to_owned(), at(10))), ..own.clone() };
        let dialled = |wish: &Wish, profile: &Profile, now| {
            let Dialled { phone, kind, until } = wish.dialled(profile, at(now));
            (phone, kind, until)
        };
        let wish = Wish::default();
        assert_eq!(
            dialled(&wish, &masked, 9),
            ("170 0001".to_owned(), Some(PhoneKind::Masked), Some(at(10)))
        );
        let theirs = ("+86 138".to_owned(), Some(PhoneKind::Complainant), None);
        assert_eq!(dialled(&wish, &masked, 10), theirs);
        assert_eq!(dialled(&wish, &own, 9), theirs);
        let asked = Wish { phone: "021 7".to_owned(), ..Wish::default() };
        assert_eq!(dialled(&asked, &masked, 9), ("021 7".to_owned(), Some(PhoneKind::Requested), None));
        assert_eq!(dialled(&wish, &Profile::default(), 9), (String::new(), None, None));
    }

    proptest! {
        #[test]
        fn it_ends_with_who_was_reached_or_the_last_attempt(
            outcomes in prop::collection::vec(prop::sample::select(Outcome::ALL), 1..12),
            max_attempts in 1..=10_i32,
        ) {
            let policy = Policy { max_attempts, ..Policy::shipped() };
            let mut call_back = call_back();
            for outcome in outcomes {
                let before = call_back.clone();
                let attempt = Attempt {
                    number: call_back.next_attempt(),
                    at: Timestamp::from_second(1_790_000_000).unwrap(),
                    caller: "lin".to_owned(),
                    outcome,
                    satisfied: None,
                    note: String::new(),
                    disputed: false,
                };
                let taken = call_back.take(attempt.clone(), &policy);
                prop_assert_eq!(taken.is_ok(), before.state == State::Due);
                if taken.is_err() {
                    prop_assert_eq!(&call_back, &before);
                }
                prop_assert_eq!(call_back.due.is_some(), call_back.state == State::Due);
                prop_assert_eq!(call_back.ended.is_some(), call_back.state == State::Done);
                prop_assert!(call_back.attempts.len() <= usize::try_from(max_attempts).unwrap());
                prop_assert!(call_back.due.is_none_or(|due| due > attempt.at || due == Timestamp::UNIX_EPOCH));
            }
            let last = call_back.attempts.last().map(|attempt| attempt.outcome);
            let tried = i32::try_from(call_back.attempts.len()).unwrap();
            let ended = last != Some(Outcome::NotReached) || tried == max_attempts;
            prop_assert_eq!(call_back.state == State::Done, ended);
        }
    }

    #[test]
    fn the_rules_name_each_cause() {
        let all = Profile { priority: 2, vulnerable: true, about_staff: true, ..Profile::default() };
        let policy = Policy::shipped();
        assert_eq!(policy.causes(&all), [Cause::Priority, Cause::Vulnerable, Cause::AboutStaff]);
        assert_eq!(policy.causes(&Profile { priority: 3, ..Profile::default() }), []);
        assert_eq!(policy.causes(&Profile::default()), [], "nobody is urgent whose priority is unknown");
        let none = Policy { priority_up_to: 0, vulnerable: false, about_staff: false, ..policy };
        assert_eq!(none.causes(&all), []);
    }

    #[test]
    fn of_none_that_is_done_there_is_no_share() {
        assert_eq!(Count { owed: 3, due: 3, ..Count::default() }.reached_share(), None);
        let count = Count { reached: 3, refused: 1, ..Count::default() };
        assert!((count.reached_share().unwrap_or_default() - 0.75).abs() < 1e-12);
    }
}
