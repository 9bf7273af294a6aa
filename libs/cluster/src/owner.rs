//! Who runs Postgres: it refuses to be root.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use anyhow::{Context as _, bail};

/// Users Postgres is run as on behalf of root, best first.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// A user and group, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) user: u32,
    pub(super) group: u32,
}

/// Whom to become to run the cluster of a folder: nobody else, unless we are
/// root; then the owner of the data, or an unprivileged user when there is none.
pub(super) fn of_postgres(data: &Path) -> anyhow::Result<Option<Owner>> {
    // The owner of one's own entry is one's effective user; std has no geteuid.
    let we_are_root = fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if !we_are_root {
        return Ok(None);
    }
    if let Ok(data) = fs::metadata(data) {
        return Ok(Some(Owner { user: data.uid(), group: data.gid() }));
    }
    unprivileged(&fs::read_to_string("/etc/passwd").context("/etc/passwd")?).map(Some)
}

fn unprivileged(passwd: &str) -> anyhow::Result<Owner> {
    for wanted in USERS {
        for line in passwd.lines() {
            let mut fields = line.split(':');
            if fields.next() == Some(wanted)
                && let (Some(user), Some(group)) = (fields.nth(1), fields.next())
            {
                return Ok(Owner { user: user.parse()?, group: group.parse()? });
            }
        }
    }
    bail!("postgres does not run as root, and /etc/passwd has neither postgres nor nobody to run it as")
}

/// Gives a folder to its owner.
pub(super) fn give(path: &Path, owner: Option<Owner>) -> anyhow::Result<()> {
    if let Some(owner) = owner {
        chown(path, Some(owner.user), Some(owner.group))
            .with_context(|| format!("{} cannot be given to user {}", path.display(), owner.user))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_runs_as_postgres_rather_than_nobody() {
        let nobody = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n";
        assert_eq!(unprivileged(nobody).unwrap(), Owner { user: 65534, group: 65533 });
        let both =
            format!("{nobody}postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/sh\n");
        assert_eq!(unprivileged(&both).unwrap(), Owner { user: 101, group: 104 });
        assert!(unprivileged("root:x:0:0:root:/root:/bin/sh\n").is_err());
    }
}
