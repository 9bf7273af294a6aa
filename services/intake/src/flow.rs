//! What takes several statements: `submission_queue` writes what arrives together,
//! `forms` keeps ready those in use.

pub(crate) mod forms;
pub(crate) mod submission_queue;
