//! `redress subscription …`: where events are posted to, for those who cannot read the feed.

use std::time::Duration;

use clap::{Args, Subcommand};
use client::Calls;
use proto::redress::feedback::v1::event_subscription_service_client::EventSubscriptionServiceClient;
use proto::redress::feedback::v1::{
    CreateEventSubscriptionRequest, DeleteEventSubscriptionRequest, EventSubscription,
    GetEventSubscriptionRequest, ListEventSubscriptionsRequest, PauseEventSubscriptionRequest,
    ReplayEventSubscriptionRequest, ResumeEventSubscriptionRequest, RotateEventSubscriptionSecretRequest,
    UpdateEventSubscriptionRequest,
};
use show::text;

use super::connection::{Caller, Connection};

#[derive(Args)]
pub(crate) struct Subscriptions {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

/// What events are signed with. Shown by no answer.
#[derive(Args)]
struct SecretOf {
    /// `whsec_` and 24 to 64 bytes in base64
    #[arg(long, env = "REDRESS_SUBSCRIPTION_SECRET", hide_env_values = true)]
    secret: String,
}

/// What is posted, and where.
#[derive(Args)]
struct Wanted {
    /// Where events are posted to, e.g. `https://crm.example.com/hooks`
    #[arg(long)]
    url: String,
    /// What it is for
    #[arg(long)]
    title: String,
    /// Only this kind of event, e.g. `redress.cases.v1.CaseOpened`; repeatable, all by default
    #[arg(long = "type", value_name = "MESSAGE")]
    types: Vec<String>,
    /// Only events that meet this condition, in CEL, e.g. `field('case.priority', 'PRIORITY_P1')`
    #[arg(long, default_value = "", hide_default_value = true)]
    filter: String,
    /// Longest that one try may take, in seconds
    #[arg(long, value_name = "SECONDS")]
    try_timeout: Option<u32>,
}

#[derive(Subcommand)]
enum Verb {
    /// Has events posted somewhere: what is told from now on
    Create {
        #[command(flatten)]
        wanted: Wanted,
        #[command(flatten)]
        secret: SecretOf,
        /// Everything that was ever told, too
        #[arg(long)]
        from_beginning: bool,
    },
    /// Changes where and what is posted: it says all of it
    Update {
        /// Id of the subscription
        subscription: String,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Gives a subscription another secret; for a while, events are signed with both
    Rotate {
        /// Id of the subscription
        subscription: String,
        #[command(flatten)]
        secret: SecretOf,
        /// How long the old one signs as well, in seconds
        #[arg(long, value_name = "SECONDS")]
        keep: Option<u32>,
    },
    /// Posts nothing more until it is resumed
    Pause {
        /// Id of the subscription
        subscription: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Goes on with a paused subscription where it was
    Resume {
        /// Id of the subscription
        subscription: String,
    },
    /// Posts what follows a position in a service's feed, again where it was posted before
    Replay {
        /// Id of the subscription
        subscription: String,
        /// The service whose feed it is
        #[arg(long)]
        source: String,
        /// The position; 0 is the beginning
        #[arg(long)]
        position: i64,
    },
    /// Takes a subscription away
    Delete {
        /// Id of the subscription
        subscription: String,
    },
    /// Shows a subscription, and how far it is
    Show {
        /// Id of the subscription
        subscription: String,
    },
    /// Lists subscriptions
    List,
}

type Client = EventSubscriptionServiceClient<Calls>;

fn seconds(seconds: Option<u32>) -> Option<prost_types::Duration> {
    let length = Duration::from_secs(seconds?.into());
    prost_types::Duration::try_from(length).ok()
}

async fn get(client: &mut Client, id: &str) -> anyhow::Result<EventSubscription> {
    let request = GetEventSubscriptionRequest { event_subscription_id: id.to_owned() };
    Ok(client.get_event_subscription(request).await?.into_inner().event_subscription.unwrap_or_default())
}

/// Says it; answers the subscription as it is then.
async fn say(client: &mut Client, caller: &Caller, verb: Verb) -> anyhow::Result<EventSubscription> {
    let request_id = caller.request_id();
    let one = match verb {
        Verb::Create { wanted, secret, from_beginning } => {
            let Wanted { url, title, types, filter, try_timeout } = wanted;
            let request = CreateEventSubscriptionRequest {
                request_id,
                title,
                url,
                secret: secret.secret,
                types,
                filter,
                timeout_duration: seconds(try_timeout),
                from_beginning,
            };
            client.create_event_subscription(request).await?.into_inner().event_subscription
        }
        Verb::Update { subscription, wanted } => {
            let expected_version = get(client, &subscription).await?.version;
            let Wanted { url, title, types, filter, try_timeout } = wanted;
            let request = UpdateEventSubscriptionRequest {
                request_id,
                event_subscription_id: subscription,
                expected_version,
                title,
                url,
                types,
                filter,
                timeout_duration: seconds(try_timeout),
            };
            client.update_event_subscription(request).await?.into_inner().event_subscription
        }
        Verb::Rotate { subscription, secret, keep } => {
            let expected_version = get(client, &subscription).await?.version;
            let request = RotateEventSubscriptionSecretRequest {
                request_id,
                event_subscription_id: subscription,
                expected_version,
                secret: secret.secret,
                keep_duration: seconds(keep),
            };
            client.rotate_event_subscription_secret(request).await?.into_inner().event_subscription
        }
        Verb::Pause { subscription: event_subscription_id, reason } => {
            let request = PauseEventSubscriptionRequest { request_id, event_subscription_id, reason };
            client.pause_event_subscription(request).await?.into_inner().event_subscription
        }
        Verb::Resume { subscription: event_subscription_id } => {
            let request = ResumeEventSubscriptionRequest { request_id, event_subscription_id };
            client.resume_event_subscription(request).await?.into_inner().event_subscription
        }
        Verb::Replay { subscription: event_subscription_id, source, position } => {
            let request =
                ReplayEventSubscriptionRequest { request_id, event_subscription_id, source, position };
            client.replay_event_subscription(request).await?.into_inner().event_subscription
        }
        Verb::Delete { subscription } => {
            let expected_version = get(client, &subscription).await?.version;
            let event_subscription_id = subscription;
            let request =
                DeleteEventSubscriptionRequest { request_id, event_subscription_id, expected_version };
            client.delete_event_subscription(request).await?.into_inner().event_subscription
        }
        Verb::Show { subscription } => Some(get(client, &subscription).await?),
        Verb::List => None,
    };
    Ok(one.unwrap_or_default())
}

impl Subscriptions {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut client = EventSubscriptionServiceClient::new(caller.client.calls());
        if matches!(self.verb, Verb::List) {
            let found = client.list_event_subscriptions(ListEventSubscriptionsRequest {}).await?.into_inner();
            return show::answer(caller.json, &found, text::event_subscriptions);
        }
        let one = say(&mut client, &caller, self.verb).await?;
        show::answer(caller.json, &one, text::event_subscription)
    }
}
