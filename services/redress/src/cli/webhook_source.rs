//! `redress webhook-source …`: systems that post what they find on a network, and how it is read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use client::Calls;
use proto::redress::intake::v1::webhook_source_service_client::WebhookSourceServiceClient;
use proto::redress::intake::v1::{
    ActivateWebhookMappingRequest, Channel, CreateWebhookMappingRequest, DeleteWebhookSourceRequest,
    GetWebhookSourceRequest, ListWebhookMappingsRequest, ListWebhookSourcesRequest,
    PreviewWebhookMappingRequest, SetWebhookSourceRequest, WebhookMapping, WebhookSignature, WebhookSource,
};
use show::{json, text, words};

use super::connection::{Caller, Connection};
use super::submit::read_text;

type Client = WebhookSourceServiceClient<Calls>;

#[derive(Args)]
pub(crate) struct WebhookSources {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Sets a source up, or changes it: it says all of it, but for the secrets
    Set(Box<Set>),
    /// Takes nothing of a source until it is resumed
    Pause {
        /// Name of the source
        source: String,
    },
    /// Goes on with a paused source
    Resume {
        /// Name of the source
        source: String,
    },
    /// Makes a second secret good, or has it take the place of the first (`--finish`)
    Rotate {
        /// Name of the source
        source: String,
        /// The second secret
        #[arg(
            long,
            env = "REDRESS_WEBHOOK_NEXT_SECRET",
            hide_env_values = true,
            default_value = "",
            hide_default_value = true
        )]
        next_secret: String,
        /// The second takes the place of the first, which is good no longer
        #[arg(long)]
        finish: bool,
    },
    /// Shows a source, and how far it is
    Show {
        /// Name of the source
        source: String,
    },
    /// Lists all sources
    List,
    /// Forgets a source; what it delivered stays
    Delete {
        /// Name of the source
        source: String,
    },
    /// How the posts of a source are read
    #[command(subcommand)]
    Mapping(MappingVerb),
}

#[derive(Subcommand)]
enum MappingVerb {
    /// Writes the next version, of a JSON file as `get` shows it
    Create {
        /// Name of the source
        source: String,
        /// The mapping as JSON, as `get` shows one
        file: PathBuf,
    },
    /// Reads a sample body, or posts that are kept, by a version or by a file; changes nothing
    Preview {
        /// Name of the source
        source: String,
        /// Which version
        #[arg(
            long,
            default_value_t = 0,
            hide_default_value = true,
            conflicts_with = "file",
            required_unless_present = "file"
        )]
        number: i64,
        /// A mapping that is not kept yet
        #[arg(long)]
        file: Option<PathBuf>,
        /// A body as the source sends it
        #[arg(long)]
        sample: Option<PathBuf>,
        /// How many of the latest posts, without a sample
        #[arg(long, default_value_t = 20, conflicts_with = "sample")]
        kept: i32,
    },
    /// Has posts read by a version from now on
    Activate {
        /// Name of the source
        source: String,
        /// Which version
        number: i64,
    },
    /// Shows a version
    Get {
        /// Name of the source
        source: String,
        /// Which version
        number: i64,
    },
    /// Lists all versions, newest first
    List {
        /// Name of the source
        source: String,
    },
}

#[derive(Args)]
struct Set {
    /// Its name, e.g. `weibo`
    source: String,
    /// Who answers for it
    #[arg(long)]
    owner: String,
    /// The channel that it delivers for
    #[arg(long, value_parser = words::read::<Channel>, default_value = "social")]
    channel: Channel,
    /// Language to answer in where a post does not say
    #[arg(long, default_value = "zh-CN")]
    language: String,
    /// Category its posts are believed to belong to
    #[arg(long, default_value = "", hide_default_value = true)]
    category: String,
    /// How deliveries are signed
    #[arg(long, value_parser = words::read::<WebhookSignature>, default_value = "standard", help = words::choices::<WebhookSignature>())]
    signature: WebhookSignature,
    /// What they are signed with; without it, the one there is stays
    #[arg(
        long,
        env = "REDRESS_WEBHOOK_SECRET",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    secret: String,
    /// Hours it may be silent before that is told
    #[arg(long, value_name = "HOURS")]
    silent_after: Option<u32>,
    /// Posts of one author within an hour that become complaints; 20 by default
    #[arg(long, value_name = "POSTS", default_value_t = 0, hide_default_value = true)]
    per_author: i32,
    /// Longest public reply; a Chinese character counts two; 280 by default
    #[arg(long, value_name = "LENGTH", default_value_t = 0, hide_default_value = true)]
    reply_length: i32,
}

impl Set {
    fn request(self, request_id: String) -> SetWebhookSourceRequest {
        let hours = |hours: u32| Duration::from_secs(u64::from(hours) * 3_600).try_into().ok();
        let source = WebhookSource {
            source_id: self.source,
            channel: self.channel.into(),
            owner: self.owner,
            language: self.language,
            category_hint: self.category,
            signature: self.signature.into(),
            silent_after: self.silent_after.and_then(hours),
            max_per_author_hour: self.per_author,
            max_reply_length: self.reply_length,
            ..WebhookSource::default()
        };
        SetWebhookSourceRequest {
            request_id,
            source: Some(source),
            secret: self.secret,
            ..SetWebhookSourceRequest::default()
        }
    }
}

