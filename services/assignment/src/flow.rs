//! What takes several statements: `allocation` gives waiting cases to agents, `acceptance`
//! passes on what is not accepted in time, `presence` and `leaving` follow agents who are
//! absent or go, `waiting` drains a department's queue, `telling` emits what happened,
//! `retention` says what is forgotten.

pub(crate) mod acceptance;
pub(crate) mod allocation;
pub(crate) mod leaving;
pub(crate) mod presence;
pub(crate) mod retention;
pub(crate) mod telling;
pub(crate) mod waiting;
