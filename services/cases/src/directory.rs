//! A company's own directory: what it is asked of a case, when, and what is kept of what it
//! said. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kernel::CaseId;
use server::Secret;

/// Shortest and longest that one question may take, and what holds where nobody says.
pub(crate) const MIN_TIMEOUT: Duration = Duration::from_millis(100);
/// Longest that one question may take.
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one question may take where nobody says.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
/// Shortest that an answer may be kept without asking anew.
pub(crate) const MIN_AGE: Duration = Duration::from_mins(1);
/// Longest that an answer may be kept without asking anew.
pub(crate) const MAX_AGE: Duration = Duration::from_hours(30 * 24);
/// How long an answer is kept where nobody says.
pub(crate) const DEFAULT_AGE: Duration = Duration::from_hours(1);
/// Within this of an answer, or of a question for somebody who looked, nothing is asked anew,
/// whoever wishes it: as long as two questions after each other may take.
pub(crate) const SETTLED: SignedDuration = SignedDuration::from_secs(10);
/// How long the opening of a case is asked for.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// How long to wait after the first try that failed.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// Longest wait between two tries.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

kernel::numbered! {
    /// How a directory is reached.
    DirectoryKind {
        /// By gRPC.
        Grpc = 1,
        /// By HTTP/JSON.
        Http = 2,
    }
}

kernel::numbered! {
    /// What a directory is asked.
    Part {
        /// Who the customer is.
        Customer = 1,
        /// What they ordered.
        Orders = 2,
        /// What the product is.
        Product = 3,
        /// When they were in contact before.
        Contacts = 4,
    }
}

/// Where a tenant's directory is.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    /// Counts the changes.
    pub(crate) version: i64,
    /// How it is reached.
    pub(crate) kind: DirectoryKind,
    /// Where it is.
    pub(crate) url: String,
    /// What it is shown.
    pub(crate) token: Option<Secret>,
    /// Longest that one question may take.
    pub(crate) timeout: Duration,
    /// How old an answer may be.
    pub(crate) max_age: Duration,
    /// When somebody changed it last.
    pub(crate) updated_at: Timestamp,
}

/// What somebody wants a directory to be.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// How it is reached.
    pub(crate) kind: DirectoryKind,
    /// Where it is.
    pub(crate) url: String,
    /// What it is shown; none leaves what there is.
    pub(crate) token: Option<Secret>,
    /// Longest that one question may take.
    pub(crate) timeout: Duration,
    /// How old an answer may be.
    pub(crate) max_age: Duration,
}

impl Setting {
    /// The directory as it then is. The token of one URL is shown to no other.
    pub(crate) fn set(self, present: Option<&Directory>, now: Timestamp) -> Directory {
        let Self { kind, url, token, timeout, max_age } = self;
        let kept = present.filter(|present| present.url == url).and_then(|present| present.token.clone());
        let version = present.map_or(1, |present| present.version + 1);
        Directory { version, kind, url, token: token.or(kept), timeout, max_age, updated_at: now }
    }
}

/// What a complaint names that a directory can be asked by; each empty where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// The customer's number.
    pub(crate) customer_id: String,
    /// The e-mail address.
    pub(crate) email: String,
    /// The telephone number.
    pub(crate) phone: String,
    /// The order.
    pub(crate) order_ref: String,
    /// The product.
    pub(crate) product_ref: String,
}

impl Named {
    /// Whether there is anything to ask by.
    pub(crate) fn is_something(&self) -> bool {
        let Self { customer_id, email, phone, order_ref, product_ref } = self;
        [customer_id, email, phone, order_ref, product_ref].into_iter().any(|name| !name.is_empty())
    }

    /// Whether a customer is named.
    pub(crate) fn has_customer(&self) -> bool {
        [&self.customer_id, &self.email, &self.phone].into_iter().any(|name| !name.is_empty())
    }
}

/// What a directory said at one time, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// When.
    pub(crate) time: Timestamp,
    /// What, for `wire` to read.
    pub(crate) content: Vec<u8>,
}

/// What came of asking.
#[derive(Clone, Debug)]
pub(crate) struct DirectoryAnswer {
    /// What it said, for `wire` to read.
    pub(crate) content: Vec<u8>,
    /// How many questions it answered.
    pub(crate) answered: i16,
    /// Why others were not answered; empty where all were.
    pub(crate) failure: String,
}

/// What a directory is asked of a case, and what it said.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    /// The case.
    pub(crate) case: CaseId,
    /// By what it is asked.
    pub(crate) named: Named,
    /// When the case was opened.
    pub(crate) begun: Timestamp,
    /// How often it was asked for the opening.
    pub(crate) tries: i32,
    /// When it is asked again for the opening; none once that is over.
    pub(crate) next_try: Option<Timestamp>,
    /// Why the latest question was not answered.
    pub(crate) failure: String,
    /// What it said when the case was opened.
    pub(crate) opening: Option<Snapshot>,
    /// What it said last.
    pub(crate) latest: Option<Snapshot>,
    /// How many questions that answers.
    pub(crate) latest_parts: i16,
}

