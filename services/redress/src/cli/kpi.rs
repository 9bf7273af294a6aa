//! `redress kpi …`: what complaint handling comes to, in figures.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::{
    GetFactStateRequest, GetKpiSettingsRequest, KpiComparison, KpiDimension, KpiFilter, KpiPeriod, KpiQuery,
    KpiTime, ListKpisRequest, QueryKpisRequest, RebuildFactsRequest, RegionCustomers,
    UpdateKpiSettingsRequest,
};

use super::connection::{Caller, Connection};
use show::{self, text, words};

#[derive(Args)]
pub(crate) struct Kpis {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists every KPI
    List,
    /// Shows what a KPI means and how it is counted
    Show {
        /// Name of the figure, as `kpi list` has it
        kpi: String,
    },
    /// Answers questions, all of one moment, and says how current the facts are
    Query(Box<Query>),
    /// Shows what figures are counted by
    Settings,
    /// Changes what figures are counted by; another zone has the facts rebuilt
    Set(Set),
    /// Shows how current the facts are, and how far a rebuild is
    State,
    /// Throws the facts away and reads all feeds again, beside all else
    Rebuild,
}

#[derive(Args)]
struct Query {
    /// The KPIs, by name: see `kpi list`
    #[arg(required = true)]
    kpis: Vec<String>,
    /// First day, e.g. `2026-01-01`
    #[arg(long, default_value = "")]
    from: String,
    /// The day after the last
    #[arg(long, default_value = "")]
    until: String,
    /// How the window is cut: day, month
    #[arg(long, value_parser = words::read::<KpiPeriod>)]
    by: Option<KpiPeriod>,
    /// What figures are told apart by: channel, category, region, department, product, priority
    #[arg(long, value_parser = words::read::<KpiDimension>)]
    dimension: Option<KpiDimension>,
    /// Which cases are counted, e.g. `channel=web,phone`; all of several must hold
    #[arg(long = "filter")]
    filters: Vec<String>,
    /// What each figure is compared with: the same days one month or one year earlier
    #[arg(long, value_parser = words::read::<KpiComparison>)]
    compare: Option<KpiComparison>,
    /// The figures as they would have been told then, e.g. `2026-11-01T00:00:00+08:00`
    #[arg(long, value_parser = crate::cli::moment::read)]
    as_of: Option<Timestamp>,
    /// Which time durations count: wall, working, net
    #[arg(long, value_parser = words::read::<KpiTime>)]
    time: Option<KpiTime>,
    /// Which percentiles of durations are told, each 0.0–1.0
    #[arg(long = "percentile")]
    percentiles: Vec<f64>,
}

#[derive(Args)]
struct Set {
    /// IANA name of the zone of days, months and working time
    #[arg(long)]
    time_zone: Option<String>,
    /// Groups of fewer are suppressed
    #[arg(long)]
    min_group: Option<i32>,
    /// Why it is so
    #[arg(long, default_value = "")]
    note: String,
    /// Customers of a region, e.g. `CN-SH=120000`; 0 forgets them
    #[arg(long = "customers")]
    customers: Vec<String>,
}

impl Query {
    fn request(self) -> anyhow::Result<QueryKpisRequest> {
        let filters = self.filters.iter().map(|text| filter(text)).collect::<anyhow::Result<Vec<_>>>()?;
        let one = |kpi: &String| KpiQuery {
            name: kpi.clone(),
            kpi: kpi.clone(),
            start_date: self.from.clone(),
            end_date: self.until.clone(),
            period: self.by.unwrap_or_default().into(),
            dimension: self.dimension.unwrap_or_default().into(),
            filters: filters.clone(),
            comparison: self.compare.unwrap_or_default().into(),
            as_of_time: self.as_of.map(proto::timestamp),
            time: self.time.unwrap_or_default().into(),
            percentiles: self.percentiles.clone(),
        };
        Ok(QueryKpisRequest { queries: self.kpis.iter().map(one).collect() })
    }
}

