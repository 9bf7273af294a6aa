//! Who there is: departments and the categories they take, agents, the room they have,
//! what they can do and when they work.

mod shift;

use jiff::Timestamp;
use kernel::person;

pub use shift::{CalendarVersion, Calendars, DAY_MINUTES, Hours, Shift, Stint};

/// What people say about a department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepartmentProfile {
    /// Name chosen by people, e.g. `finance`.
    pub id: String,
    /// Name for people.
    pub display_name: String,
    /// Path prefixes of the categories it takes; [`ANYTHING`] takes what nobody
    /// else does.
    pub categories: Vec<String>,
}

/// The category prefix of a department that takes what nobody else does.
pub const ANYTHING: &str = "*";

/// A department as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// What people say about it.
    pub profile: DepartmentProfile,
    /// Counts the changes.
    pub version: i64,
}

/// What people say about an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentProfile {
    /// The subject they sign in as.
    pub id: String,
    /// Where they work.
    pub department: String,
    /// Name for people.
    pub display_name: String,
    /// Most cases they hold at once.
    pub capacity: i32,
    /// Whether routing gives them cases. One who is not available may still claim
    /// the next case, or be named by a person: that is how departments work that
    /// pull instead of being pushed.
    pub available: bool,
    /// What routing goes by beyond room.
    pub routing: AgentRouting,
}

/// What routing goes by beyond an agent's room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentRouting {
    /// The team within the department; empty for none.
    pub team: String,
    /// What they can do.
    pub skills: Vec<Skill>,
    /// Languages they answer in.
    pub languages: Vec<String>,
    /// Regions they know.
    pub regions: Vec<String>,
    /// When they work; none for always.
    pub shift: Option<Shift>,
    /// The agent above them.
    pub supervisor: Option<String>,
    /// Customers whose cases they must not handle.
    pub conflict_customers: Vec<String>,
    /// People whose matter they must not handle, by subject or name.
    pub conflict_subjects: Vec<String>,
}

/// What an agent can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// A category, or the beginning of one by whole segments.
    pub name: String,
    /// How well, 1 to 5.
    pub level: i32,
}

/// Whether routing gives an agent cases just now, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It does.
    Present,
    /// They are marked as not available.
    Away,
    /// Their shift is not on.
    OffShift,
    /// They are absent for a time.
    Absent,
    /// They leave.
    Leaving,
}

/// An agent as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// What people say about them.
    pub profile: AgentProfile,
    /// Counts the changes of the profile.
    pub version: i64,
    /// Cases they hold.
    pub load: i32,
    /// When they were last given a case, as a count within their department; 0 is
    /// never. A count, not a time, so that a batch is decided as one by one.
    pub turn: i64,
    /// Their shift that is on, or the next; none where they work always.
    pub stint: Option<Stint>,
    /// Until when they are absent.
    pub absent_until: Option<Timestamp>,
    /// They leave, and are given nothing any more.
    pub is_leaving: bool,
}

impl Agent {
    /// Someone new, who holds nothing yet.
    pub fn new(profile: AgentProfile) -> Self {
        Self { profile, version: 1, load: 0, turn: 0, stint: None, absent_until: None, is_leaving: false }
    }

    /// The same person with the shift that is on at a moment, or the next.
    #[must_use]
    pub fn on(self, now: Timestamp, calendars: &Calendars) -> Self {
        let shift = self.profile.routing.shift.as_ref();
        let stint = shift.and_then(|shift| shift.stint(now, calendars));
        let absent_until = self.absent_until.filter(|until| *until > now);
        Self { stint, absent_until, ..self }
    }

    /// Whether routing gives them cases at a moment, had they room.
    pub fn presence(&self, now: Timestamp) -> Presence {
        let off_shift =
            self.profile.routing.shift.is_some() && !self.stint.is_some_and(|stint| stint.is_on(now));
        if self.is_leaving {
            Presence::Leaving
        } else if self.absent_until.is_some_and(|until| until > now) {
            Presence::Absent
        } else if !self.profile.available {
            Presence::Away
        } else if off_shift {
            Presence::OffShift
        } else {
            Presence::Present
        }
    }

