//! What takes several statements: the order in which rows are locked, read, handed to the
//! nouns and written. Whatever decides is a noun, whatever is SQL is in `store`; here is
//! what joins them for `rpc`, `react`, the timers and the workers.
//!
//! `opening` opens cases for complaints, `hearing` has them take in what happens elsewhere.
//! `persist` persists and publishes what happened to cases, `clocks` keeps their clocks in
//! step, `window` the timer of the complainant's answer; `merges` reaches the cases that
//! stand for others; `triage_batch` triages by the `rule_sets` and `classifiers` in use;
//! `links` finds what is alike. `directories`, `search_indexer` and `zones` are workers.

pub(crate) mod calendars;
pub(crate) mod classifiers;
pub(crate) mod clocks;
pub(crate) mod directories;
pub(crate) mod hearing;
pub(crate) mod links;
pub(crate) mod merges;
pub(crate) mod opening;
pub(crate) mod persist;
pub(crate) mod reopening;
pub(crate) mod rule_sets;
pub(crate) mod search_indexer;
pub(crate) mod triage_batch;
pub(crate) mod window;
pub(crate) mod zones;
