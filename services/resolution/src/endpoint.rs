//! Where a department that cannot poll has its tasks brought to, and whether it is there.
//! Pure.

use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use kernel::time::later;
use server::Secret;

use crate::refusal::Refusal;
use crate::remedy::Flaw;

/// How long one try may take where nothing was said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Shortest time for a try.
pub const MIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest time for a try.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a task that was taken is held where nothing was said.
pub const DEFAULT_HOLD: Duration = Duration::from_hours(1);
/// Shortest such time.
pub const MIN_HOLD: Duration = Duration::from_mins(1);
/// Longest such time.
pub const MAX_HOLD: Duration = Duration::from_hours(30 * 24);
/// How long the secret before signs as well where nothing was said.
pub const DEFAULT_KEEP: Duration = Duration::from_hours(24);
/// Longest such time.
pub const MAX_KEEP: Duration = Duration::from_hours(30 * 24);

/// Most deliveries to one endpoint at once.
pub const AT_ONCE: i64 = 16;
/// From so many failures in a row on, one at a time shows whether it is back.
pub const FAILING: i32 = 3;
/// So many failures in a row pause it, ...
pub const MAX_FAILURES: i32 = 50;
/// ... if they began so long ago.
pub const MAX_FAILING: Duration = Duration::from_hours(24);

kernel::numbered! {
    /// How a department is reached.
    EndpointKind {
        /// It serves `DepartmentWorker`.
        Grpc = 1,
        /// It takes signed webhooks.
        Webhook = 2,
    }
}

kernel::numbered! {
    /// Whether tasks are brought to it.
    EndpointState {
        /// They are.
        Enabled = 1,
        /// They are not, until somebody resumes it.
        Paused = 2,
    }
}

/// Where a department has its tasks brought to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The department.
    pub department_id: String,
    /// Counts the changes that people made, and pauses.
    pub version: i64,
    /// How it is reached.
    pub kind: EndpointKind,
    /// Where it is.
    pub url: String,
    /// What webhooks are signed with, as text; of gRPC, the token that is shown.
    pub secret: Option<Secret>,
    /// The secret before, and until when it signs as well.
    pub old_secret: Option<(Secret, Timestamp)>,
    /// Longest that one try may take.
    pub timeout: Duration,
    /// How long a task is held once it was taken.
    pub hold: Duration,
    /// Why nothing is brought to it; none while it is.
    pub pause: Option<EndpointPause>,
    /// How many tries in a row have failed.
    pub failures: i32,
    /// Since when they fail.
    pub failing_since: Option<Timestamp>,
    /// When somebody changed it last.
    pub updated_at: Timestamp,
}

/// A pause of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointPause {
    /// Why.
    pub reason: String,
    /// Who paused it; empty where it was for its failures.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What people say about an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The department.
    pub department_id: String,
    /// How it is reached.
    pub kind: EndpointKind,
    /// Where it is.
    pub url: String,
    /// Its secret; none leaves it as it is.
    pub secret: Option<Secret>,
    /// Longest that one try may take.
    pub timeout: Duration,
    /// How long a task is held once it was taken.
    pub hold: Duration,
}

impl Setting {
    /// What is missing, given the endpoint there is.
    pub fn flaws(&self, present: Option<&Endpoint>) -> Vec<Flaw> {
        let kept = present.is_some_and(|present| present.kind == self.kind && present.secret.is_some());
        let is_missing = self.kind == EndpointKind::Webhook && self.secret.is_none() && !kept;
        if is_missing { vec![Flaw::new("secret", "is required for a webhook")] } else { Vec::new() }
    }

    /// The endpoint that is set: it has not failed yet. What is paused stays so.
    pub fn set(self, present: Option<Endpoint>, now: Timestamp) -> Endpoint {
        let Self { department_id, kind, url, secret, timeout, hold } = self;
        let kept = present.as_ref().filter(|present| present.kind == kind && secret.is_none());
        let (kept_secret, old_secret) =
            kept.map(|kept| (kept.secret.clone(), kept.old_secret.clone())).unwrap_or_default();
        Endpoint {
            department_id,
            version: present.as_ref().map_or(1, |present| present.version + 1),
            kind,
            url,
            secret: secret.or(kept_secret),
            old_secret,
            timeout,
            hold,
            pause: present.and_then(|present| present.pause),
            failures: 0,
            failing_since: None,
            updated_at: now,
        }
    }
}

impl Endpoint {
    /// Whether tasks are brought to it.
    pub fn state(&self) -> EndpointState {
        if self.pause.is_none() { EndpointState::Enabled } else { EndpointState::Paused }
    }

    /// Refuses a caller who has seen another version; absent skips the check.
    pub fn seen_as(&self, version: Option<i64>) -> Result<(), Fault> {
        match version {
            Some(seen) if seen != self.version => Err(Fault::version_mismatch(self.version)),
            _ => Ok(()),
        }
    }

    /// The secrets that messages are signed with now, the newest first.
    pub fn secrets(&self, now: Timestamp) -> Vec<&Secret> {
        let old = self.old_secret.as_ref().filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        self.secret.iter().chain(old).collect()
    }

    /// Another secret signs from now on, beside the one before for a while.
    pub fn rotate(&mut self, secret: Secret, keep: Duration, now: Timestamp) {
        let old = self.secret.replace(secret).filter(|_| self.kind == EndpointKind::Webhook);
        self.old_secret = old.filter(|_| !keep.is_zero()).map(|old| (old, later(now, keep)));
        self.touched(now);
    }