    /// When their presence changes next by itself.
    pub fn turns(&self, now: Timestamp) -> Option<Timestamp> {
        let shift = self.stint.and_then(|stint| stint.turns(now));
        let back = self.absent_until.filter(|until| *until > now);
        [shift, back].into_iter().flatten().min()
    }

    /// The same person as people now describe them. In another department they
    /// are new, so that its cases reach them first.
    #[must_use]
    pub fn described(self, profile: AgentProfile) -> Self {
        let turn = if profile.department == self.profile.department { self.turn } else { 0 };
        Self { profile, version: self.version + 1, turn, ..self }
    }

    /// Whether a case may be kept from them, or not any more, that was not when they were so.
    pub fn is_barred_otherwise(&self, before: &Self) -> bool {
        let bars = |agent: &Self| {
            let AgentProfile { id: _, department, display_name, capacity, available: _, routing } =
                &agent.profile;
            let conflicts = (routing.conflict_customers.clone(), routing.conflict_subjects.clone());
            (department.clone(), display_name.clone(), *capacity > 0, agent.is_leaving, conflicts)
        };
        bars(self) != bars(before)
    }

    /// Whether they can hold one more case.
    pub fn has_room(&self) -> bool {
        self.load < self.profile.capacity
    }

    /// Whether routing may give them a case at a moment, were it about nobody.
    pub fn takes_cases(&self, now: Timestamp) -> bool {
        self.has_room() && self.presence(now) == Presence::Present
    }

