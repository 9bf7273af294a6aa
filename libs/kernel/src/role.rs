//! Roles: what a caller is here for, as the contracts number them, and what one who
//! bears several may do.

use std::fmt;
use std::sync::Arc;

/// Between a role and what it is bound to: `department-worker:finance`.
const BOUND_TO: char = ':';

crate::numbered! {
    /// What a caller is here for.
    Role {
        /// Where complaints come from and complainants are told.
        Channel = 1,
        /// Sees everything of the tenant.
        Reader = 2,
        /// Works cases.
        Agent = 3,
        /// Answers for the work of agents.
        Supervisor = 4,
        /// Carries out the tasks of departments.
        DepartmentWorker = 5,
        /// Decides the tenant's settings.
        Admin = 6,
        /// The suite's own services; sees every tenant's events.
        Platform = 7,
    }
}

impl Role {
    /// As identities name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Reader => "reader",
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::DepartmentWorker => "department-worker",
            Self::Admin => "admin",
            Self::Platform => "platform",
        }
    }

    /// The role of this name; none if it is somebody else's.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }

    /// Whoever may do what this role may: those who bear it, or one that is more.
    pub const fn or_more(self) -> RoleSet {
        let itself = RoleSet::NONE.with(self).with(Self::Platform);
        match self {
            Self::Reader => itself.with(Self::Agent).with(Self::Supervisor),
            Self::Agent => itself.with(Self::Supervisor),
            _ => itself,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Some roles; a bit each, so that asking for one costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleSet(u8);

impl RoleSet {
    /// No role.
    pub const NONE: Self = Self(0);

    /// These and one more.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | 1 << role.number())
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, those: Self) -> Self {
        Self(self.0 | those.0)
    }

    /// Whether any of these is among those.
    pub const fn meets(self, those: Self) -> bool {
        self.0 & those.0 != 0
    }

    /// Whether a role is among them.
    pub const fn has(self, role: Role) -> bool {
        self.meets(Self::NONE.with(role))
    }

    /// Each of them, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |role| self.has(*role))
    }
}

/// What a caller bears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    held: RoleSet,
    /// The departments a worker is bound to; none when it works for every one.
    departments: Option<Arc<[String]>>,
}

impl Roles {
    /// Reads what an identity says. Names that are none of ours are somebody else's.
    pub fn read<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut held = RoleSet::NONE;
        let mut departments = Vec::new();
        for name in names {
            match name.split_once(BOUND_TO) {
                Some((role, department)) if role == Role::DepartmentWorker.name() => {
                    departments.push(department.to_owned());
                }
                _ => held = Role::named(name).map_or(held, |role| held.with(role)),
            }
        }
        if departments.is_empty() || held.meets(Role::DepartmentWorker.or_more()) {
            return Self { held, departments: None };
        }
        Self { held: held.with(Role::DepartmentWorker), departments: Some(departments.into()) }
    }

    /// One role.
    pub fn one(role: Role) -> Self {
        Self { held: RoleSet::NONE.with(role), departments: None }
    }

    /// The roles, whatever they are bound to.
    pub fn held(&self) -> RoleSet {
        self.held
    }

    /// Whether they may do what a role may.
    pub fn may_act_as(&self, role: Role) -> bool {
        self.held.meets(role.or_more())
    }

    /// The only departments whose tasks they carry out; none where they are bound to
    /// none.
    pub fn bound_to(&self) -> Option<&[String]> {
        self.departments.as_deref()
    }

    /// Whether they carry out the tasks of a department.
    pub fn serve(&self, department: &str) -> bool {
        self.may_act_as(Role::DepartmentWorker)
            && self.bound_to().is_none_or(|bound| bound.iter().any(|one| one == department))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &str) -> Roles {
        Roles::read(names.split_whitespace())
    }

    #[test]
    fn every_role_is_found_by_its_name() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(*role));
            assert_eq!(read(role.name()), Roles::one(*role));
        }
        assert_eq!(Role::named("Agent"), None);
    }

    #[test]
    fn wider_roles_may_what_narrower_ones_may() {
        let may = |names: &str| {
            let roles = read(names);
            Role::ALL
                .iter()
                .filter(|role| roles.may_act_as(**role))
                .map(|role| role.name())
                .collect::<Vec<_>>()
        };
        assert_eq!(may("reader"), ["reader"]);
        assert_eq!(may("agent"), ["reader", "agent"]);
        assert_eq!(may("supervisor"), ["reader", "agent", "supervisor"]);
        assert_eq!(may("admin channel"), ["channel", "admin"]);
        assert_eq!(may("department-worker:finance"), ["department-worker"]);
        assert_eq!(may("platform").len(), Role::ALL.len());
    }

    #[test]
    fn names_of_others_mean_nothing() {
        for names in ["", "manager", "AGENT", "agent:finance", ":", "department-workers", "platform:x"] {
            assert_eq!(read(names), Roles::default(), "{names:?}");
        }
        assert_eq!(read("offline_access agent uma_authorization"), Roles::one(Role::Agent));
    }

    #[test]
    fn a_worker_serves_the_departments_it_is_bound_to() {
        let both = "department-worker:finance department-worker:it";
        for (names, served, refused) in [
            ("department-worker", "finance warehouse", ""),
            ("department-worker:finance", "finance", "warehouse financ finance2"),
            (both, "finance it", "warehouse"),
            ("department-worker:", "", "finance"),
            ("department-worker:finance department-worker", "warehouse", ""),
            ("department-worker:finance platform", "warehouse", ""),
            ("department-worker:finance supervisor", "finance", "warehouse"),
            ("supervisor", "", "finance warehouse"),
        ] {
            let roles = read(names);
            assert!(served.split_whitespace().all(|department| roles.serve(department)), "{names}");
            assert!(!refused.split_whitespace().any(|department| roles.serve(department)), "{names}");
        }
    }
}
