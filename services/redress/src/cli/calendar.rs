//! `redress calendar …`: by which days and hours due times are counted.

mod file;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use proto::redress::cases::v1::calendar_service_client::CalendarServiceClient;
use proto::redress::cases::v1::{
    CreateCalendarRequest, GetCalendarRequest, ImportHolidaysRequest, ListCalendarsRequest,
    UpdateCalendarRequest, UpdateTimeZonesRequest,
};
use show::text;

use super::connection::{Caller, Connection, Expect, Page};

#[derive(Args)]
pub(crate) struct Calendars {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Makes a calendar of a TOML file, as `redress calendar get NAME --toml` writes it
    Add {
        /// Name of the calendar
        name: String,
        /// `-` for standard input
        file: PathBuf,
    },
    /// Replaces a calendar by a TOML file, and shows which due times that moves
    Set {
        /// Name of the calendar
        name: String,
        /// `-` for standard input
        file: PathBuf,
        #[command(flatten)]
        edit: Edit,
    },
    /// Adds days to a calendar: a CSV file with `date,kind,name`, kind `holiday` or `workday`
    Import {
        /// Name of the calendar
        name: String,
        /// `-` for standard input
        file: PathBuf,
        /// Last day whose holidays are known now, as 2027-12-31
        #[arg(long, value_name = "DATE", default_value = "")]
        known_until: String,
        #[command(flatten)]
        edit: Edit,
    },
    /// Puts the server's time zones in force for open clocks counted by another release
    Zones {
        /// The release that is meant, as 2026f; that of the server without
        #[arg(long, default_value = "")]
        release: String,
        /// Changes nothing: only shows which due times would move
        #[arg(long = "dry-run")]
        dry_run: bool,
    },
    /// Shows a calendar
    Get {
        /// Name of the calendar
        name: String,
        /// As it was in this version; 0 is the built-in one
        #[arg(long, value_name = "VERSION")]
        edition: Option<i64>,
        /// As a file to edit
        #[arg(long, conflicts_with = "json")]
        toml: bool,
    },
    /// Lists calendars, built-in ones too
    List {
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Args)]
struct Edit {
    /// Changes nothing: only shows which due times would move
    #[arg(long = "dry-run")]
    dry_run: bool,
    #[command(flatten)]
    expect: Expect,
}

impl Calendars {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut calendars = CalendarServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::Add { name, file } => {
                let content = Some(file::content(&file)?);
                let request = CreateCalendarRequest { request_id: caller.request_id(), name, content };
                let answer = calendars.create_calendar(request).await?.into_inner();
                show::answer(caller.json, &answer.calendar.unwrap_or_default(), text::calendar_in_short)
            }
            Verb::Set { name, file, edit } => {
                let request = UpdateCalendarRequest {
                    request_id: caller.request_id(),
                    expected_version: edit.expect.version,
                    name,
                    content: Some(file::content(&file)?),
                    validate_only: edit.dry_run,
                };
                let answer = calendars.update_calendar(request).await?.into_inner();
                show::answer(caller.json, &answer, |answer| {
                    let partial = answer.moved_is_partial;
                    text::moved(answer.calendar.as_ref(), &answer.moved, answer.moved_count, partial)
                })
            }
            Verb::Import { name, file, known_until, edit } => {
                let request = ImportHolidaysRequest {
                    request_id: caller.request_id(),
                    expected_version: edit.expect.version,
                    name,
                    days: file::days(&file)?,
                    known_until,
                    validate_only: edit.dry_run,
                };
                let answer = calendars.import_holidays(request).await?.into_inner();
                show::answer(caller.json, &answer, |answer| {
                    let partial = answer.moved_is_partial;
                    text::moved(answer.calendar.as_ref(), &answer.moved, answer.moved_count, partial)
                })
            }
            Verb::Zones { release, dry_run } => zones(&caller, &release, dry_run).await,
            Verb::Get { name, edition, toml } => {
                let request = GetCalendarRequest { name, version: edition };
                let calendar =
                    calendars.get_calendar(request).await?.into_inner().calendar.unwrap_or_default();
                if toml {
                    return Ok(show::say(&file::written(calendar.content.unwrap_or_default())?)?);
                }
                show::answer(caller.json, &calendar, text::calendar)
            }
            Verb::List { page } => {
                let request = ListCalendarsRequest { page_size: page.limit, page_token: page.page };
                let answer = calendars.list_calendars(request).await?.into_inner();
                show::answer(caller.json, &answer, text::calendars)
            }
        }
    }
}

/// Asks for page after page, each under a key of its own: the same command again goes
/// over the same pages.
async fn zones(caller: &Caller, release: &str, dry_run: bool) -> anyhow::Result<()> {
    let key = caller.request_id();
    for page in 1_u32.. {
        let request = UpdateTimeZonesRequest {
            request_id: if page == 1 { key.clone() } else { format!("{key}-{page}") },
            expected_release: release.to_owned(),
            validate_only: dry_run,
        };
        let mut calendars = CalendarServiceClient::new(caller.client.calls());
        let answer = calendars.update_time_zones(request).await?.into_inner();
        show::answer(caller.json, &answer, text::zones)?;
        if !answer.has_more {
            break;
        }
    }
    Ok(())
}