    /// How well they can do what a case is about, 0 to 5: by the longest of their skills
    /// that fits.
    pub fn skill_for(&self, category: &str) -> i32 {
        let fits = |skill: &&Skill| {
            category
                .strip_prefix(skill.name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let skills = self.profile.routing.skills.iter().filter(fits);
        skills.max_by_key(|skill| (skill.name.len(), skill.level)).map_or(0, |skill| skill.level)
    }

    /// Whether they answer in a language: as they speak it, or its kind of which it is one.
    pub fn speaks(&self, language: &str) -> bool {
        self.profile.routing.languages.iter().any(|spoken| {
            let (head, rest) = language.split_at_checked(spoken.len()).unwrap_or((language, ""));
            head.eq_ignore_ascii_case(spoken) && (rest.is_empty() || rest.starts_with('-'))
        })
    }

    /// Whether they know a region.
    pub fn knows_region(&self, region: &str) -> bool {
        self.profile.routing.regions.iter().any(|known| person::is_same(known, region))
    }

    /// Whether they declared that they must not handle a case of this customer or about
    /// this person.
    pub fn is_in_conflict(&self, customer: &str, respondent: &str) -> bool {
        let AgentRouting { conflict_customers, conflict_subjects, .. } = &self.profile.routing;
        let of_customer = !customer.is_empty() && conflict_customers.iter().any(|one| one == customer);
        of_customer || conflict_subjects.iter().any(|one| person::is_same(one, respondent))
    }

    /// Whether they are whom a case is about: named by id or by name, whatever
    /// the letter case. Names are written by complainants; rather one agent too
    /// many is kept away than one too few.
    pub fn is_recused(&self, respondent: &str) -> bool {
        person::is_same(respondent, &self.profile.id)
            || person::is_same(respondent, &self.profile.display_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Agent {
        Agent::new(AgentProfile {
            id: "ann.lee".to_owned(),
            department: "delivery".to_owned(),
            display_name: "Ann Lee".to_owned(),
            capacity: 1,
            available: true,
            routing: AgentRouting::default(),
        })
    }

    fn routed(routing: AgentRouting) -> Agent {
        Agent { profile: AgentProfile { routing, ..ann().profile }, ..ann() }
    }

    #[test]
    fn the_longest_skill_that_fits_counts() {
        let skill = |name: &str, level| Skill { name: name.to_owned(), level };
        let skills = vec![skill("delivery", 5), skill("delivery/damaged", 2), skill("refund", 4)];
        let able = routed(AgentRouting { skills, ..AgentRouting::default() });
        let levels = ["delivery/late", "delivery/damaged/glass", "delivery/damagedish", "refund", "", "x"]
            .map(|category| able.skill_for(category));
        assert_eq!(levels, [5, 2, 5, 4, 0, 0]);
    }

    #[test]
    fn a_language_is_spoken_with_its_kinds() {
        let languages = vec!["zh".to_owned(), "en-GB".to_owned()];
        let able = routed(AgentRouting { languages, ..AgentRouting::default() });
        let spoken = ["zh", "zh-CN", "ZH-hant", "zhx", "en", "en-gb", "é", ""].map(|one| able.speaks(one));
        assert_eq!(spoken, [true, true, true, false, false, true, false, false]);
    }

    #[test]
    fn a_declared_conflict_is_of_a_customer_or_of_a_person() {
        let wary = routed(AgentRouting {
            conflict_customers: vec!["C-1".to_owned()],
            conflict_subjects: vec!["Bo Ek".to_owned()],
            ..AgentRouting::default()
        });
        assert!(wary.is_in_conflict("C-1", "") && wary.is_in_conflict("", " bo  EK"));
        assert!(!wary.is_in_conflict("", "") && !wary.is_in_conflict("c-1", "bo"));
    }

    #[test]
    fn presence_names_the_first_thing_in_the_way() {
        let now = Timestamp::UNIX_EPOCH;
        let later = now + jiff::SignedDuration::from_hours(1);
        assert_eq!(ann().presence(now), Presence::Present);
        let hours = vec![Hours { weekday: 1, from: 0, until: 60 }]; // the epoch is a Thursday
        let shift = Some(Shift { calendar: "always".to_owned(), hours });
        let off = routed(AgentRouting { shift, ..AgentRouting::default() }).on(now, &Calendars::default());
        assert_eq!(off.presence(now), Presence::OffShift);
        assert_eq!(off.turns(now), off.stint.map(|stint| stint.from));
        let mut away = off;
        away.profile.available = false;
        assert_eq!(away.presence(now), Presence::Away);
        let absent = Agent { absent_until: Some(later), ..away };
        assert_eq!((absent.presence(now), absent.turns(now)), (Presence::Absent, Some(later)));
        assert_eq!(absent.clone().on(later, &Calendars::default()).absent_until, None);
        assert_eq!(Agent { is_leaving: true, ..absent }.presence(now), Presence::Leaving);
    }

    #[test]
    fn whom_a_case_is_about_is_known_by_id_and_by_name() {
        assert!(ann().is_recused("ann.lee"));
        assert!(ann().is_recused(" ANN lee "));
        assert!(!ann().is_recused("ann"));
        assert!(!ann().is_recused(""));
        let nameless = Agent { profile: AgentProfile { display_name: " ".into(), ..ann().profile }, ..ann() };
        assert!(!nameless.is_recused("  "));
    }

    #[test]
    fn a_lowered_capacity_leaves_no_room() {
        let full = Agent { load: 3, ..ann() };
        assert!(!full.has_room());
        assert!(ann().takes_cases(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn a_change_of_department_makes_them_new_there() {
        let veteran = Agent { turn: 9, ..ann() };
        let renamed = AgentProfile { display_name: "A. Lee".into(), ..ann().profile };
        assert_eq!(veteran.clone().described(renamed).turn, 9);
        let moved = AgentProfile { department: "finance".into(), ..ann().profile };
        let moved = veteran.described(moved);
        assert_eq!((moved.turn, moved.version), (0, 2));
    }
}
