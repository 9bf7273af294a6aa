//! What takes several statements: `deliver` sends notices by mail, and settles them;
//! `bounces` takes in what comes back of them;
//! `posting` puts notices on their way, `told` is what follows once an outcome was told,
//! `progress` has news of cases that are still open, `follow_up` calls complainants back;
//! `reports` makes reports, `returns` those to regulators; `process` lists what has
//! happened to cases; `problem_tasks` asks departments about problems; `event_push` posts events to those who cannot read feeds; `quality` draws closed cases to be reviewed, as `sampling` says.

pub(crate) mod after_outcome;
pub(crate) mod bounces;
pub(crate) mod deliver;
pub(crate) mod event_push;
pub(crate) mod facts;
pub(crate) mod figures;
pub(crate) mod follow_up;
pub(crate) mod improvement;
pub(crate) mod posting;
pub(crate) mod problem_tasks;
pub(crate) mod process;
pub(crate) mod progress;
pub(crate) mod quality;
pub(crate) mod rebuild;
pub(crate) mod reports;
pub(crate) mod returns;
pub(crate) mod sampling;
pub(crate) mod signals;
