//! Where files of complaints are put into.

use std::path::PathBuf;

use clap::Args;

/// Where partners and authorities put files of complaints into (intake).
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Services")]
pub struct DropSettings {
    /// Folder below which file drops lie (`redress file-drop`), each tenant's in a folder of its
    /// name (intake); all replicas see the same one
    #[arg(long = "drop-folder", env = "REDRESS_DROP_FOLDER")]
    pub folder: Option<PathBuf>,
    /// Bucket in which file drops lie (intake), as `s3://bucket/prefix`, each tenant's below its
    /// name; it is used with the same `AWS_*` as that of attachments
    #[arg(long = "drop-bucket", env = "REDRESS_DROP_BUCKET")]
    pub bucket: Option<String>,
}
