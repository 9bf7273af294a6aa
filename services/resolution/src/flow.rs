//! What takes several statements: `progress` carries plans on, `reports` takes what
//! departments say of tasks, `dispatch` brings tasks to departments that cannot poll,
//! `approval_policies` knows what plans are judged by, `investigations` ends what departments
//! are asked on cases that end, `departments` knows those that there are, `department_watch`
//! notices which of them nobody works for, `problem_hints` asks departments about problems, `restock` hands out again what waited for goods,
//! `stock_alerts` tells of what is short again and again, `recalls` takes back what recalls
//! ask for that are called off, `remedy_types` has the tenants' own types at hand,
//! `supervision` tells of what departments have overdue, `urgency` has tasks follow their
//! cases, `undo` keeps what goes wrong when steps are undone, and `retention` says what is forgotten.

pub(crate) mod approval_policies;
pub(crate) mod department_watch;
pub(crate) mod departments;
pub(crate) mod dispatch;
pub(crate) mod investigations;
pub(crate) mod problem_hints;
pub(crate) mod progress;
pub(crate) mod recalls;
pub(crate) mod remedy_types;
pub(crate) mod reports;
pub(crate) mod restock;
pub(crate) mod retention;
pub(crate) mod stock_alerts;
pub(crate) mod supervision;
pub(crate) mod undo;
pub(crate) mod urgency;
