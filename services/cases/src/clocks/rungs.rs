//! What is done on the way to a due time and after it: each step once per clock.
//! After a downtime only the newest step is taken, older ones are noted. Pure.

use calendar::{Action, Kind, Starts, State, Step};
use jiff::{SignedDuration, Timestamp};
use vocabulary::Priority;

use super::policy::{BREACH, Policy};
use super::{CaseClock, Clocks};
use crate::case::{Case, Occasion};
use crate::promise::words;
use crate::timeline::{Fact, Timing, Urgency};

/// How often somebody is reminded of a clock whose pause has no cap: nothing else would.
const PAUSE_REMINDER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The name of such a reminder. The steps taken keep the latest, with its moment.
pub(crate) const STILL_PAUSED: &str = "still-paused";

impl Clocks {
    /// When something is to be done next about the open ones: never while another
    /// case stands for theirs. Their time runs on, so that an unmerged case has what
    /// it would have had; what it missed meanwhile is like a downtime.
    pub(crate) fn next(&self, case: &Case, policies: &[Policy]) -> Option<Timestamp> {
        if case.merged.is_some() { None } else { self.upcoming(policies) }
    }

    /// The same, whether or not another case stands for theirs.
    pub(crate) fn upcoming(&self, policies: &[Policy]) -> Option<Timestamp> {
        self.0.iter().filter_map(|clock| clock.next(policies)).min()
    }

    /// Does what is due by now, to the clocks and to their case; nothing while
    /// another stands for it.
    pub(crate) fn fire(&mut self, case: &mut Case, policies: &[Policy], at: &Occasion<'_>) {
        if case.merged.is_some() {
            return;
        }
        for clock in self.0.iter_mut().filter(|clock| clock.clock.is_open()) {
            clock.resume_by_itself(case, at);
            clock.remind_of_pause(case, at);
            clock.climb(case, policies, at);
        }
        self.start_unacknowledged(case, policies);
        self.date(case);
    }

    /// What counts from the acknowledgement counts from when that was due, where it did
    /// not come: a duty that was broken takes nothing from the next.
    fn start_unacknowledged(&mut self, case: &Case, policies: &[Policy]) {
        let late = case.journal.iter().find_map(|noted| {
            if let Fact::Timing(Timing::Breached { kind: Kind::Acknowledge, due, .. }) = noted.fact {
                Some(due)
            } else {
                None
            }
        });
        if let (Some(due), Some(policy)) = (late, self.policy(case, policies)) {
            self.start(case, policy, Starts::Acknowledgement, due, |_| true);
        }
    }
}

impl CaseClock {
    fn is_done(&self, rung: &str) -> bool {
        self.rungs.iter().any(|done| done == rung)
    }

    fn done(&mut self, rung: &str) {
        self.rungs.push(rung.to_owned());
        self.changed = true;
    }

    fn next(&self, policies: &[Policy]) -> Option<Timestamp> {
        if !self.clock.is_open() {
            return None;
        }
        let breach = self.due().filter(|_| !self.is_done(BREACH));
        let ladder = policy_of(policies, self.policy).and_then(|policy| policy.ladder(self.clock.kind));
        let rung = ladder.and_then(|ladder| {
            ladder.next(&self.clock, &self.calendar, Timestamp::MIN, |rung| self.is_done(rung))
        });
        let reminder = self.next_pause_reminder();
        [self.clock.resumes_at(), breach, rung.map(|step| step.at), reminder].into_iter().flatten().min()
    }

    /// When somebody is next to be reminded that it stands still without a cap.
    fn next_pause_reminder(&self) -> Option<Timestamp> {
        let State::Paused { since, .. } = self.clock.state else { return None };
        if self.clock.resumes_at().is_some() {
            return None;
        }
        let reminded = |rung: &String| rung.strip_prefix(STILL_PAUSED)?.trim_start().parse().ok();
        let last = self.rungs.iter().find_map(reminded).map_or(since, |last: Timestamp| last.max(since));
        last.checked_add(PAUSE_REMINDER).ok()
    }