    /// Somebody pauses it.
    pub fn pause(&mut self, pause: EndpointPause) -> Result<(), Refusal> {
        if self.pause.is_some() {
            return Err(Refusal::EndpointAlreadyPaused);
        }
        self.touched(pause.at);
        self.pause = Some(pause);
        Ok(())
    }

    /// Somebody resumes it: its failures count anew.
    pub fn resume(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.pause.take().ok_or(Refusal::EndpointNotPaused)?;
        self.succeeded();
        self.touched(now);
        Ok(())
    }

    /// It answered.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        self.failing_since = None;
    }

    /// A try failed, or it said that it is gone for good; answers whether that pauses it.
    pub fn failed(&mut self, is_gone: bool, now: Timestamp) -> bool {
        self.failures = self.failures.saturating_add(1);
        let since = *self.failing_since.get_or_insert(now);
        let is_dead = self.failures >= MAX_FAILURES && later(since, MAX_FAILING) <= now;
        if self.pause.is_some() || !(is_gone || is_dead) {
            return false;
        }
        let reason = if is_gone {
            "it answered that it is gone (410)".to_owned()
        } else {
            format!("{} tries in a row have failed since {since}", self.failures)
        };
        self.version += 1;
        self.pause = Some(EndpointPause { reason, by: String::new(), at: now });
        true
    }

    fn touched(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated_at = now;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    fn setting(kind: EndpointKind, word: Option<&str>) -> Setting {
        Setting {
            department_id: "finance".to_owned(),
            kind,
            url: "https://pay.example.com/".to_owned(),
            secret: word.map(secret),
            timeout: DEFAULT_TIMEOUT,
            hold: DEFAULT_HOLD,
        }
    }

    fn endpoint() -> Endpoint {
        setting(EndpointKind::Webhook, Some("first")).set(None, at(0))
    }

    #[test]
    fn two_secrets_sign_while_one_is_changed_and_never_three() {
        let mut endpoint = endpoint();
        endpoint.rotate(secret("second"), Duration::from_mins(1), at(100));
        assert_eq!(endpoint.secrets(at(159)), [&secret("second"), &secret("first")]);
        assert_eq!(endpoint.secrets(at(160)), [&secret("second")]);
        endpoint.rotate(secret("third"), Duration::from_mins(1), at(110));
        assert_eq!(endpoint.secrets(at(111)), [&secret("third"), &secret("second")]);
        endpoint.rotate(secret("fourth"), Duration::ZERO, at(112));
        assert_eq!(endpoint.secrets(at(112)), [&secret("fourth")]);
        let mut grpc = setting(EndpointKind::Grpc, Some("token")).set(None, at(0));
        grpc.rotate(secret("other"), Duration::from_mins(1), at(1));
        assert_eq!(grpc.secrets(at(2)), [&secret("other")]);
    }

    #[test]
    fn a_secret_stays_unless_another_is_given_and_is_none_of_another_kind() {
        let first = endpoint();
        assert_eq!(setting(EndpointKind::Webhook, None).flaws(None).len(), 1);
        assert_eq!(setting(EndpointKind::Webhook, None).flaws(Some(&first)), []);
        assert_eq!(setting(EndpointKind::Grpc, None).flaws(None), []);
        let same = setting(EndpointKind::Webhook, None).set(Some(first.clone()), at(5));
        assert_eq!((same.version, same.secrets(at(5))), (2, vec![&secret("first")]));
        let grpc = setting(EndpointKind::Grpc, None).set(Some(same), at(6));
        assert_eq!(grpc.secret, None);
        assert_eq!(setting(EndpointKind::Webhook, None).flaws(Some(&grpc)).len(), 1);
    }

    #[test]
    fn an_endpoint_that_is_gone_is_paused_at_once_and_counts_anew_once_resumed() {
        let mut endpoint = endpoint();
        assert!(!endpoint.failed(false, at(1)));
        assert!(endpoint.failed(true, at(2)));
        assert!(!endpoint.failed(true, at(3)), "it is paused once");
        assert_eq!(endpoint.state(), EndpointState::Paused);
        let pause = EndpointPause { reason: "x".to_owned(), by: "ann".to_owned(), at: at(4) };
        assert_eq!(endpoint.pause(pause), Err(Refusal::EndpointAlreadyPaused));
        assert_eq!(endpoint.resume(at(5)), Ok(()));
        assert_eq!((endpoint.failures, endpoint.failing_since), (0, None));
        assert_eq!(endpoint.resume(at(6)), Err(Refusal::EndpointNotPaused));
    }

    proptest! {
        #[test]
        fn it_is_paused_by_many_failures_over_a_long_time_only(
            tries in prop::collection::vec((0..7_200_u64, any::<bool>(), 0..20_u8), 1..300),
        ) {
            let mut endpoint = endpoint();
            let (mut clock, mut since, mut count) = (0, None, 0);
            for (pause, fails, rare) in tries {
                clock += pause;
                if !fails && rare == 0 {
                    endpoint.succeeded();
                    (since, count) = (None, 0);
                    continue;
                }
                count += 1;
                let began = *since.get_or_insert(clock);
                let is_dead = count >= MAX_FAILURES && clock - began >= MAX_FAILING.as_secs();
                prop_assert_eq!(endpoint.failed(false, at(clock)), is_dead);
                if is_dead {
                    break;
                }
            }
        }
    }
}
