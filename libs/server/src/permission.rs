//! What a caller may do: which rpcs their roles call, as the contracts say, and
//! whose tasks a department's worker may touch.

use fault::{Fault, Kind};
use kernel::role::RoleSet;
use kernel::{Caller, Role};

use crate::contracts::Method;

/// Refuses a call that no role of its caller makes.
pub(crate) fn authorize(method: &Method, caller: Option<&Caller>) -> Result<(), Fault> {
    match caller {
        Some(caller) if caller.roles.held().meets(method.callers) => Ok(()),
        _ => Err(role_required(&method.name, &names(method.callers))),
    }
}

/// Refuses a caller who may not carry out the tasks of a department.
///
/// # Errors
///
/// Fails if the caller is bound to another department, or may carry out no tasks.
pub fn serving(caller: &Caller, department: &str) -> Result<(), Fault> {
    if caller.roles.serve(department) { Ok(()) } else { Err(of_another_department(department)) }
}

/// Refuses a caller who may not see the tasks of a department: neither a reader nor
/// one who carries them out.
///
/// # Errors
///
/// Fails as [`serving`] does, unless the caller may read.
pub fn seeing(caller: &Caller, department: &str) -> Result<(), Fault> {
    if caller.roles.may_act_as(Role::Reader) { Ok(()) } else { serving(caller, department) }
}

/// Refuses a caller who may not see the tasks of every department.
///
/// # Errors
///
/// Fails if the caller may not read and is bound to one department.
pub fn seeing_all(caller: &Caller) -> Result<(), Fault> {
    if caller.roles.may_act_as(Role::Reader) || caller.roles.bound_to().is_none() {
        return Ok(());
    }
    let roles = Role::Reader.or_more().with(Role::DepartmentWorker);
    Err(role_required("the tasks of all departments", &names(roles)))
}

/// Refuses a caller who may not do what a role may, where that is needed beside the
/// right to call; `what` says for what.
///
/// # Errors
///
/// Fails if none of the caller's roles includes this one; the sentence says which would do.
pub fn bearing(caller: &Caller, role: Role, what: &str) -> Result<(), Fault> {
    if caller.roles.may_act_as(role) { Ok(()) } else { Err(role_required(what, &names(role.or_more()))) }
}

fn of_another_department(department: &str) -> Fault {
    let role = Role::DepartmentWorker;
    role_required(&format!("the tasks of {department}"), &format!("{role}:{department},{role}"))
}

/// The refusal, with the roles that would do.
fn role_required(what: &str, roles: &str) -> Fault {
    let sentence = format!("{what}: for callers with one of these roles only: {roles}");
    Fault::new(Kind::Forbidden, "ROLE_REQUIRED", sentence).with("roles", roles)
}

/// Their names. That of the suite's own services is not one to be asked for.
fn names(roles: RoleSet) -> String {
    let names: Vec<_> = roles.iter().filter(|role| *role != Role::Platform).map(Role::name).collect();
    names.join(",")
}

#[cfg(test)]
mod tests {
    use kernel::{Roles, TenantId};

    use super::*;
    use crate::contracts::method;

    fn caller(roles: &str) -> Caller {
        let roles = Roles::read(roles.split_whitespace());
        Caller { tenant: TenantId::development(), subject: "ann".into(), roles }
    }

    fn may(roles: &str, rpc: &str) -> Result<(), String> {
        let method = method(&format!("/redress.{rpc}")).expect("an rpc of ours");
        authorize(method, Some(&caller(roles))).map_err(|fault| format!("{fault}"))
    }

    #[test]
    fn each_role_makes_the_calls_it_is_for() {
        let submit = "intake.v1.IntakeService/SubmitComplaint";
        let get = "cases.v1.CaseService/GetCase";
        let decide = "cases.v1.CaseService/DecideCase";
        let approve = "resolution.v1.ResolutionService/ApprovePlan";
        let complete = "resolution.v1.ResolutionService/CompleteTask";
        let activate = "cases.v1.PolicyService/ActivatePolicy";
        let all = [submit, get, decide, approve, complete, activate];
        for (roles, made) in [
            ("", &[][..]),
            ("manager", &[]),
            ("channel", &[submit]),
            ("reader", &[get]),
            ("agent", &[get, decide]),
            ("supervisor", &[get, decide, approve]),
            ("department-worker", &[complete]),
            ("department-worker:finance", &[complete]),
            ("admin", &[activate]),
            ("channel agent", &[submit, get, decide]),
            ("platform", &all),
        ] {
            let makes: Vec<_> = all.into_iter().filter(|rpc| may(roles, rpc).is_ok()).collect();
            assert_eq!(makes, made, "{roles}");
        }
    }

    #[test]
    fn a_refusal_names_the_roles_that_would_do() {
        let refused = may("channel", "cases.v1.CaseService/GetCase").unwrap_err();
        assert_eq!(
            refused,
            "ROLE_REQUIRED: GetCase: for callers with one of these roles only: reader,agent,supervisor"
        );
        assert!(authorize(method("/redress.cases.v1.CaseService/GetCase").expect("ours"), None).is_err());
    }

    #[test]
    fn tasks_are_their_departments() {
        let worker = caller("department-worker:finance");
        assert!(serving(&worker, "finance").is_ok() && seeing(&worker, "finance").is_ok());
        let refused = serving(&worker, "warehouse").unwrap_err();
        assert_eq!((refused.kind(), refused.reason()), (Kind::Forbidden, "ROLE_REQUIRED"));
        assert!(refused.message().ends_with("department-worker:warehouse,department-worker"));
        assert!(seeing(&worker, "warehouse").is_err() && seeing_all(&worker).is_err());
        let reader = caller("reader department-worker:finance");
        assert!(seeing(&reader, "warehouse").is_ok() && seeing_all(&reader).is_ok());
        assert!(serving(&reader, "warehouse").is_err());
        assert!(seeing_all(&caller("department-worker")).is_ok());
    }
}