    /// Reminds of a pause without a cap; after a downtime once, not once for each week.
    fn remind_of_pause(&mut self, case: &mut Case, at: &Occasion<'_>) {
        let mut newest = None;
        while let Some(next) = self.next_pause_reminder().filter(|next| *next <= at.now) {
            self.rungs.retain(|rung| !rung.starts_with(STILL_PAUSED));
            self.done(&format!("{STILL_PAUSED} {next}"));
            newest = Some(next);
        }
        if newest.is_some() {
            case.note(
                at,
                Fact::Timing(Timing::Reminded {
                    kind: self.clock.kind,
                    rung: STILL_PAUSED.to_owned(),
                    due: None,
                }),
            );
        }
    }

    /// It has stood still for as long as its policy allows.
    fn resume_by_itself(&mut self, case: &mut Case, at: &Occasion<'_>) {
        if self.clock.resumes_at().is_some_and(|time| time <= at.now) && self.clock.resume(at.now).is_ok() {
            self.changed = true;
            case.note(
                at,
                Fact::Timing(Timing::Resumed {
                    kind: self.clock.kind,
                    reason: "its pause is used up".to_owned(),
                }),
            );
        }
    }

    fn climb(&mut self, case: &mut Case, policies: &[Policy], at: &Occasion<'_>) {
        let kind = self.clock.kind;
        let ladder = policy_of(policies, self.policy).and_then(|policy| policy.ladder(kind));
        let missed = ladder.map_or_else(Default::default, |ladder| {
            ladder.missed(&self.clock, &self.calendar, at.now, |rung| self.is_done(rung))
        });
        let breach = self.due().filter(|due| *due <= at.now && !self.is_done(BREACH));
        // A breach nobody has told of is newer than whatever lies before it.
        let (run, late): (Vec<_>, Vec<_>) =
            missed.run.into_iter().partition(|step| breach.is_none_or(|due| due <= step.at));
        for Step { rung, .. } in missed.log.into_iter().chain(late) {
            self.done(&rung.name);
            case.note(at, Fact::Timing(Timing::RungMissed { kind, rung: rung.name.clone() }));
        }
        if let Some(due) = breach {
            self.done(BREACH);
            let (policy, own_target) = (self.clock.policy.clone(), self.own_target);
            case.note(at, Fact::Timing(Timing::Breached { kind, due, policy, own_target }));
        }
        for Step { rung, .. } in run {
            self.done(&rung.name);
            for action in &rung.actions {
                self.act(case, &rung.name, *action, at);
            }
        }
    }

    fn act(&self, case: &mut Case, rung: &str, action: Action, at: &Occasion<'_>) {
        let (kind, due) = (self.clock.kind, self.due());
        let reason = format!("step {rung} of the promise {}", words(kind));
        match action {
            Action::Remind => {
                case.note(at, Fact::Timing(Timing::Reminded { kind, rung: rung.to_owned(), due }));
            }
            Action::RaisePriority => case.raise_priority_to(case.priority.raised(), reason, at),
            Action::Reassign => case.give_back(reason, at),
            Action::Escalate => case.escalate_to(case.tier + 1, reason, at),
        }
    }
}

impl Case {
    /// It goes before others from now on, unless it does already. What was promised for
    /// the priority it had stays promised: its own delay makes no deadline shorter.
    pub(crate) fn raise_priority_to(&mut self, priority: Priority, reason: String, at: &Occasion<'_>) {
        if priority < self.priority {
            self.priority = priority;
            self.version += 1;
            self.note(at, Fact::Urgency(Urgency::PriorityRaised { priority: self.priority, reason }));
        }
    }

    /// Somebody else should have it; who that is, assignment decides and tells.
    fn give_back(&mut self, reason: String, at: &Occasion<'_>) {
        if !self.agent_id.is_empty() {
            self.note(at, Fact::Urgency(Urgency::Returned { reason }));
        }
    }

    /// It is raised to a level.
    pub(crate) fn escalate_to(&mut self, tier: i32, reason: String, at: &Occasion<'_>) {
        self.tier = tier;
        self.version += 1;
        self.note(at, Fact::Urgency(Urgency::Escalated { tier, reason }));
    }
}

fn policy_of(policies: &[Policy], version: i32) -> Option<&Policy> {
    policies.iter().find(|policy| policy.version == version)
}
