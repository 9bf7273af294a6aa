//! Grounds that a policy knows for refusing a complaint, or for ending its handling
//! without a settlement.

use calendar::{Ground, Pack};
use fault::{Check, Fault};

use crate::case::Case;
use crate::clocks::policy::{self, Policy};

/// What needs a ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The complaint is refused.
    Refusal,
    /// It is decided, and not upheld.
    InVain,
}

/// The ground somebody names; empty when they name none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) ending: Ending,
    pub(crate) code: String,
    /// The reason given where it names none that is known.
    pub(crate) invalid: &'static str,
}

impl Claim {
    /// The ground in words, by the policy a case is under; none where that knows none.
    pub(crate) fn words(&self, policies: &[Policy], case: &Case) -> Result<Option<String>, Fault> {
        let received = case.origin.receive_time;
        let pack = policy::in_force(policies, received).map(|policy| policy.pack(received));
        let known = pack.map_or(&[][..], |pack| self.ending.known(pack));
        let mut check = Check::new();
        let named = known.iter().find(|ground| ground.code == self.code);
        if named.is_none() && !(known.is_empty() && self.code.is_empty()) {
            check.fail("ground", problem(known));
        }
        check.done(self.invalid)?;
        Ok(named.map(|ground| format!("{} ({})", ground.text, ground.code)))
    }
}

impl Ending {
    fn known(self, pack: &Pack) -> &[Ground] {
        match self {
            Self::Refusal => &pack.refusal_grounds,
            Self::InVain => &pack.ending_grounds,
        }
    }
}

fn problem(known: &[Ground]) -> String {
    let codes: Vec<&str> = known.iter().map(|ground| ground.code.as_str()).collect();
    match codes.as_slice() {
        [] => "must be empty: the policy of this case knows no grounds".to_owned(),
        codes => format!("must be one of those its policy knows: {}", codes.join(", ")),
    }
}

/// What is told with its ground, where there is one.
pub(crate) fn with_ground(text: String, ground: Option<&str>) -> String {
    match ground {
        Some(ground) => format!("{text}\n{ground}"),
        None => text,
    }
}
