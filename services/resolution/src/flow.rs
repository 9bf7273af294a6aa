//! What takes several statements: `progress` carries plans on, `departments` knows those
//! that there are, `department_watch` notices which of them nobody works for, and `supervision` tells of what
//! they have overdue.

pub(crate) mod department_watch;
pub(crate) mod departments;
pub(crate) mod progress;
pub(crate) mod supervision;
