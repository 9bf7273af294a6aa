//! Whether the database allows the connections that all processes together may use.

use anyhow::ensure;

use crate::settings::Settings;

/// The services of a whole suite; by default they share a database.
const SUITE: u32 = 5;
/// What a service may use beside its pool: the reader of its events, a writer with a
/// connection of its own, and one that is lost while another takes its place.
const BESIDE_POOL: u32 = 3;
/// What a process uses to look whether the database is there.
const PROBES: u32 = 1;

/// Most connections that a process of so many services may use.
pub fn connections(settings: &Settings, services: u32) -> u32 {
    services * (settings.db_connections + BESIDE_POOL) + PROBES
}

/// Refuses to start where the connections of this process and its replicas are more than
/// the database allows, and warns where those of the whole suite would be.
pub(crate) fn fit(settings: &Settings, services: u32, allowed: i64) -> anyhow::Result<()> {
    let Settings { db_connections, replicas, .. } = *settings;
    let needed = i64::from(connections(settings, services)) * i64::from(replicas);
    ensure!(
        needed <= allowed,
        "too few database connections: {services} service(s) x ({db_connections} of REDRESS_DB_CONNECTIONS + \
         {BESIDE_POOL}) + {PROBES}, times {replicas} of REDRESS_REPLICAS, is {needed}, and Postgres allows \
         {allowed}: lower the first or the second, or raise max_connections"
    );
    let suite = i64::from(connections(settings, 1)) * i64::from(replicas) * i64::from(SUITE);
    if services < SUITE && suite > allowed {
        tracing::warn!(
            needed,
            needed_by_all_five = suite,
            allowed,
            "the database allows this service's connections, and not those of all five services if they share \
             it: lower REDRESS_DB_CONNECTIONS, or raise max_connections"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_refused_where_the_connections_do_not_fit_and_says_the_numbers() {
        let settings =
            |db_connections, replicas| Settings { db_connections, replicas, ..Settings::default() };
        assert!(fit(&settings(10, 1), 5, 97).is_ok(), "the defaults fit a Postgres as it comes");
        assert!(fit(&settings(10, 6), 1, 97).is_ok());
        let refusal = fit(&settings(10, 7), 1, 97).unwrap_err().to_string();
        assert!(refusal.contains("1 service(s) x (10 of REDRESS_DB_CONNECTIONS + 3) + 1"), "{refusal}");
        assert!(refusal.contains("times 7 of REDRESS_REPLICAS, is 98"), "{refusal}");
        assert!(refusal.contains("allows 97"), "{refusal}");
        assert!(fit(&settings(20, 1), 5, 97).is_err());
    }
}