impl Lookup {
    /// Whether it is to be asked anew for somebody who looks.
    pub(crate) fn is_stale(&self, max_age: Duration, refresh: bool, now: Timestamp) -> bool {
        let Some(latest) = &self.latest else { return true };
        let age = now.duration_since(latest.time);
        let most = SignedDuration::try_from(max_age).unwrap_or(SignedDuration::MAX);
        age >= SETTLED && (refresh || age >= most)
    }

    /// Takes in what came of asking. What answers less than there is of the opening takes
    /// nothing's place while that is still asked for.
    pub(crate) fn hear(&mut self, heard: DirectoryAnswer, now: Timestamp) {
        let DirectoryAnswer { content, answered, failure } = heard;
        let is_opening = self.next_try.is_some();
        let is_whole = failure.is_empty();
        self.failure = failure;
        if answered > 0 && (!is_opening || answered >= self.latest_parts) {
            let snapshot = Snapshot { time: now, content };
            if is_opening {
                self.opening = Some(snapshot.clone());
            }
            self.latest = Some(snapshot);
            self.latest_parts = answered;
        }
        if is_opening {
            let is_over = is_whole || now.duration_since(self.begun) >= PATIENCE;
            self.next_try = if is_over { None } else { now.checked_add(self.wait()).ok() };
        }
    }

    /// How long to wait for the next try.
    fn wait(&self) -> SignedDuration {
        let doublings = u32::try_from(self.tries.saturating_sub(1)).unwrap_or(0).min(16);
        FIRST_WAIT.saturating_mul(1_i32 << doublings).min(LONGEST_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    fn lookup() -> Lookup {
        Lookup {
            case: CaseId(uuid::Uuid::nil()),
            named: Named::default(),
            begun: at(0),
            tries: 1,
            next_try: Some(at(0)),
            failure: String::new(),
            opening: None,
            latest: None,
            latest_parts: 0,
        }
    }

    fn heard(content: &str, answered: i16, failure: &str) -> DirectoryAnswer {
        DirectoryAnswer { content: content.into(), answered, failure: failure.to_owned() }
    }

    fn said(snapshot: Option<&Snapshot>) -> Option<(&[u8], Timestamp)> {
        snapshot.map(|snapshot| (snapshot.content.as_slice(), snapshot.time))
    }

    #[test]
    fn what_was_true_when_a_case_was_opened_stays_so() {
        let mut lookup = lookup();
        lookup.hear(heard("", 0, "nobody is there"), at(1));
        assert_eq!((lookup.opening.as_ref(), lookup.next_try), (None, Some(at(11))));
        lookup.tries = 2;
        lookup.hear(heard("three", 3, "one is missing"), at(11));
        assert_eq!(
            (said(lookup.opening.as_ref()), lookup.next_try),
            (Some((&b"three"[..], at(11))), Some(at(31)))
        );
        lookup.hear(heard("one", 1, "three are missing"), at(31));
        assert_eq!(
            said(lookup.opening.as_ref()),
            Some((&b"three"[..], at(11))),
            "less takes nothing's place"
        );
        lookup.hear(heard("four", 4, ""), at(51));
        assert_eq!((said(lookup.opening.as_ref()), lookup.next_try), (Some((&b"four"[..], at(51))), None));
        lookup.hear(heard("later", 2, "two are missing"), at(9_999));
        assert_eq!(said(lookup.opening.as_ref()), Some((&b"four"[..], at(51))));
        assert_eq!(said(lookup.latest.as_ref()), Some((&b"later"[..], at(9_999))));
        lookup.hear(heard("", 0, "nobody is there"), at(10_000));
        assert_eq!(
            said(lookup.latest.as_ref()),
            Some((&b"later"[..], at(9_999))),
            "no answer takes none away"
        );
    }

    #[test]
    fn a_silent_directory_is_asked_for_a_day_at_growing_intervals() {
        let mut lookup = lookup();
        let (mut now, mut waits) = (at(0), Vec::new());
        while let Some(next) = lookup.next_try {
            waits.push(next.duration_since(now).as_secs());
            (now, lookup.tries) = (next, lookup.tries + 1);
            lookup.hear(heard("", 0, "nobody is there"), now);
        }
        assert!(waits.is_sorted() && waits.iter().all(|wait| *wait <= 3_600), "{waits:?}");
        assert!((30..40).contains(&waits.len()) && now >= at(86_400), "{}", waits.len());
    }

    #[test]
    fn an_answer_is_kept_as_long_as_it_may_be() {
        let mut lookup = lookup();
        assert!(lookup.is_stale(MAX_AGE, false, at(0)), "there is none yet");
        lookup.hear(heard("four", 4, ""), at(0));
        assert!(!lookup.is_stale(MIN_AGE, false, at(59)) && lookup.is_stale(MIN_AGE, false, at(60)));
        assert!(!lookup.is_stale(MIN_AGE, true, at(9)) && lookup.is_stale(MIN_AGE, true, at(10)));
    }
}
