//! `redress quality …`: reviews of closed cases, how far raters agree, scorecards.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use proto::redress::feedback::v1::quality_service_client::QualityServiceClient;
use proto::redress::feedback::v1::{
    GetQualityAgreementRequest, GetQualityPolicyRequest, GetQualityReviewRequest, ListQualityReviewsRequest,
    ListScorecardsRequest, QualityPolicy, QualityRatingItem, QualityReviewState, RateQualityReviewRequest,
    UpdateQualityPolicyRequest,
};

use super::connection::{Caller, Connection, Page};
use show::{self, json, text, words};

#[derive(Args)]
pub(crate) struct Quality {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists reviews of closed cases, newest first
    List {
        /// Only those in this state: open, completed
        #[arg(long, value_parser = words::read::<QualityReviewState>)]
        state: Option<QualityReviewState>,
        #[command(flatten)]
        page: Page,
    },
    /// Shows a review; what others say only once two have rated it
    Show {
        /// Id of the review
        review: String,
    },
    /// Rates how a case was handled: each criterion with one of its classes
    Rate {
        /// Id of the review
        review: String,
        /// A criterion and its class, as `fairness=met`; each criterion once
        #[arg(long = "class", value_parser = item, required = true)]
        classes: Vec<QualityRatingItem>,
        /// What else there is to say
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Tells how far raters agree, beyond what chance would have them
    Agreement {
        #[command(flatten)]
        days: Days,
        /// The version of the policy; the latest if not given
        #[arg(long)]
        policy: Option<i64>,
    },
    /// Tells what the work of each handler came to: it is no ranking
    Scorecards {
        #[command(flatten)]
        days: Days,
        /// Only this handler's
        #[arg(long, default_value = "")]
        agent: String,
        #[command(flatten)]
        page: Page,
    },
    /// Shows which closed cases are reviewed, and by what
    Policy {
        /// Another version than the latest; 0 for the shipped one
        #[arg(long)]
        version: Option<i64>,
    },
    /// Changes which closed cases are reviewed, and by what: `quality policy --json`, edited
    SetPolicy {
        /// The policy as JSON; its version is the one that is replaced
        file: PathBuf,
    },
}

#[derive(Args)]
struct Days {
    /// The first day, as 2026-11-01
    #[arg(long)]
    from: String,
    /// The day after the last
    #[arg(long)]
    until: String,
}

fn item(text: &str) -> Result<QualityRatingItem, String> {
    let (criterion_id, rated_class) =
        text.split_once('=').ok_or("write a criterion and its class, as `fairness=met`")?;
    Ok(QualityRatingItem { criterion_id: criterion_id.to_owned(), rated_class: rated_class.to_owned() })
}

async fn set_policy(caller: &Caller, file: PathBuf) -> anyhow::Result<()> {
    let read = super::submit::read_text(&file)?;
    let policy: QualityPolicy = json::read(&read).with_context(|| format!("{}", file.display()))?;
    let mut quality = QualityServiceClient::new(caller.client.calls());
    // Whoever has changed it since the file was made is noticed.
    let request = UpdateQualityPolicyRequest {
        request_id: caller.request_id(),
        expected_version: policy.version,
        policy: Some(policy),
    };
    let answer = quality.update_quality_policy(request).await?.into_inner();
    show::answer(caller.json, &answer.policy.unwrap_or_default(), text::quality_policy)
}

impl Quality {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut quality = QualityServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::List { state, page } => {
                let state = state.unwrap_or_default().into();
                let request =
                    ListQualityReviewsRequest { page_size: page.limit, page_token: page.page, state };
                let answer = quality.list_quality_reviews(request).await?.into_inner();
                show::answer(caller.json, &answer, text::quality_reviews)
            }
            Verb::Show { review: review_id } => {
                let answer = quality.get_quality_review(GetQualityReviewRequest { review_id }).await?;
                show::answer(
                    caller.json,
                    &answer.into_inner().review.unwrap_or_default(),
                    text::quality_review,
                )
            }
            Verb::Rate { review: review_id, classes: items, note } => {
                let request_id = caller.request_id();
                let request = RateQualityReviewRequest { request_id, review_id, items, note };
                let answer = quality.rate_quality_review(request).await?.into_inner();
                show::answer(caller.json, &answer.review.unwrap_or_default(), text::quality_review)
            }
            Verb::Agreement { days: Days { from: start_date, until: end_date }, policy: policy_version } => {
                let request = GetQualityAgreementRequest { start_date, end_date, policy_version };
                let answer = quality.get_quality_agreement(request).await?.into_inner();
                show::answer(caller.json, &answer, text::quality_agreement)
            }
            Verb::Scorecards { days: Days { from: start_date, until: end_date }, agent: agent_id, page } => {
                let (page_size, page_token) = (page.limit, page.page);
                let request = ListScorecardsRequest { page_size, page_token, start_date, end_date, agent_id };
                let answer = quality.list_scorecards(request).await?.into_inner();
                show::answer(caller.json, &answer, text::scorecards)
            }
            Verb::Policy { version } => {
                let answer = quality.get_quality_policy(GetQualityPolicyRequest { version }).await?;
                show::answer(
                    caller.json,
                    &answer.into_inner().policy.unwrap_or_default(),
                    text::quality_policy,
                )
            }
            Verb::SetPolicy { file } => set_policy(&caller, file).await,
        }
    }
}
