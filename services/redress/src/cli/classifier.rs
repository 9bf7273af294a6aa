//! `redress classifier …`: learns from past cases what complaints are about, and how a
//! person has the last word.

use clap::{Args, Subcommand};
use client::Calls;
use proto::redress::cases::v1::classifier_service_client::ClassifierServiceClient;
use proto::redress::cases::v1::{
    ActivateClassifierRequest, ClassifyTextRequest, ConfirmCategoryRequest, DeactivateClassifierRequest,
    GetClassifierRequest, GetReadingRequest, ListClassifiersRequest, ListUnconfirmedRequest,
    TrainClassifierRequest,
};
use show::text;

use super::connection::{Caller, Connection, Expect, Page};

#[derive(Args)]
pub(crate) struct Classifiers {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Trains the next classifier from confirmed and closed cases; it is not active.
    /// With many cases give it more time with `--timeout`
    Train {
        /// Confidence from which a category needs no confirmation
        #[arg(long)]
        threshold: Option<f64>,
    },
    /// Lists the classifiers, newest first
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Shows how good the active classifier is, category by category
    Get {
        /// Another version
        #[arg(long, default_value_t = 0)]
        version: i64,
    },
    /// Classifies new complaints by a version from now on
    Activate {
        /// Which version
        version: i64,
    },
    /// Classifies no more
    Deactivate,
    /// Tries a text out: what it may be about, and how it is meant
    Classify {
        /// The text to classify
        text: String,
        /// Another version than the active one
        #[arg(long, default_value_t = 0)]
        version: i64,
    },
    /// Lists the cases whose category a person is to confirm, oldest first
    Unconfirmed {
        #[command(flatten)]
        page: Page,
    },
    /// Confirms or corrects the category of a case
    Confirm {
        /// Id of the case
        case: String,
        /// The category, as a path, e.g. `delivery/damaged`
        category: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Shows what was read off the text of a case
    Reading {
        /// Id of the case
        case: String,
    },
}

impl Classifiers {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        match self.verb {
            Verb::Train { threshold } => train(&caller, threshold).await,
            Verb::List { page } => list(&caller, page).await,
            Verb::Get { version } => get(&caller, version).await,
            Verb::Activate { version } => activate(&caller, version).await,
            Verb::Deactivate => deactivate(&caller).await,
            Verb::Classify { text, version } => classify(&caller, text, version).await,
            Verb::Unconfirmed { page } => unconfirmed(&caller, page).await,
            Verb::Confirm { case, category, expect } => confirm(&caller, case, category, expect).await,
            Verb::Reading { case } => reading(&caller, case).await,
        }
    }
}

fn client(caller: &Caller) -> ClassifierServiceClient<Calls> {
    ClassifierServiceClient::new(caller.client.calls())
}

async fn train(caller: &Caller, threshold: Option<f64>) -> anyhow::Result<()> {
    let request = TrainClassifierRequest { request_id: caller.request_id(), threshold };
    let answer = client(caller).train_classifier(request).await?.into_inner();
    show::answer(caller.json, &answer.classifier.unwrap_or_default(), text::classifier)
}

async fn list(caller: &Caller, page: Page) -> anyhow::Result<()> {
    let request = ListClassifiersRequest { page_size: page.limit, page_token: page.page };
    let answer = client(caller).list_classifiers(request).await?.into_inner();
    show::answer(caller.json, &answer, text::classifiers)
}

async fn get(caller: &Caller, version: i64) -> anyhow::Result<()> {
    let answer = client(caller).get_classifier(GetClassifierRequest { version }).await?.into_inner();
    show::answer(caller.json, &answer.classifier.unwrap_or_default(), text::classifier)
}

async fn activate(caller: &Caller, version: i64) -> anyhow::Result<()> {
    let request = ActivateClassifierRequest { request_id: caller.request_id(), version };
    let answer = client(caller).activate_classifier(request).await?.into_inner();
    show::answer(caller.json, &answer.classifier.unwrap_or_default(), text::classifier)
}

async fn deactivate(caller: &Caller) -> anyhow::Result<()> {
    let request = DeactivateClassifierRequest { request_id: caller.request_id() };
    let answer = client(caller).deactivate_classifier(request).await?.into_inner();
    show::answer(caller.json, &answer, |answer| match answer.previous_version {
        0 => "no classifier was active\n".to_owned(),
        version => format!("classifier {version} is active no more\n"),
    })
}

async fn classify(caller: &Caller, text: String, version: i64) -> anyhow::Result<()> {
    let answer = client(caller).classify_text(ClassifyTextRequest { text, version }).await?.into_inner();
    show::answer(caller.json, &answer, text::classified)
}

async fn unconfirmed(caller: &Caller, page: Page) -> anyhow::Result<()> {
    let request = ListUnconfirmedRequest { page_size: page.limit, page_token: page.page };
    let answer = client(caller).list_unconfirmed(request).await?.into_inner();
    show::answer(caller.json, &answer, text::unconfirmed)
}

async fn confirm(caller: &Caller, case_id: String, category: String, expect: Expect) -> anyhow::Result<()> {
    let expected_version = expect.version;
    let request =
        ConfirmCategoryRequest { request_id: caller.request_id(), case_id, expected_version, category };
    let answer = client(caller).confirm_category(request).await?.into_inner();
    show::answer(caller.json, &answer.case.unwrap_or_default(), text::case)
}

async fn reading(caller: &Caller, case_id: String) -> anyhow::Result<()> {
    let answer = client(caller).get_reading(GetReadingRequest { case_id }).await?.into_inner();
    show::answer(caller.json, &answer.reading.unwrap_or_default(), text::reading)
}