async fn get(client: &mut Client, source_id: String) -> anyhow::Result<WebhookSource> {
    let found = client.get_webhook_source(GetWebhookSourceRequest { source_id }).await?.into_inner();
    Ok(found.source.unwrap_or_default())
}

async fn set(client: &mut Client, request: SetWebhookSourceRequest) -> anyhow::Result<WebhookSource> {
    Ok(client.set_webhook_source(request).await?.into_inner().source.unwrap_or_default())
}

/// The source as it is, to be changed in something.
async fn change(
    client: &mut Client,
    request_id: String,
    id: String,
) -> anyhow::Result<SetWebhookSourceRequest> {
    let source = get(client, id).await?;
    let expected_version = Some(source.version);
    Ok(SetWebhookSourceRequest {
        request_id,
        source: Some(source),
        expected_version,
        ..SetWebhookSourceRequest::default()
    })
}

fn read_mapping(file: &Path, source: &str) -> anyhow::Result<WebhookMapping> {
    let read: WebhookMapping =
        json::read(&read_text(file)?).with_context(|| format!("{}", file.display()))?;
    Ok(WebhookMapping { source_id: source.to_owned(), ..read })
}

impl WebhookSources {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut client = Client::new(caller.client.calls());
        let request_id = caller.request_id();
        let pause = async |client: &mut Client, id, paused, request_id| {
            let mut request = change(client, request_id, id).await?;
            request.source = request.source.map(|source| WebhookSource { paused, ..source });
            set(client, request).await
        };
        let one = match self.verb {
            Verb::Set(wanted) => set(&mut client, wanted.request(request_id)).await?,
            Verb::Pause { source } => pause(&mut client, source, true, request_id).await?,
            Verb::Resume { source } => pause(&mut client, source, false, request_id).await?,
            Verb::Rotate { source, next_secret, finish } => {
                let request = change(&mut client, request_id, source).await?;
                let request = SetWebhookSourceRequest { next_secret, finish_rotation: finish, ..request };
                set(&mut client, request).await?
            }
            Verb::Show { source } => get(&mut client, source).await?,
            Verb::List => {
                let all = client.list_webhook_sources(ListWebhookSourcesRequest {}).await?.into_inner();
                return show::answer(caller.json, &all, text::webhook_sources);
            }
            Verb::Delete { source } => {
                let seen = get(&mut client, source.clone()).await?;
                let expected_version = Some(seen.version);
                let request = DeleteWebhookSourceRequest { request_id, source_id: source, expected_version };
                client.delete_webhook_source(request).await?;
                seen
            }
            Verb::Mapping(verb) => return Box::pin(verb.run(caller, client)).await,
        };
        show::answer(caller.json, &one, text::webhook_source)
    }
}

impl MappingVerb {
    async fn run(self, caller: Caller, mut client: Client) -> anyhow::Result<()> {
        let request_id = caller.request_id();
        match self {
            Self::Create { source, file } => {
                let mapping = Some(read_mapping(&file, &source)?);
                let request = CreateWebhookMappingRequest { request_id, mapping };
                let made = client.create_webhook_mapping(request).await?.into_inner().mapping;
                show::answer(caller.json, &made.unwrap_or_default(), text::webhook_mapping)
            }
            Self::Preview { source, number, file, sample, kept } => {
                let mapping = file.as_deref().map(|file| read_mapping(file, &source)).transpose()?;
                let sample = sample.as_deref().map(read_text).transpose()?.unwrap_or_default();
                let kept_posts = if sample.is_empty() { kept } else { 0 };
                let request = PreviewWebhookMappingRequest {
                    source_id: source,
                    number,
                    mapping,
                    sample: sample.into_bytes(),
                    kept_posts,
                };
                let tried = client.preview_webhook_mapping(request).await?.into_inner();
                show::answer(caller.json, &tried, text::webhook_preview)
            }
            Self::Activate { source, number } => {
                let expected_version = Some(get(&mut client, source.clone()).await?.version);
                let request =
                    ActivateWebhookMappingRequest { request_id, source_id: source, number, expected_version };
                let active = client.activate_webhook_mapping(request).await?.into_inner().source;
                show::answer(caller.json, &active.unwrap_or_default(), text::webhook_source)
            }
            Self::Get { source, number } => {
                let mut request = ListWebhookMappingsRequest {
                    page_size: 500,
                    source_id: source.clone(),
                    ..ListWebhookMappingsRequest::default()
                };
                loop {
                    let page = client.list_webhook_mappings(request.clone()).await?.into_inner();
                    if let Some(one) = page.mappings.iter().find(|one| one.number == number) {
                        return show::answer(caller.json, one, text::webhook_mapping);
                    }
                    anyhow::ensure!(!page.next_page_token.is_empty(), "{source} has no mapping {number}");
                    request.page_token = page.next_page_token;
                }
            }
            Self::List { source } => {
                let request = ListWebhookMappingsRequest {
                    page_size: 500,
                    source_id: source,
                    ..ListWebhookMappingsRequest::default()
                };
                let all = client.list_webhook_mappings(request).await?.into_inner();
                show::answer(caller.json, &all, text::webhook_mappings)
            }
        }
    }
}
