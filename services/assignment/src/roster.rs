//! Who there is: departments and the categories they take, agents and the room
//! they have.

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
}

impl Agent {
    /// Someone new, who holds nothing yet.
    pub fn new(profile: AgentProfile) -> Self {
        Self { profile, version: 1, load: 0, turn: 0 }
    }

    /// The same person as people now describe them. In another department they
    /// are new, so that its cases reach them first.
    #[must_use]
    pub fn described(self, profile: AgentProfile) -> Self {
        let turn = if profile.department == self.profile.department { self.turn } else { 0 };
        Self { profile, version: self.version + 1, load: self.load, turn }
    }

    /// Whether they can hold one more case.
    pub fn has_room(&self) -> bool {
        self.load < self.profile.capacity
    }

    /// Whether routing may give them a case, were it about nobody.
    pub fn takes_cases(&self) -> bool {
        self.profile.available && self.has_room()
    }

    /// Whether they are whom a case is about: named by id or by name, whatever
    /// the letter case. Names are written by complainants; rather one agent too
    /// many is kept away than one too few.
    pub fn is_recused(&self, respondent: &str) -> bool {
        kernel::person::is_same(respondent, &self.profile.id)
            || kernel::person::is_same(respondent, &self.profile.display_name)
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
        })
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
        assert!(ann().takes_cases());
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
