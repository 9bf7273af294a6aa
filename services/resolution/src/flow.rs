//! What takes several statements: `progress` carries plans on, `approval_policies` knows
//! what plans are judged by, `departments` knows those that there are, `department_watch`
//! notices which of them nobody works for.

pub(crate) mod approval_policies;
pub(crate) mod department_watch;
pub(crate) mod departments;
pub(crate) mod progress;
