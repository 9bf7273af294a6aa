//! What is decided without looking at a row.

use std::time::Duration;

use fault::{Fault, Kind};
use proptest::prelude::*;
use work_queue::{Again, Blame, Retry, Trouble, is_final};

const KINDS: [Kind; 10] = [
    Kind::Invalid,
    Kind::NotFound,
    Kind::Exists,
    Kind::Precondition,
    Kind::Forbidden,
    Kind::Conflict,
    Kind::Exhausted,
    Kind::Unavailable,
    Kind::TooLate,
    Kind::Internal,
];

fn retry() -> impl Strategy<Value = Retry> {
    (1_u64..1_000, 0_u64..1_000_000).prop_map(|(first, more)| {
        let first = Duration::from_millis(first);
        Retry { first, longest: first + Duration::from_millis(more) }
    })
}

proptest! {
    /// It waits the longer the more often it was in vain, the double, and never longer than the
    /// longest; each attempt counts.
    #[test]
    fn work_that_fails_waits_longer_each_time(retry in retry(), attempts in 0_i32..i32::MAX - 1) {
        let Again { after, attempts: counted } = retry.again(attempts, Blame::Work);
        let next = retry.again(counted, Blame::Work);
        prop_assert_eq!(counted, attempts + 1);
        prop_assert!(retry.first <= after && after <= retry.longest);
        prop_assert_eq!(next.after, (after * 2).min(retry.longest));
    }

    /// However often it was in vain, nothing overflows.
    #[test]
    fn any_number_of_attempts_is_a_wait(retry in retry(), attempts in any::<i32>()) {
        let again = retry.again(attempts, Blame::Work);
        prop_assert!(retry.first <= again.after && again.after <= retry.longest);
        prop_assert!(again.attempts >= attempts);
    }

    /// What the work is not to blame for says nothing about the work.
    #[test]
    fn an_outage_and_a_stop_do_not_count(retry in retry(), attempts in any::<i32>()) {
        prop_assert_eq!(retry.again(attempts, Blame::Outage), Again { after: retry.first, attempts });
        prop_assert_eq!(retry.again(attempts, Blame::Stop), Again { after: Duration::ZERO, attempts });
    }

    /// What is set aside for ever is never what would come right by waiting, or is our mistake.
    #[test]
    fn what_is_final_is_neither_transient_nor_ours(kind in proptest::sample::select(KINDS.to_vec())) {
        let fault = Fault::new(kind, "REASON", "words");
        let comes_right = fault.is_transient() || kind == Kind::Internal;
        prop_assert_eq!(is_final(&fault), !comes_right);
        let blame = Trouble::from(fault).blame;
        prop_assert_eq!(blame == Blame::Outage, kind == Kind::Unavailable);
    }
}
