//! `redress post …`: posts that webhook sources delivered, and what is answered to them in public.

use anyhow::ensure;
use clap::{Args, Subcommand};
use client::Calls;
use proto::redress::intake::v1::post_service_client::PostServiceClient;
use proto::redress::intake::v1::{
    ApproveReplyRequest, DraftReplyRequest, GetPostRequest, ListPostsRequest, ListReplyDraftsRequest,
    PostState, RecordReplySentRequest, RegisterPostRequest, ReplyDraftState,
};
use show::{text, words};

use super::connection::{Caller, Connection};

type Client = PostServiceClient<Calls>;

#[derive(Args)]
pub(crate) struct Posts {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists posts, newest first
    List {
        /// Only those of this source
        #[arg(long, default_value = "", hide_default_value = true)]
        source: String,
        /// Only those of which this became
        #[arg(long, value_parser = words::read::<PostState>, help = words::choices::<PostState>())]
        state: Option<PostState>,
        /// Only those of this complaint
        #[arg(long, default_value = "", hide_default_value = true)]
        complaint: String,
        /// Only those of the matter that this post told of first
        #[arg(long, value_name = "POST", default_value = "", hide_default_value = true)]
        matter: String,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: i32,
    },
    /// Shows a post, what became of it, and how far its matter has spread
    Show {
        /// Id of the post
        post: String,
    },
    /// Registers a post that was set aside, or counted wrongly: as a complaint, or on a case
    Register {
        /// Id of the post
        post: String,
        /// The complaint it is added to
        #[arg(long, default_value = "", hide_default_value = true)]
        complaint: String,
    },
    /// Public replies, which somebody else approves and your own tool posts
    #[command(subcommand)]
    Reply(ReplyVerb),
}

#[derive(Subcommand)]
enum ReplyVerb {
    /// Writes the reply to a post; without a text, by the template of the mapping
    Draft {
        /// Id of the post
        post: String,
        /// What is answered; without, the template of the mapping
        #[arg(default_value = "", hide_default_value = true)]
        text: String,
    },
    /// Approves a reply that somebody else has written, in the version that you have read
    Approve {
        /// Id of the post
        post: String,
        /// Version of the reply that was read
        #[arg(long)]
        version: i64,
    },
    /// Notes that an approved reply was posted, and where it can be read
    Sent {
        /// Id of the post
        post: String,
        /// Version of the reply that was read
        #[arg(long)]
        version: i64,
        /// Where it can be read
        #[arg(long)]
        uri: String,
    },
    /// Lists replies
    List {
        /// Only those that are so far
        #[arg(long, value_parser = words::read::<ReplyDraftState>, help = words::choices::<ReplyDraftState>())]
        state: Option<ReplyDraftState>,
        /// Only those to posts of this source
        #[arg(long, default_value = "", hide_default_value = true)]
        source: String,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: i32,
    },
}

impl Posts {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut client = Client::new(caller.client.calls());
        let one = match self.verb {
            Verb::List { source, state, complaint, matter, limit } => {
                ensure!(limit > 0, "--limit must be at least 1");
                let request = ListPostsRequest {
                    page_size: limit,
                    page_token: String::new(),
                    source_id: source,
                    state: state.unwrap_or_default().into(),
                    complaint_id: complaint,
                    head_post_id: matter,
                };
                let found = client.list_posts(request).await?.into_inner();
                return show::answer(caller.json, &found, text::posts);
            }
            Verb::Show { post } => client.get_post(GetPostRequest { post_id: post }).await?.into_inner().post,
            Verb::Register { post, complaint } => {
                let request = RegisterPostRequest {
                    request_id: caller.request_id(),
                    post_id: post,
                    complaint_id: complaint,
                };
                client.register_post(request).await?.into_inner().post
            }
            Verb::Reply(verb) => return verb.run(caller, client).await,
        };
        show::answer(caller.json, &one.unwrap_or_default(), text::post)
    }
}

impl ReplyVerb {
    async fn run(self, caller: Caller, mut client: Client) -> anyhow::Result<()> {
        let request_id = caller.request_id();
        let one = match self {
            Self::Draft { post, text } => {
                let request = DraftReplyRequest { request_id, post_id: post, text, expected_version: None };
                client.draft_reply(request).await?.into_inner().reply
            }
            Self::Approve { post, version } => {
                let request = ApproveReplyRequest { request_id, post_id: post, expected_version: version };
                client.approve_reply(request).await?.into_inner().reply
            }
            Self::Sent { post, version, uri } => {
                let request = RecordReplySentRequest {
                    request_id,
                    post_id: post,
                    reply_uri: uri,
                    expected_version: version,
                };
                client.record_reply_sent(request).await?.into_inner().reply
            }
            Self::List { state, source, limit } => {
                ensure!(limit > 0, "--limit must be at least 1");
                let request = ListReplyDraftsRequest {
                    page_size: limit,
                    page_token: String::new(),
                    state: state.unwrap_or_default().into(),
                    source_id: source,
                };
                let found = client.list_reply_drafts(request).await?.into_inner();
                return show::answer(caller.json, &found, text::reply_drafts);
            }
        };
        show::answer(caller.json, &one.unwrap_or_default(), text::reply_draft)
    }
}
