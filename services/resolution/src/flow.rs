//! What takes several statements: `progress` carries plans on, `reports` takes what
//! departments say of tasks, `dispatch` brings tasks to departments that cannot poll,
//! `departments` knows those that there are, `department_watch` notices which of them nobody
//! works for.

pub(crate) mod department_watch;
pub(crate) mod departments;
pub(crate) mod dispatch;
pub(crate) mod progress;
pub(crate) mod reports;
