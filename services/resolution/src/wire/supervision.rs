//! Supervision: how the ladder is set, and how it, what was told and how departments stand
//! are shown.

use std::collections::BTreeMap;
use std::time::Duration;

use fault::{Check, Fault};
use proto::redress::resolution::v1;
use proto::timestamp;

use super::departments::queue;
use super::{INVALID_REQUEST, MAX_NAME};
use crate::department::Queue;
use crate::supervision::{
    DepartmentBacklog, MAX_AFTER, MAX_RUNGS, Rung, Step, Supervision, SupervisionLevel, Supervisors,
};

/// Most departments somebody is named for.
const MAX_DEPARTMENTS: usize = 1_000;

/// The ladder that is set, and the version the caller has seen.
pub(crate) fn setting(request: v1::SetSupervisionRequest) -> Result<(Supervision, Option<i64>), Fault> {
    let v1::SetSupervisionRequest { request_id, expected_version, rungs, departments } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let rungs = read_rungs(&mut check, rungs);
    let departments = read_departments(&mut check, departments);
    check.done("INVALID_SUPERVISION")?;
    Ok((Supervision { rungs, departments }, expected_version))
}

fn read_rungs(check: &mut Check, rungs: Vec<v1::SupervisionRung>) -> Vec<Rung> {
    let mut read: Vec<Rung> = Vec::new();
    for (index, rung) in check.list("rungs", rungs, MAX_RUNGS).into_iter().enumerate() {
        let v1::SupervisionRung { level, after_duration } = rung;
        let level = SupervisionLevel::of(level);
        check.ensure(level.is_some(), &format!("rungs[{index}].level"), "is required, and must be known");
        let field = format!("rungs[{index}].after_duration");
        let after = after_duration.as_ref().and_then(proto::duration);
        let fits = |after: &Duration| *after <= MAX_AFTER && after.subsec_nanos() == 0;
        let Some(after) = after.filter(fits) else {
            check.fail(&field, "must be whole seconds, 0 to 365 days");
            continue;
        };
        let rises = read.last().is_none_or(|before| before.after < after);
        check.ensure(rises, &field, "must be more than that of the rung before");
        read.extend(level.map(|level| Rung { level, after }));
    }
    read
}

fn read_departments(
    check: &mut Check,
    departments: Vec<v1::DepartmentSupervisors>,
) -> BTreeMap<String, Supervisors> {
    let mut read = BTreeMap::new();
    for (index, named) in check.list("departments", departments, MAX_DEPARTMENTS).into_iter().enumerate() {
        let v1::DepartmentSupervisors { department_id, supervisor_id, head_id } = named;
        let field = |name: &str| format!("departments[{index}].{name}");
        let department_id = check.slug(&field("department_id"), department_id);
        let supervisor = check.text(&field("supervisor_id"), supervisor_id, MAX_NAME);
        let head = check.text(&field("head_id"), head_id, MAX_NAME);
        let twice = read.insert(department_id, Supervisors { supervisor, head }).is_some();
        check.ensure(!twice, &field("department_id"), "is there twice");
    }
    read
}

pub(crate) fn reading(request: v1::GetDepartmentBoardRequest) -> Result<String, Fault> {
    let v1::GetDepartmentBoardRequest { department_id } = request;
    let mut check = Check::new();
    let department_id = check.slug("department_id", department_id);
    check.done(INVALID_REQUEST)?;
    Ok(department_id)
}

/// A ladder as it is shown.
pub(crate) fn supervision(version: i64, supervision: &Supervision) -> v1::Supervision {
    let rung = |rung: &Rung| v1::SupervisionRung {
        level: i32::from(rung.level.number()),
        after_duration: prost_types::Duration::try_from(rung.after).ok(),
    };
    let named = |(department_id, named): (&String, &Supervisors)| v1::DepartmentSupervisors {
        department_id: department_id.clone(),
        supervisor_id: named.supervisor.clone(),
        head_id: named.head.clone(),
    };
    v1::Supervision {
        version,
        rungs: supervision.rungs.iter().map(rung).collect(),
        departments: supervision.departments.iter().map(named).collect(),
    }
}

/// A rung that was climbed, as it is shown.
pub(crate) fn step(step: &Step) -> v1::SupervisionStep {
    v1::SupervisionStep {
        level: i32::from(step.level.number()),
        recipient: step.recipient.clone(),
        rung: i32::from(step.rung),
        due_time: Some(timestamp(step.due_time)),
        step_time: Some(timestamp(step.told_at)),
        skipped: step.skipped,
    }
}

/// How a department stands, as it is shown.
pub(crate) fn board(
    waiting: &Queue,
    standing: &DepartmentBacklog,
    supervision: &Supervision,
) -> v1::DepartmentBoard {
    let count = |(level, count): (Option<SupervisionLevel>, i32)| v1::SupervisionCount {
        level: level.map_or(0, |level| i32::from(level.number())),
        count,
    };
    v1::DepartmentBoard {
        queue: Some(queue(waiting)),
        overdue: standing.overdue.iter().map(|(_, count)| count).sum(),
        supervision_counts: supervision.by_level(&standing.overdue).into_iter().map(count).collect(),
        oldest_create_time: standing.oldest.map(timestamp),
        least_due_time: standing.least_due.map(timestamp),
        looping: standing.looping,
        not_undone: standing.not_undone,
    }
}