/// Reads `dimension=value,value`.
fn filter(text: &str) -> anyhow::Result<KpiFilter> {
    let read =
        text.split_once('=').context("must be a dimension and its values, e.g. `channel=web,phone`")?;
    let (dimension, values) = read;
    let dimension = words::read::<KpiDimension>(dimension).map_err(anyhow::Error::msg)?;
    let values = values.split(',').map(str::to_owned).collect();
    Ok(KpiFilter { dimension: dimension.into(), values })
}

/// Reads `region=customers`.
fn region(text: &str) -> anyhow::Result<(String, i64)> {
    let Some((region, customers)) = text.split_once('=') else {
        bail!("must be a region and its customers, e.g. `CN-SH=120000`, unlike {text:?}");
    };
    Ok((region.to_owned(), customers.parse().context("customers are a number")?))
}

impl Set {
    /// Changes the settings there are; whoever changes them meanwhile is noticed.
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let mut kpis = KpiServiceClient::new(caller.client.calls());
        let read = kpis.get_kpi_settings(GetKpiSettingsRequest {}).await?.into_inner();
        let mut settings = read.settings.unwrap_or_default();
        let expected_version = settings.version;
        settings.time_zone = self.time_zone.unwrap_or(settings.time_zone);
        settings.min_group_size = self.min_group.unwrap_or(settings.min_group_size);
        settings.note = self.note;
        for text in &self.customers {
            let (region, customers) = region(text)?;
            settings.customers.retain(|known| known.region != region);
            if customers != 0 {
                settings.customers.push(RegionCustomers { region, customers });
            }
        }
        let request = UpdateKpiSettingsRequest {
            request_id: caller.request_id(),
            expected_version,
            settings: Some(settings),
        };
        let answer = kpis.update_kpi_settings(request).await?.into_inner();
        show::answer(caller.json, &answer.settings.unwrap_or_default(), text::kpi_settings)
    }
}

impl Kpis {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut kpis = KpiServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::List => {
                let answer = kpis.list_kpis(ListKpisRequest {}).await?.into_inner();
                show::answer(caller.json, &answer, text::kpis)
            }
            Verb::Show { kpi } => {
                let answer = kpis.list_kpis(ListKpisRequest {}).await?.into_inner();
                let found = answer.kpis.into_iter().find(|known| known.name == kpi);
                let found = found.with_context(|| format!("there is no KPI {kpi:?}: see `kpi list`"))?;
                show::answer(caller.json, &found, text::kpi)
            }
            Verb::Query(query) => {
                let answer = kpis.query_kpis(query.request()?).await?.into_inner();
                show::answer(caller.json, &answer, text::kpi_answers)
            }
            Verb::Settings => {
                let answer = kpis.get_kpi_settings(GetKpiSettingsRequest {}).await?.into_inner();
                show::answer(caller.json, &answer.settings.unwrap_or_default(), text::kpi_settings)
            }
            Verb::Set(set) => set.run(&caller).await,
            Verb::State => {
                let answer = kpis.get_fact_state(GetFactStateRequest {}).await?.into_inner();
                show::answer(caller.json, &answer.state.unwrap_or_default(), text::fact_state)
            }
            Verb::Rebuild => {
                let request = RebuildFactsRequest { request_id: caller.request_id() };
                let answer = kpis.rebuild_facts(request).await?.into_inner();
                show::answer(caller.json, &answer.state.unwrap_or_default(), text::fact_state)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_and_regions_are_read_as_people_write_them() {
        let read = filter("channel=web,phone").unwrap();
        assert_eq!(read.dimension, i32::from(KpiDimension::Channel));
        assert_eq!(read.values, ["web", "phone"]);
        assert!(filter("channel").is_err() && filter("colour=red").is_err());
        assert_eq!(region("CN-SH=12").unwrap(), ("CN-SH".to_owned(), 12));
        assert!(region("CN-SH").is_err() && region("CN-SH=many").is_err());
    }
}
