//! What takes several statements: `submission_queue` writes what arrives together,
//! `forms` keeps ready those in use, `attachments` takes contents in and looks at them.

pub(crate) mod attachments;
pub(crate) mod forms;
pub(crate) mod submission_queue;
