//! `redress return …`: returns to regulators, and how cases become records of them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use proto::redress::feedback::v1::return_service_client::ReturnServiceClient;
use proto::redress::feedback::v1::{
    CheckReturnRequest, ExportReturnRequest, GetReturnMappingRequest, ReturnFile, ReturnFormat,
    ReturnMapping, ReturnRegime, UpdateReturnMappingRequest,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::connection::{Caller, Connection};
use show::{self, json as read_json, text, words};

/// Longest that a return may take to be checked or to come.
const LONGEST: Duration = Duration::from_hours(6);

#[derive(Args)]
pub(crate) struct Returns {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// How your categories, products and channels become a regulator's codes
    #[command(subcommand)]
    Mapping(Mapping),
    /// Tells what a return lacks, case by case and field by field
    Check(ReturnArgs),
    /// Writes a return, or names what it lacks and writes nothing
    Export {
        #[command(flatten)]
        asked: ReturnArgs,
        /// What it is written as: csv, or of the FCA json
        #[arg(long, default_value = "csv", value_parser = words::read::<ReturnFormat>)]
        format: ReturnFormat,
        /// Where it is written; under its own name in this folder by default
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum Mapping {
    /// Shows a mapping
    Get {
        /// Whose return: cfpb, fca, asic, cn
        #[arg(value_parser = regime)]
        regime: ReturnRegime,
        /// Of which legal entity, where there are several
        #[arg(long, default_value = "")]
        entity: String,
        /// Another version than the latest; 0 for the shipped one
        #[arg(long)]
        version: Option<i64>,
    },
    /// Changes a mapping: `return mapping get … --json`, edited
    Set {
        /// The mapping as JSON; its version is the one that is replaced
        file: PathBuf,
    },
}

#[derive(Args)]
struct ReturnArgs {
    /// Whose return: cfpb, fca, asic, cn
    #[arg(value_parser = regime)]
    regime: ReturnRegime,
    /// Of which legal entity, where there are several
    #[arg(long, default_value = "")]
    entity: String,
    /// The time: `2026-H2`, `2026-Q4`, `2026-11` or `2026`
    #[arg(long, conflicts_with_all = ["from", "until"], required_unless_present_all = ["from", "until"])]
    period: Option<String>,
    /// The first day, as 2026-07-01
    #[arg(long, requires = "until", default_value = "")]
    from: String,
    /// The day after the last
    #[arg(long, alias = "to", requires = "from", default_value = "")]
    until: String,
}

/// Reads a regime by its short name or that of the contract.
fn regime(text: &str) -> Result<ReturnRegime, String> {
    match text.to_lowercase().as_str() {
        "fca" => Ok(ReturnRegime::FcaDisp1Annex1r),
        "asic" => Ok(ReturnRegime::AsicIdr),
        "cn" => Ok(ReturnRegime::CnBank),
        other => words::read(other),
    }
}

/// Reads `2026-H2`, `2026-Q4`, `2026-11` or `2026`: the first day, and that after the last.
fn period(text: &str) -> anyhow::Result<(String, String)> {
    let wrong = || format!("must be as `2026-H2`, `2026-Q4`, `2026-11` or `2026`, unlike {text:?}");
    let (year, part) = match text.split_once('-') {
        Some((year, part)) => (year, Some(part)),
        None => (text, None),
    };
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    if !is_year {
        bail!(wrong());
    }
    let place = |text: &str, most: i32| -> anyhow::Result<i32> {
        text.parse().ok().filter(|place| (1..=most).contains(place)).with_context(wrong)
    };
    let (first, months) = match part.map(|part| (part, part.split_at_checked(1))) {
        None => (1, 12),
        Some((_, Some(("H" | "h", half)))) => (place(half, 2)? * 6 - 5, 6),
        Some((_, Some(("Q" | "q", quarter)))) => (place(quarter, 4)? * 3 - 2, 3),
        Some((month, _)) => (place(month, 12)?, 1),
    };
    let year: i32 = year.parse()?;
    let day = |month: i32| format!("{:04}-{:02}-01", year + (month - 1) / 12, (month - 1) % 12 + 1);
    Ok((day(first), day(first + months)))
}

impl ReturnArgs {
    fn days(&self) -> anyhow::Result<(String, String)> {
        self.period.as_deref().map_or_else(|| Ok((self.from.clone(), self.until.clone())), period)
    }
}

async fn mapping(verb: Mapping, caller: &Caller) -> anyhow::Result<()> {
    let mut returns = ReturnServiceClient::new(caller.client.calls());
    let mapping = match verb {
        Mapping::Get { regime, entity: entity_id, version } => {
            let request = GetReturnMappingRequest { regime: regime.into(), entity_id, version };
            returns.get_return_mapping(request).await?.into_inner().mapping
        }
        Mapping::Set { file } => {
            let read = super::submit::read_text(&file)?;
            let mapping: ReturnMapping =
                read_json::read(&read).with_context(|| format!("{}", file.display()))?;
            // Whoever has changed it since the file was made is noticed.
            let request = UpdateReturnMappingRequest {
                request_id: caller.request_id(),
                expected_version: mapping.version,
                mapping: Some(mapping),
            };
            returns.update_return_mapping(request).await?.into_inner().mapping
        }
    };
    show::answer(caller.json, &mapping.unwrap_or_default(), text::return_mapping)
}

async fn check(asked: ReturnArgs, caller: &Caller) -> anyhow::Result<()> {
    let (start_date, end_date) = asked.days()?;
    let regime = asked.regime.into();
    let request = CheckReturnRequest { regime, entity_id: asked.entity, start_date, end_date };
    let mut returns = ReturnServiceClient::new(caller.client.within(LONGEST).calls());
    let check = returns.check_return(request).await?.into_inner().check.unwrap_or_default();
    show::answer(caller.json, &check, text::return_check)
}

/// Writes a return: under its name only once it is whole.
async fn export(
    asked: ReturnArgs,
    format: ReturnFormat,
    out: Option<PathBuf>,
    caller: &Caller,
) -> anyhow::Result<()> {
    let (start_date, end_date) = asked.days()?;
    let (regime, format) = (asked.regime.into(), format.into());
    let request = ExportReturnRequest { regime, entity_id: asked.entity, start_date, end_date, format };
    let mut returns = ReturnServiceClient::new(caller.client.within(LONGEST).calls());
    let mut parts = returns.export_return(request).await?.into_inner();
    let file = parts.message().await?.and_then(|first| first.file).context("the return has no beginning")?;
    // A name of the server's is a name, and no way to elsewhere.
    let path = out.unwrap_or_else(|| PathBuf::from(file.name.replace(['/', '\\'], "-")));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = || format!("cannot write {}", path.display());
    let mut whole = tempfile::Builder::new().prefix(".return-").tempfile_in(folder).with_context(cannot)?;
    let (mut hash, mut size) = (Sha256::new(), 0_i64);
    while let Some(part) = parts.message().await? {
        hash.update(&part.data);
        size += i64::try_from(part.data.len())?;
        whole.write_all(&part.data).with_context(cannot)?;
    }
    let hash = hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    if (size, &hash) != (file.size_bytes, &file.sha256) {
        bail!("the return is not whole: its length or its SHA-256 differs; ask for it again");
    }
    whole.as_file().sync_all()?;
    whole.persist(&path).with_context(cannot)?;
    Ok(show::say(&if caller.json { as_json(&path, &file) } else { as_text(&path, &file) })?)
}

fn as_json(path: &Path, file: &ReturnFile) -> String {
    json!({
        "file": path.display().to_string(),
        "records": file.record_count,
        "mappingVersion": file.mapping_version,
        "sizeBytes": file.size_bytes,
        "sha256": file.sha256,
    })
    .to_string()
}

fn as_text(path: &Path, file: &ReturnFile) -> String {
    let ReturnFile { record_count, mapping_version, size_bytes, .. } = file;
    format!("{} ({record_count} records by mapping {mapping_version}, {size_bytes} bytes)", path.display())
}

impl Returns {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        match self.verb {
            Verb::Mapping(verb) => mapping(verb, &caller).await,
            Verb::Check(asked) => check(asked, &caller).await,
            Verb::Export { asked, format, out } => export(asked, format, out, &caller).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_and_regimes_are_read_as_people_write_them() {
        let of = |text: &str| period(text).unwrap();
        let days = |first: &str, after: &str| (first.to_owned(), after.to_owned());
        assert_eq!(of("2026-H1"), days("2026-01-01", "2026-07-01"));
        assert_eq!(of("2026-h2"), days("2026-07-01", "2027-01-01"));
        assert_eq!(of("2026-Q4"), days("2026-10-01", "2027-01-01"));
        assert_eq!(of("2026-11"), days("2026-11-01", "2026-12-01"));
        assert_eq!(of("2026-12"), days("2026-12-01", "2027-01-01"));
        assert_eq!(of("2026"), days("2026-01-01", "2027-01-01"));
        for wrong in ["", "26", "2026-H3", "2026-Q0", "2026-13", "2026-", "2026-H", "2026-é", "2026-11-01"] {
            assert!(period(wrong).is_err(), "{wrong}");
        }
        assert_eq!(regime("fca"), Ok(ReturnRegime::FcaDisp1Annex1r));
        assert_eq!(regime("cfpb"), Ok(ReturnRegime::Cfpb));
        assert_eq!(regime("asic-idr"), Ok(ReturnRegime::AsicIdr));
        assert!(regime("mars").is_err());
    }
}
