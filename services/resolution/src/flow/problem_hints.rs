//! Makes tasks of what departments are asked about problems, and tells when one gives up.
//! Both belong to the transaction that has the reason.

use std::collections::{HashMap, HashSet};

use fault::Fault;
use kernel::CaseId;
use pg::Tx;
use uuid::Uuid;

use super::progress::TASKS;
use crate::case::CaseView;
use crate::problem_hint::HintRequest;
use crate::task::Task;
use crate::{store, wire};

/// Asks the departments that there are; tells of those that there are not. What is a task
/// already, because it was told before, stays as it is.
pub(crate) async fn ask(tx: &mut Tx, requests: Vec<HintRequest>) -> Result<(), Fault> {
    let ids: Vec<Uuid> = requests.iter().map(|request| request.of.first_task_id.0).collect();
    let mut made: HashSet<Uuid> = store::tasks::existing(tx, &ids).await?.into_iter().collect();
    let departments: Vec<&str> = requests.iter().map(|request| request.department_id.as_str()).collect();
    let known = store::departments::known(tx, &departments).await?;
    let cases: Vec<Uuid> = requests.iter().map(|request| request.case_id.0).collect();
    let cases = store::cases::read(tx, &cases).await?;
    let cases: HashMap<CaseId, CaseView> = cases.into_iter().map(|case| (case.case_id, case)).collect();
    let (now, mut tasks) = (tx.now(), Vec::new());
    for request in requests {
        if !made.insert(request.of.first_task_id.0) {
            continue;
        }
        if known.contains(&request.department_id) {
            let case = cases.get(&request.case_id);
            tasks.push(request.task(case, now));
        } else {
            let event = wire::problem_hints::refused(&request);
            tx.emit_in(request.traceparent.clone(), request.case_id.0, &event);
        }
    }
    if tasks.is_empty() {
        return Ok(());
    }
    store::tasks::insert(tx, &tasks).await?;
    tx.notify(TASKS);
    Ok(())
}

/// A task needs attention: where it asks about a problem, its department gave up.
pub(crate) fn tell_given_up(tx: &mut Tx, task: &Task) {
    if let Some(of) = task.given_up() {
        let event = wire::problem_hints::given_up(task, of);
        tx.emit_in(task.traceparent.clone(), task.case_id.0, &event);
    }
}
