//! What is asked: of which days, of which cases; and which cases that means, where the filter
//! of cases can say it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::{
    GetKpiSettingsRequest, KpiComparison, KpiDimension, KpiFilter, KpiPeriod, KpiQuery, KpiSettings,
};
use serde::Deserialize;

use crate::boards::cases::quoted;
use crate::boards::encoded;
use crate::problem::Problem;
use crate::session::Visitor;

/// Days that are shown where nobody says which.
const DAYS: i32 = 30;
/// Most days of a window.
const DAYS_MAX: i32 = 1_830;
/// Up to so many days a window is cut into days, beyond into months.
const DAILY_MAX: i32 = 92;
/// Up to so many days a window is compared with the month before, beyond with the year before.
const MONTHLY_MAX: i32 = 31;
/// Longest value to choose cases by.
const VALUE_MAX: usize = 200;

/// As an address asks.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct FiguresQuery {
    /// First day.
    #[serde(default)]
    pub(super) from: String,
    /// Last day.
    #[serde(default)]
    pub(super) to: String,
    #[serde(default)]
    pub(super) channel: String,
    #[serde(default)]
    pub(super) category: String,
    #[serde(default)]
    pub(super) region: String,
}

/// What is asked, understood.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// First day, in the tenant's zone.
    pub(super) from: Date,
    /// Last day.
    pub(super) to: Date,
    pub(super) channel: String,
    pub(super) category: String,
    pub(super) region: String,
    pub(super) settings: KpiSettings,
    pub(super) zone: TimeZone,
}

/// Which event of a case must lie in the days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// That it was received.
    Received,
    /// That it was closed.
    Closed,
}

impl Ask {
    /// Understands an address, in the zone that figures are counted in.
    pub(super) async fn of(visitor: &Visitor, asked: &FiguresQuery) -> Result<Self, Problem> {
        let client = visitor.client()?;
        let mut service = KpiServiceClient::new(client.calls());
        let settings = service.get_kpi_settings(GetKpiSettingsRequest {}).await?.into_inner().settings;
        Self::new(asked, settings.unwrap_or_default(), visitor.app.clock.now())
    }

    fn new(asked: &FiguresQuery, settings: KpiSettings, now: Timestamp) -> Result<Self, Problem> {
        let zone = calendar::zones::get(&settings.time_zone).unwrap_or(TimeZone::UTC);
        let day = |name: &str, text: &str| match text.trim() {
            "" => Ok(None),
            text => text
                .parse::<Date>()
                .map(Some)
                .map_err(|_| Problem::wrong_field(name, "must be a day such as 2026-11-01")),
        };
        let to = day("to", &asked.to)?.unwrap_or_else(|| now.to_zoned(zone.clone()).date());
        let usual = to.checked_sub((DAYS - 1).days()).unwrap_or(to);
        let from = day("from", &asked.from)?.unwrap_or(usual);
        let short = |text: &str| text.trim().chars().take(VALUE_MAX).collect::<String>();
        let ask = Self {
            from,
            to,
            channel: short(&asked.channel),
            category: short(&asked.category),
            region: short(&asked.region),
            settings,
            zone,
        };
        if !(1..=DAYS_MAX).contains(&ask.days()) {
            return Err(Problem::wrong_field("to", "must not be before `from`, nor years after it"));
        }
        Ok(ask)
    }

    /// How many days it is of.
    pub(super) fn days(&self) -> i32 {
        self.from.until(self.to).map_or(0, |span| span.get_days() + 1)
    }

    /// The day after the last.
    fn end(&self) -> Date {
        self.to.tomorrow().unwrap_or(self.to)
    }

    /// A question about its days and cases.
    pub(super) fn query(&self, kpi: &str) -> KpiQuery {
        let filters = [
            (KpiDimension::Channel, &self.channel),
            (KpiDimension::Category, &self.category),
            (KpiDimension::Region, &self.region),
        ];
        let filters = filters.into_iter().filter(|(_, value)| !value.is_empty());
        KpiQuery {
            name: kpi.to_owned(),
            kpi: kpi.to_owned(),
            start_date: self.from.to_string(),
            end_date: self.end().to_string(),
            filters: filters
                .map(|(dimension, value)| KpiFilter {
                    dimension: dimension.into(),
                    values: vec![value.clone()],
                })
                .collect(),
            ..KpiQuery::default()
        }
    }

    /// How it is cut for a line.
    pub(super) fn period(&self) -> KpiPeriod {
        if self.days() <= DAILY_MAX { KpiPeriod::Day } else { KpiPeriod::Month }
    }

    /// What it is compared with.
    pub(super) fn comparison(&self) -> KpiComparison {
        if self.days() <= MONTHLY_MAX { KpiComparison::Month } else { KpiComparison::Year }
    }

