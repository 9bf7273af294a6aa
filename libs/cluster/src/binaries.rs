//! Finds the installed Postgres.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

const DEBIAN: &str = "/usr/lib/postgresql";
/// The oldest release new data may be made by.
const OLDEST: u32 = 15;

/// The folder of `initdb` and `postgres`: the first of a release that will do for new
/// data, for existing data the one of the release that made it.
pub(super) fn find(data: &Path) -> anyhow::Result<PathBuf> {
    let mut places: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    places.extend(debian(Path::new(DEBIAN)));
    places.extend(told_by_pg_config());
    let made_by = fs::read_to_string(data.join("PG_VERSION")).ok();
    choose(places, made_by.as_deref().map(str::trim))
}

fn choose(places: Vec<PathBuf>, made_by: Option<&str>) -> anyhow::Result<PathBuf> {
    let mut installed = places
        .into_iter()
        .filter(|place| ["initdb", "postgres"].iter().all(|name| place.join(name).is_file()));
    let Some(release) = made_by else {
        return installed.find(|place| release_of(place).is_some_and(|release| will_do(&release))).with_context(|| {
            format!(
                "PostgreSQL {OLDEST} or newer is not installed: no such initdb and postgres in PATH, \
                 /usr/lib/postgresql/*/bin or where pg_config points. Install the package postgresql (Debian, \
                 Ubuntu: apt-get install postgresql), or set DATABASE_URL to a server that runs elsewhere"
            )
        });
    };
    match installed.find(|place| release_of(place).as_deref() == Some(release)) {
        Some(place) => Ok(place),
        None => bail!(
            "the data was made by PostgreSQL {release}, which is not installed: install the package \
             postgresql-{release}"
        ),
    }
}

fn will_do(release: &str) -> bool {
    release.parse().is_ok_and(|release: u32| release >= OLDEST)
}

/// Debian keeps a folder per release.
fn debian(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut releases: Vec<u32> =
        entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok())).collect();
    releases.sort_unstable_by(|a, b| b.cmp(a));
    releases.into_iter().map(|release| root.join(release.to_string()).join("bin")).collect()
}

fn told_by_pg_config() -> Option<PathBuf> {
    output("pg_config".as_ref(), "--bindir").map(PathBuf::from)
}

/// `postgres (PostgreSQL) 15.14 (Debian …)` is release 15.
fn release_of(place: &Path) -> Option<String> {
    let version = output(place.join("postgres").as_os_str(), "--version")?;
    let number =
        version.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let release = number.split(|c: char| !c.is_ascii_digit()).next()?;
    Some(release.to_owned())
}

fn output(program: &OsStr, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_missing_installation_names_the_package() {
        let nowhere = choose(vec![PathBuf::from("/nonexistent")], None).unwrap_err().to_string();
        assert!(nowhere.contains("apt-get install postgresql"), "{nowhere}");
        let another = choose(debian(Path::new(DEBIAN)), Some("9")).unwrap_err().to_string();
        assert!(another.contains("postgresql-9"), "{another}");
    }

    #[test]
    fn a_release_too_old_is_passed_by() {
        let old = std::env::temp_dir().join(format!("redress-test-{}-old", std::process::id()));
        fs::create_dir_all(&old).unwrap();
        for program in ["initdb", "postgres"] {
            fs::write(old.join(program), "#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n").unwrap();
            fs::set_permissions(old.join(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        assert_eq!(release_of(&old).as_deref(), Some("14"));
        let refused = choose(vec![old.clone()], None).unwrap_err().to_string();
        assert!(refused.contains("15 or newer"), "{refused}");
        let places = [vec![old.clone()], debian(Path::new(DEBIAN))].concat();
        assert_ne!(choose(places, None).unwrap(), old);
        assert_eq!(choose(vec![old.clone()], Some("14")).unwrap(), old, "data of its own making");
        fs::remove_dir_all(old).unwrap();
    }

    #[test]
    fn the_newest_release_is_taken_unless_the_data_wants_another() {
        let places = debian(Path::new(DEBIAN));
        let newest = choose(places.clone(), None).unwrap();
        let release = release_of(&newest).unwrap();
        assert_eq!(choose(places, Some(&release)).unwrap(), newest);
    }
}
