//! What takes several statements: `progress` carries plans on, `reports` takes what
//! departments say of tasks, `dispatch` brings tasks to departments that cannot poll,
//! `approval_policies` knows what plans are judged by, `investigations` ends what departments
//! are asked on cases that end, `departments` knows those that there are, `department_watch`
//! notices which of them nobody works for, `restock` hands out again what waited for goods,
//! `stock_alerts` tells of what is short again and again, `remedy_types` has the tenants' own
//! types at hand, and `supervision` of what
//! departments have overdue.

pub(crate) mod approval_policies;
pub(crate) mod department_watch;
pub(crate) mod departments;
pub(crate) mod dispatch;
pub(crate) mod investigations;
pub(crate) mod progress;
pub(crate) mod remedy_types;
pub(crate) mod reports;
pub(crate) mod restock;
pub(crate) mod stock_alerts;
pub(crate) mod supervision;
