//! `redress topic …`: what complaints speak of more often of late than before.

use clap::{Args, Subcommand};
use proto::redress::cases::v1::topic_service_client::TopicServiceClient;
use proto::redress::cases::v1::{GetTopicRequest, ListTopicsRequest};
use show::text;

use super::connection::Connection;

#[derive(Args)]
pub(crate) struct Topics {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists topics, the most telling first
    List {
        /// Last day of the window, e.g. 2026-11-29; else today (UTC)
        #[arg(long, default_value = "")]
        until: String,
        /// Days of the window, at most 31
        #[arg(long, default_value_t = 7)]
        days: i32,
        /// Days before it to compare with, 7 to 365
        #[arg(long, default_value_t = 56)]
        baseline: i32,
        /// Most topics to show, at most 50
        #[arg(long, default_value_t = 20)]
        limit: i32,
    },
    /// Shows a topic day by day, and how to make a problem of it
    Show {
        /// As `topic list` names it
        topic: String,
    },
}

impl Topics {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut topics = TopicServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::List { until: end_date, days, baseline: baseline_days, limit: max_results } => {
                let request = ListTopicsRequest { end_date, days, baseline_days, max_results };
                let answer = topics.list_topics(request).await?.into_inner();
                show::answer(caller.json, &answer, text::topics)
            }
            Verb::Show { topic: topic_id } => {
                let answer = topics.get_topic(GetTopicRequest { topic_id }).await?.into_inner();
                show::answer(caller.json, &answer, text::topic)
            }
        }
    }
}
