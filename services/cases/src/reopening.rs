//! How long after its resolution, and how often, a case may be taken up again. Pure.
//!
//! Both are the tenant's policy. What is in force when an outcome takes effect is kept with
//! the case: a policy that is activated later neither takes back what the complainant could
//! count on, nor gives more. Who may have a case taken up again is no policy.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// For how many days of 24 hours the complainant may answer an outcome.
pub(crate) const RESPONSE_DAYS: i32 = 15;

/// The limits of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReopeningLimits {
    /// For how many days of 24 hours after its resolution.
    pub(crate) window_days: i32,
    /// How often in all.
    pub(crate) maximum: i32,
}

impl ReopeningLimits {
    /// The limits of tenants that have set none.
    pub(crate) const SHIPPED: Self = Self { window_days: 60, maximum: 3 };
    /// Fewest days: who may still answer an outcome must be heard.
    pub(crate) const MIN_DAYS: i32 = RESPONSE_DAYS;
    /// Most days: ten years, as of any promise.
    pub(crate) const MAX_DAYS: i32 = 3_650;
    /// Fewest times: one dispute is heard.
    pub(crate) const MIN_TIMES: i32 = 1;
    /// Most times: each is a level up, and a cycle that people must read.
    pub(crate) const MAX_TIMES: i32 = 10;

    fn window(self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.window_days))
    }
}

/// By what one case may be taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReopeningTerms {
    /// Version of the tenant's policy that was in force when the outcome took effect; 0 is
    /// the shipped one.
    pub(crate) policy: i32,
    /// Its limits.
    pub(crate) limits: ReopeningLimits,
}

impl ReopeningTerms {
    /// Those of what took effect before policies said so.
    pub(crate) const SHIPPED: Self = Self { policy: 0, limits: ReopeningLimits::SHIPPED };

    /// Until when what took effect at a moment may be taken up again; none beyond the end
    /// of time.
    pub(crate) fn until(self, resolved: Timestamp) -> Option<Timestamp> {
        resolved.checked_add(self.limits.window()).ok()
    }

    /// How often a case in this cycle may still be taken up again.
    pub(crate) fn left(self, cycle: i32) -> i32 {
        (self.limits.maximum + 1 - cycle).max(0)
    }
}

/// What they allow, for whoever is refused.
impl fmt::Display for ReopeningTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReopeningLimits { window_days, maximum } = self.limits;
        match self.policy {
            0 => f.write_str("the shipped policy")?,
            version => write!(f, "policy {version}")?,
        }
        let times = if maximum == 1 { "once".to_owned() } else { format!("{maximum} times") };
        write!(
            f,
            ", in force when it was resolved, lets a case be reopened within {window_days} days, {times}"
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(policy: i32, window_days: i32, maximum: i32) -> ReopeningTerms {
        ReopeningTerms { policy, limits: ReopeningLimits { window_days, maximum } }
    }

    #[test]
    fn they_say_what_they_allow() {
        assert_eq!(
            ReopeningTerms::SHIPPED.to_string(),
            "the shipped policy, in force when it was resolved, lets a case be reopened within 60 days, 3 times"
        );
        assert_eq!(
            terms(4, 15, 1).to_string(),
            "policy 4, in force when it was resolved, lets a case be reopened within 15 days, once"
        );
    }

    proptest! {
        #[test]
        fn a_case_is_reopened_as_often_as_its_maximum_and_no_more(maximum in 1..=10, days in 15..=3_650) {
            let terms = terms(1, days, maximum);
            let reopened = (1..100).take_while(|cycle| terms.left(*cycle) > 0).count();
            prop_assert_eq!(i32::try_from(reopened), Ok(maximum));
            let until = terms.until(Timestamp::UNIX_EPOCH).expect("within time");
            prop_assert_eq!(until.as_second(), i64::from(days) * 86_400);
        }
    }
}
