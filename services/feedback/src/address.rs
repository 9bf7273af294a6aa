//! Addresses that no letter is sent to by itself, so that two programs never write to
//! each other for ever (RFC 3834), and how many acknowledgements an address gets.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

/// Acknowledgements one address gets at once.
pub const BURST: i32 = 5;
/// After them, one more in this time: within any hour at most [`HOURLY`].
pub const INTERVAL: SignedDuration = SignedDuration::from_mins(4);
/// Most acknowledgements to one address within an hour; more are put off, none is
/// dropped.
pub const HOURLY: i32 = 20;

/// Words that make a mailbox one that only programs write from, alone.
const PROGRAMS: [&str; 9] = [
    "postmaster",
    "bounce",
    "bounces",
    "autoreply",
    "autoresponder",
    "listserv",
    "majordomo",
    "nobody",
    "daemon",
];
/// Words that do so wherever they stand in the name, one after the other.
const PHRASES: [&[&str]; 7] = [
    &["noreply"],
    &["no", "reply"],
    &["donotreply"],
    &["do", "not", "reply"],
    &["dont", "reply"],
    &["mailer", "daemon"],
    &["mailerdaemon"],
];
/// Words that do so in front of others.
const BEFORE: [&str; 3] = ["bounce", "bounces", "owner"];
/// Words that do so behind others.
const BEHIND: [&str; 3] = ["bounce", "bounces", "request"];

/// An address as addresses are told apart: in lower case, without the tag behind `+`.
pub fn normal(address: &str) -> String {
    let address = address.trim().to_lowercase();
    match address.rsplit_once('@') {
        Some((mailbox, domain)) => {
            let name = mailbox.split('+').next().unwrap_or_default().trim_matches('"');
            format!("{}@{domain}", if name.is_empty() { mailbox } else { name })
        }
        None => address,
    }
}

/// Whether only programs write from an address.
pub fn is_program(address: &str) -> bool {
    let normal = normal(address);
    let Some((mailbox, _)) = normal.rsplit_once('@') else { return false };
    let words: Vec<&str> = mailbox.split(['-', '_', '.', '=']).collect();
    let has = |phrase: &[&str]| words.windows(phrase.len()).any(|some| some == phrase);
    if PHRASES.iter().any(|phrase| has(phrase)) {
        return true;
    }
    match words.as_slice() {
        [word] => PROGRAMS.contains(word),
        [first, .., last] => BEFORE.contains(first) || BEHIND.contains(last),
        [] => false,
    }
}

/// The organisation's own addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnAddresses(Arc<[String]>);

impl OwnAddresses {
    /// These; one that begins with `@` means every address of the domain.
    pub fn new<'a>(addresses: impl IntoIterator<Item = &'a str>) -> Self {
        Self(addresses.into_iter().map(normal).collect())
    }

    /// Whether an address is one of them.
    pub fn has(&self, address: &str) -> bool {
        let address = normal(address);
        let domain = address.rfind('@').map_or("", |at| &address[at..]);
        self.0.iter().any(|own| *own == address || own == domain)
    }
}

/// When the `nth` (from 0) of several acknowledgements to one address may leave, where
/// `free_at` is when those before it will all be forgotten.
pub fn send_at(free_at: Timestamp, nth: i32, now: Timestamp) -> Timestamp {
    let ahead = INTERVAL * (nth - (BURST - 1));
    free_at.max(now).checked_add(ahead).unwrap_or(now).max(now)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn programs_are_told_from_people() {
        for program in [
            "MAILER-DAEMON@mx.example.org",
            "mailer-daemon@googlemail.com",
            "postmaster@example.org",
            "noreply@example.org",
            "no-reply@example.org",
            "No_Reply+77@example.org",
            "no.reply@example.org",
            "donotreply@example.org",
            "do-not-reply@example.org",
            "drive-shares-noreply@example.org",
            "noreply-accounts@example.org",
            "bounce@example.org",
            "bounces+123=ada@example.org",
            "bounce-77-ada@example.org",
            "owner-list@example.org",
            "list-request@example.org",
            "list-bounces@example.org",
        ] {
            assert!(is_program(program), "{program}");
        }
        for person in [
            "ada@example.org",
            "reply@example.org",
            "no@example.org",
            "master@example.org",
            "leonor.eply@example.org",
            "request@example.org",
            "owner@example.org",
            "bob.noreplyson@example.org",
            "nobody",
            "",
            "@",
        ] {
            assert!(!is_program(person), "{person}");
        }
    }

    #[test]
    fn our_own_are_known_whatever_their_tag_and_letter_case() {
        let own = OwnAddresses::new(["Complaints@example.org", "@desk.example.org"]);
        for ours in ["complaints@EXAMPLE.org", "complaints+case-7@example.org", "lin@desk.example.org"] {
            assert!(own.has(ours), "{ours}");
        }
        for theirs in ["ada@example.org", "complaints@example.com", "lin@desk.example.org.evil.example", ""] {
            assert!(!own.has(theirs), "{theirs}");
        }
    }

    proptest! {
        #[test]
        fn no_hour_has_more_than_the_limit_and_none_is_dropped(gaps in prop::collection::vec(0..900_i64, 1..120)) {
            let (mut free_at, mut now) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
            let mut sent: Vec<Timestamp> = Vec::new();
            for gap in gaps {
                now += SignedDuration::from_secs(gap);
                sent.push(send_at(free_at, 0, now));
                free_at = free_at.max(now) + INTERVAL;
                prop_assert!(sent.last() >= Some(&now));
            }
            for first in &sent {
                let until = *first + SignedDuration::from_hours(1);
                let within = sent.iter().filter(|at| (*first..until).contains(at)).count();
                prop_assert!(i32::try_from(within).unwrap() <= HOURLY, "{} within an hour", within);
            }
        }

        #[test]
        fn several_at_once_are_as_good_as_one_after_the_other(count in 1..60_i32) {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(7);
            let mut free_at = now;
            for nth in 0..count {
                prop_assert_eq!(send_at(now, nth, now), send_at(free_at, 0, now));
                free_at += INTERVAL;
            }
        }

        #[test]
        fn any_address_can_be_normalised_twice(address in any::<String>()) {
            let _ = is_program(&address);
            prop_assert_eq!(normal(&normal(&address)), normal(&address));
        }
    }
}
