//! What a tenant promises, and what is done as time runs out. Pure.

use calendar::{Action, Flaw, Kind, Ladder, Pack, Promise, Rung, Trigger};
use fault::Fault;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calendars::{Calendars, Counting};
use crate::reopening::{ReopeningLimits, ReopeningTerms};

/// Its name.
const DEFAULT_PACK: &str = "general-e-commerce";
/// The rung every clock has: its due time. Nobody else's may bear its name.
pub(crate) const BREACH: &str = "breach";

/// The rungs of one kind of clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KindLadder {
    /// The kind; none for all that have no ladder of their own.
    pub(crate) kind: Option<Kind>,
    /// Its rungs.
    pub(crate) rungs: Vec<Rung>,
}

/// A policy in one version.
#[derive(Clone)]
pub(crate) struct Policy {
    /// Counts the tenant's policies; 0 is the shipped one.
    pub(crate) version: i32,
    /// The promises, the latest version of their pack first; there is one.
    packs: Vec<Pack>,
    /// The calendar they are counted by.
    pub(crate) calendar: Counting,
    ladders: Vec<(Option<Kind>, Ladder)>,
    /// How long and how often a case may be taken up again.
    reopening: ReopeningLimits,
}

impl Policy {
    /// The policy of tenants that have none.
    pub(crate) fn shipped(calendars: &Calendars) -> Result<Self, Fault> {
        let packs = shipped_pack()?.with_shipped();
        Self::of(0, packs, default_ladders(), ReopeningLimits::SHIPPED, calendars)
    }

    /// A policy of what is kept of it; what is kept was found sound. All versions of a
    /// pack are counted by one calendar.
    pub(crate) fn of(
        version: i32,
        packs: Vec<Pack>,
        ladders: Vec<KindLadder>,
        reopening: ReopeningLimits,
        calendars: &Calendars,
    ) -> Result<Self, Fault> {
        let first = packs.first().ok_or_else(|| Fault::internal(format!("policy {version} has no pack")))?;
        let calendar = calendars.known(&first.calendar)?;
        let ladders = checked(ladders).map_err(|flaws| Fault::internal(format!("{flaws:?}")))?;
        Ok(Self { version, packs, calendar, ladders, reopening })
    }

    /// By what a case may be taken up again that is resolved under it.
    pub(crate) fn reopening_terms(&self) -> ReopeningTerms {
        ReopeningTerms { policy: self.version, limits: self.reopening }
    }

    /// The name of its calendar.
    pub(crate) fn calendar_name(&self) -> &str {
        self.packs.first().map_or("", |pack| &pack.calendar)
    }

    /// What is promised of a complaint received at a moment: the latest version that
    /// applies to that day; where none does, the latest.
    pub(crate) fn pack(&self, received: Timestamp) -> &Pack {
        let day = self.calendar.date(received);
        let applies = self.packs.iter().find(|pack| pack.applies_on(day));
        applies.unwrap_or(&self.packs[0])
    }

    /// The ladder of a kind of clock.
    pub(crate) fn ladder(&self, kind: Kind) -> Option<&Ladder> {
        let of = |wanted: Option<Kind>| self.ladders.iter().find(|(kind, _)| *kind == wanted);
        of(Some(kind)).or_else(|| of(None)).map(|(_, ladder)| ladder)
    }

    /// Whether it applies to what was received at a moment.
    pub(crate) fn applies(&self, received: Timestamp) -> bool {
        let day = self.calendar.date(received);
        self.packs.iter().any(|pack| pack.applies_on(day))
    }
}

/// Whether a promise of a pack was not read in a source.
pub(crate) fn is_unverified(pack: &Pack, promise: &Promise) -> bool {
    pack.unverified || promise.unverified
}

/// The pack of tenants that have chosen none.
pub(crate) fn shipped_pack() -> Result<&'static Pack, Fault> {
    calendar::versions(DEFAULT_PACK)
        .next()
        .ok_or_else(|| Fault::internal(format!("there is no pack {DEFAULT_PACK}")))
}

/// The versions of a pack that is kept: of a shipped one those that are shipped now, too.
pub(crate) fn packs(kept: &Pack, shipped: bool) -> Vec<Pack> {
    if shipped { kept.with_shipped() } else { vec![kept.clone()] }
}

/// The policy that holds for a complaint: of those activated, the latest first,
/// the first whose pack applies to the day; the shipped one is the last of them.
pub(crate) fn in_force(policies: &[Policy], received: Timestamp) -> Option<&Policy> {
    policies.iter().find(|policy| policy.applies(received)).or(policies.last())
}

/// Ladders of rungs found sound, or everything that is wrong with them.
pub(crate) fn checked(ladders: Vec<KindLadder>) -> Result<Vec<(Option<Kind>, Ladder)>, Vec<Flaw>> {
    let (mut sound, mut flaws) = (Vec::with_capacity(ladders.len()), Vec::new());
    for KindLadder { kind, rungs } in ladders {
        if rungs.iter().any(|rung| rung.name == BREACH) {
            let problem = "breach is the due time itself, which needs no rung".to_owned();
            flaws.push(Flaw { field: "rungs.name".to_owned(), problem });
        }
        match Ladder::check(rungs) {
            Ok(ladder) => sound.push((kind, ladder)),
            Err(more) => flaws.extend(more),
        }
    }
    if flaws.is_empty() { Ok(sound) } else { Err(flaws) }
}

/// What is done where the tenant has not said so: the handler is reminded while
/// there is a fifth of the time left, and the supervisor is told of an answer
/// that is a working day late.
pub(crate) fn default_ladders() -> Vec<KindLadder> {
    let last_fifth =
        Rung { name: "last-fifth".to_owned(), at: Trigger::Percent(80), actions: vec![Action::Remind] };
    let day_late = "1 working day after".parse().map(|at| Rung {
        name: "day-late".to_owned(),
        at,
        actions: vec![Action::Escalate],
    });
    let answer: Vec<Rung> = std::iter::once(last_fifth.clone()).chain(day_late).collect();
    vec![
        KindLadder { kind: None, rungs: vec![last_fifth] },
        KindLadder { kind: Some(Kind::Decide), rungs: answer.clone() },
        KindLadder { kind: Some(Kind::Final), rungs: answer },
    ]
}

/// A policy as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct KeptPolicy {
    /// Counts the tenant's policies; 0 is the shipped one.
    pub(crate) version: i32,
    /// The promises.
    pub(crate) pack: Pack,
    /// Whether they are shipped ones.
    pub(crate) shipped: bool,
    /// What is done as time runs out.
    pub(crate) ladders: Vec<KindLadder>,
    /// How long and how often a case may be taken up again.
    pub(crate) reopening: ReopeningLimits,
    /// Why there is this version.
    pub(crate) note: String,
    /// When it was made; none of the shipped one.
    pub(crate) created: Option<Timestamp>,
    /// Who made it.
    pub(crate) creator: String,
    /// When it was last activated; none before.
    pub(crate) activated: Option<Timestamp>,
    /// Who did.
    pub(crate) activator: String,
}