    /// The beginning of a day, as filters have it.
    fn begin(&self, day: Date) -> Option<String> {
        let begin = day.to_zoned(self.zone.clone()).ok()?.timestamp();
        Some(begin.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    /// The cases that are counted; none where the filter of cases cannot say it.
    pub(super) fn filter(&self, counted: Counted) -> Option<String> {
        let of_cases = self.of_cases()?;
        let (from, end) = (self.begin(self.from)?, self.begin(self.end())?);
        let time = if counted == Counted::Received { "receive_time" } else { "close_time" };
        Some(format!("{time} >= {from} AND {time} < {end}{of_cases}"))
    }

    /// The cases that are open, of those that are counted, and so old: from and until, in days.
    pub(super) fn open_filter(&self, now: Timestamp, age: &str) -> Option<String> {
        let of_cases = self.of_cases()?;
        let ago = |days: i64| {
            let time = now - jiff::SignedDuration::from_hours(24 * days);
            time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        };
        let (least, most) = ages(age)?;
        let mut filter = "open = true".to_owned();
        if least > 0 {
            filter.extend([" AND receive_time <= ", &ago(least)]);
        }
        if let Some(most) = most {
            filter.extend([" AND receive_time > ", &ago(most)]);
        }
        Some(filter + &of_cases)
    }

    /// Which cases, whatever their days. A region is nothing that a filter of cases knows.
    fn of_cases(&self) -> Option<String> {
        if !self.region.is_empty() {
            return None;
        }
        let mut filter = " AND state != MERGED".to_owned();
        for (dimension, value) in
            [(KpiDimension::Channel, &self.channel), (KpiDimension::Category, &self.category)]
        {
            if !value.is_empty() {
                filter += " AND ";
                filter += &of_value(dimension, value)?;
            }
        }
        Some(filter)
    }

    /// Its address, with another value to choose by.
    pub(super) fn path(&self, visitor: &Visitor, page: &str, dimension: KpiDimension, value: &str) -> String {
        let of = |own: KpiDimension, kept: &str| encoded(if own == dimension { value } else { kept });
        visitor.app.path(&format!(
            "{page}?from={}&to={}&channel={}&category={}&region={}",
            self.from,
            self.to,
            of(KpiDimension::Channel, &self.channel),
            of(KpiDimension::Category, &self.category),
            of(KpiDimension::Region, &self.region),
        ))
    }
}

/// The cases with a value, where the filter of cases can say it.
pub(super) fn of_value(dimension: KpiDimension, value: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    Some(match dimension {
        KpiDimension::Channel if !value.is_empty() && value.chars().all(plain) => {
            format!("channel = {}", value.to_ascii_uppercase())
        }
        // A category stands for what lies below it as well, which figures count by itself.
        KpiDimension::Category if !value.is_empty() => {
            format!("category = {} AND category != {}", quoted(value), quoted(&format!("{value}/*")))
        }
        KpiDimension::Department if value.is_empty() => "NOT department:*".to_owned(),
        KpiDimension::Department => format!("department = {}", quoted(value)),
        _ => return None,
    })
}

/// The days of an age, as figures name it: `7-15` is from 7 to less than 15, `90+` from 90 on.
fn ages(age: &str) -> Option<(i64, Option<i64>)> {
    if let Some(least) = age.strip_suffix('+') {
        return Some((least.parse().ok()?, None));
    }
    let (least, most) = age.split_once('-')?;
    Some((least.parse().ok()?, Some(most.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(asked: &FiguresQuery) -> Result<Ask, Problem> {
        let settings = KpiSettings { time_zone: "Asia/Shanghai".into(), ..KpiSettings::default() };
        Ask::new(asked, settings, "2026-11-30T17:00:00Z".parse().unwrap())
    }

    #[test]
    fn days_are_those_of_the_tenant() {
        let month = ask(&FiguresQuery::default()).unwrap();
        assert_eq!(
            (month.from.to_string(), month.to.to_string()),
            ("2026-11-02".into(), "2026-12-01".into())
        );
        assert_eq!(
            (month.days(), month.period(), month.comparison()),
            (30, KpiPeriod::Day, KpiComparison::Month)
        );
        let filter = month.filter(Counted::Received).unwrap();
        assert_eq!(
            filter,
            "receive_time >= 2026-11-01T16:00:00Z AND receive_time < 2026-12-01T16:00:00Z AND state != MERGED"
        );
        assert!(month.filter(Counted::Closed).unwrap().starts_with("close_time >= 2026-11-01T16:00:00Z"));
        let year =
            FiguresQuery { from: "2026-01-01".into(), to: "2026-11-30".into(), ..FiguresQuery::default() };
        assert_eq!(ask(&year).unwrap().period(), KpiPeriod::Month);
        for (from, to) in [("x", ""), ("2026-12-02", "2026-12-01"), ("1900-01-01", ""), ("", "2026-13-01")] {
            let odd = FiguresQuery { from: from.into(), to: to.into(), ..FiguresQuery::default() };
            assert_eq!(ask(&odd).unwrap_err().reason, "FORM_INVALID", "{from} {to}");
        }
    }

    #[test]
    fn a_value_cannot_leave_its_place_and_what_cannot_be_said_leads_nowhere() {
        let odd = FiguresQuery { category: "a\" OR open = true".into(), ..FiguresQuery::default() };
        let filter = ask(&odd).unwrap().filter(Counted::Received).unwrap();
        assert!(
            filter.ends_with(
                "AND category = \"a\\\" OR open = true\" AND category != \"a\\\" OR open = true/*\""
            )
        );
        let odd = FiguresQuery { channel: "phone OR open = true".into(), ..FiguresQuery::default() };
        assert_eq!(ask(&odd).unwrap().filter(Counted::Received), None);
        let region = FiguresQuery { region: "310000".into(), ..FiguresQuery::default() };
        assert_eq!(ask(&region).unwrap().filter(Counted::Received), None);
        assert_eq!(ask(&region).unwrap().query("received").filters.len(), 1);
    }

    #[test]
    fn ages_are_read_as_figures_name_them() {
        assert_eq!(ages("7-15"), Some((7, Some(15))));
        assert_eq!(ages("90+"), Some((90, None)));
        assert_eq!(ages("old"), None);
        let month = ask(&FiguresQuery::default()).unwrap();
        let now = "2026-11-30T17:00:00Z".parse().unwrap();
        assert_eq!(
            month.open_filter(now, "7-15").unwrap(),
            "open = true AND receive_time <= 2026-11-23T17:00:00Z AND receive_time > 2026-11-15T17:00:00Z AND state != MERGED"
        );
    }
}
