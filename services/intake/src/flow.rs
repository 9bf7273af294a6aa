//! What takes several statements: `submissions` are checked and go through the
//! `submission_queue`, which writes what arrives together; `additions` follow; `forms` and
//! `ivr_menus` keep ready those in use, `attachments` takes contents in and looks at them,
//! `mailboxes` reads mails, `webhooks` takes posts, both by `registering` what arrived, `file_drops`
//! takes files of complaints.

pub(crate) mod additions;
pub(crate) mod attachments;
pub(crate) mod file_drops;
pub(crate) mod forms;
pub(crate) mod ivr_menus;
pub(crate) mod mailboxes;
pub(crate) mod registering;
pub(crate) mod submission_queue;
pub(crate) mod submissions;
pub(crate) mod webhooks;
