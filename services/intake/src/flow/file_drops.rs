//! Files that partners and authorities put into drops: `watching` looks for them and notes each
//! that is complete; `taking` takes those that are noted, one of a drop at a time, has their rows
//! registered (`rows`), writes what became of them (`verdicts`) and moves them. `place` is where
//! they lie: a `folder`, or keys of a `bucket`. `trying` tells how a file would be read.
//!
//! A file is noted before anything is done with it. Its rows are registered under keys made of
//! its content, and what became of them is kept with how far it is read, some hundreds at a time:
//! whatever crashes, it is gone on with there, and what was registered and not kept is registered
//! again as what it is. Then come the verdict file and the move, each noted after it was done and
//! doing nothing twice.

pub(crate) mod bucket;
pub(crate) mod folder;
pub(crate) mod place;
pub(crate) mod rows;
pub(crate) mod taking;
pub(crate) mod trying;
pub(crate) mod verdicts;
pub(crate) mod watching;

use std::time::Duration;

use server::Retention;

use crate::store::dropped_files;

/// Topic of those who wait for drops to look into.
pub(crate) const FILE_DROPS: &str = "file_drops";
/// Topic of those who wait for files to take.
pub(crate) const DROPPED_FILES: &str = "dropped_files";

/// The folder of verdict files.
pub(crate) const VERDICTS: &str = "verdicts";

/// Files that are done with.
pub(crate) const ENDED: Retention = Retention {
    name: "dropped_files.forget",
    kept: Duration::from_hours(400 * 24),
    forget: dropped_files::forget,
};
