//! That one person approves plans on another's behalf for a time. Pure.
//!
//! There are no chains: who has delegated is away and approves for nobody in that time, and
//! what was delegated to somebody is not passed on.

use jiff::Timestamp;
use kernel::person;
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::remedy::Flaw;

/// Longest that somebody delegates, in hours.
const MAX_HOURS: i64 = 366 * 24;

/// A delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Identity.
    pub delegation_id: Uuid,
    /// Who is away.
    pub delegator: String,
    /// Who approves on their behalf.
    pub delegate: String,
    /// From when.
    pub start: Timestamp,
    /// Until when, not included.
    pub end: Timestamp,
    /// Why.
    pub reason: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Delegation {
    /// What is wrong with a new one, as fields of the request.
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if person::is_same(&self.delegator, &self.delegate) {
            flaws.push(Flaw::new("delegate", "must be somebody else"));
        }
        let longest = jiff::SignedDuration::from_hours(MAX_HOURS);
        let wrong = if self.end <= self.start {
            "must be after start_time"
        } else if self.end <= self.created_at {
            "must be in the future"
        } else if self.end.duration_since(self.start) > longest {
            "must be at most 366 days after start_time"
        } else {
            return flaws;
        };
        flaws.push(Flaw::new("end_time", wrong));
        flaws
    }

    /// Refuses a new one beside those that hold in its time.
    pub fn must_fit(&self, others: &[Self]) -> Result<(), Refusal> {
        let chains = |other: &Self| {
            person::is_same(&other.delegator, &self.delegate)
                || person::is_same(&other.delegate, &self.delegator)
        };
        if others.iter().any(chains) {
            return Err(Refusal::DelegationChain);
        }
        let again = |other: &Self| person::is_same(&other.delegator, &self.delegator);
        if others.iter().any(again) { Err(Refusal::DelegationOverlaps) } else { Ok(()) }
    }

    /// Whether one person approves for another at a moment.
    pub fn lets(&self, delegate: &str, delegator: &str, now: Timestamp) -> bool {
        person::is_same(&self.delegate, delegate)
            && person::is_same(&self.delegator, delegator)
            && self.revoked_at.is_none()
            && self.start <= now
            && now < self.end
    }

    /// Its delegator ends it.
    pub fn revoke(&mut self, caller: &str, now: Timestamp) -> Result<(), Refusal> {
        if !person::is_same(&self.delegator, caller) {
            return Err(Refusal::DelegationNotFound);
        }
        if self.revoked_at.is_some() || self.end <= now {
            return Err(Refusal::DelegationEnded);
        }
        self.revoked_at = Some(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    fn delegation(delegator: &str, delegate: &str, start: i64, end: i64) -> Delegation {
        Delegation {
            delegation_id: Uuid::nil(),
            delegator: delegator.to_owned(),
            delegate: delegate.to_owned(),
            start: at(start),
            end: at(end),
            reason: "away".to_owned(),
            created_at: at(0),
            revoked_at: None,
        }
    }

    #[test]
    fn a_delegation_holds_in_its_time_and_until_it_is_revoked() {
        let mut one = delegation("Ann", "bob", 1, 3);
        let lets = |one: &Delegation, hours| one.lets("BOB", "ann", at(hours));
        assert_eq!([0, 1, 2, 3].map(|hours| lets(&one, hours)), [false, true, true, false]);
        assert!(!one.lets("ann", "bob", at(1)) && !one.lets("carl", "ann", at(1)));
        assert_eq!(one.revoke("bob", at(2)), Err(Refusal::DelegationNotFound));
        assert_eq!(one.revoke("ANN", at(2)), Ok(()));
        assert!(!lets(&one, 2));
        assert_eq!(one.revoke("ann", at(2)), Err(Refusal::DelegationEnded));
        assert_eq!(delegation("a", "b", 1, 2).revoke("a", at(2)), Err(Refusal::DelegationEnded));
    }

    #[test]
    fn nothing_is_delegated_on_or_to_oneself_or_twice() {
        let new = delegation("ann", "bob", 1, 3);
        assert_eq!(new.must_fit(&[]), Ok(()));
        assert_eq!(new.must_fit(&[delegation("BOB", "carl", 2, 4)]), Err(Refusal::DelegationChain));
        assert_eq!(new.must_fit(&[delegation("carl", "Ann", 2, 4)]), Err(Refusal::DelegationChain));
        assert_eq!(new.must_fit(&[delegation("Ann", "carl", 2, 4)]), Err(Refusal::DelegationOverlaps));
        assert_eq!(new.must_fit(&[delegation("carl", "bob", 2, 4)]), Ok(()), "one stands in for two");
        let fields = |one: Delegation| one.flaws().into_iter().map(|flaw| flaw.field).collect::<Vec<_>>();
        assert!(fields(new).is_empty());
        assert_eq!(fields(delegation("ann", " ANN", 3, 3)), ["delegate", "end_time"]);
        assert_eq!(fields(delegation("ann", "bob", -3, 0)), ["end_time"]);
        assert_eq!(fields(delegation("ann", "bob", 1, MAX_HOURS + 2)), ["end_time"]);
    }
}
