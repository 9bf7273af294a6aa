//! Where the services are and who asks: what every verb that calls them takes.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use clap::Args;
use client::{Calls, Certificate, Client, ClientOptions, Endpoints, Token};
use http::Uri;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::roster_service_client::RosterServiceClient;
use proto::redress::assignment::v1::routing_service_client::RoutingServiceClient;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::complainant_service_client::ComplainantServiceClient;
use proto::redress::cases::v1::group_service_client::GroupServiceClient;
use proto::redress::cases::v1::link_service_client::LinkServiceClient;
use proto::redress::cases::v1::search_service_client::SearchServiceClient;
use proto::redress::event::v1::event_feed_client::EventFeedClient;
use proto::redress::event::v1::event_inbox_client::EventInboxClient;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::resolution::v1::department_service_client::DepartmentServiceClient;
use proto::redress::resolution::v1::endpoint_service_client::EndpointServiceClient;
use proto::redress::resolution::v1::investigation_service_client::InvestigationServiceClient;
use proto::redress::resolution::v1::ledger_service_client::LedgerServiceClient;
use proto::redress::resolution::v1::proposal_service_client::ProposalServiceClient;
use proto::redress::resolution::v1::recall_service_client::RecallServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::revision_service_client::RevisionServiceClient;
use proto::redress::resolution::v1::stock_service_client::StockServiceClient;
use proto::redress::resolution::v1::supervision_service_client::SupervisionServiceClient;

/// Where a server is when nothing says so.
pub(crate) const DEFAULT_SERVER: &str = "http://127.0.0.1:50051";
/// Largest message of events accepted: that which a feed may send.
const MAX_FEED_BYTES: usize = 64 * 1024 * 1024;

/// Where the services are, and who asks.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Where the services are
    #[arg(long, value_name = "URI", env = "REDRESS_SERVER", default_value = DEFAULT_SERVER, global = true)]
    pub(crate) server: Uri,
    /// Where one service is, when it is elsewhere: `cases=http://10.0.0.2:50052`
    #[arg(long, value_name = "SERVICE=URI", env = "REDRESS_AT", value_delimiter = ',', global = true,
          value_parser = place)]
    pub(crate) at: Vec<(String, Uri)>,
    /// Token that says who asks
    #[arg(long, env = "REDRESS_TOKEN", hide_env_values = true, global = true)]
    pub(crate) token: Option<String>,
    /// Who asks, where the server has no identity source
    #[arg(id = "as", long, value_name = "SUBJECT", env = "REDRESS_SUBJECT", global = true)]
    pub(crate) subject: Option<String>,
    /// Authority that signed the server's certificate, PEM; needed for https
    #[arg(long, value_name = "FILE", env = "REDRESS_CA", global = true)]
    pub(crate) ca: Option<PathBuf>,
    /// Certificate that says who asks, PEM
    #[arg(long, value_name = "FILE", env = "REDRESS_CERT", global = true, requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", env = "REDRESS_KEY", global = true, requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Longest a call may take, retries included
    #[arg(long, value_name = "SECONDS", default_value_t = 10, global = true)]
    pub(crate) timeout: u64,
    /// Asks once what this consistency token stands for can be seen
    #[arg(long, value_name = "TOKEN", global = true)]
    pub(crate) after: Option<String>,
    /// Idempotency key of a change: the same again changes nothing twice
    #[arg(long, value_name = "ID", global = true)]
    pub(crate) request_id: Option<String>,
    /// Answers as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

fn place(text: &str) -> Result<(String, Uri), String> {
    let (service, uri) = text.split_once('=').ok_or("must be SERVICE=URI")?;
    if !crate::SERVICES.iter().any(|known| known.name == service) {
        let names = crate::SERVICES.map(|service| service.name).join(", ");
        return Err(format!("the services are {names}"));
    }
    Ok((service.to_owned(), uri.parse().map_err(|error| format!("{uri}: {error}"))?))
}

/// Which page of a list.
#[derive(Args, Clone, Debug)]
pub(crate) struct Page {
    /// Most rows to show
    #[arg(long, value_name = "ROWS", default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=500))]
    pub(crate) limit: i32,
    /// Where to go on, as the page before says
    #[arg(long, value_name = "TOKEN", default_value = "")]
    pub(crate) page: String,
}

/// What most changes of something that exists take.
#[derive(Args, Clone, Debug)]
pub(crate) struct Expect {
    /// Version last seen: a change in between makes this one fail
    #[arg(long = "expect", value_name = "VERSION")]
    pub(crate) version: Option<i64>,
}

/// Someone connected to the services.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) client: Client,
    pub(crate) json: bool,
    pub(crate) subject: Option<String>,
    request_id: Option<String>,
}

impl Connection {
    /// Connects, or says that nobody is there.
    pub(crate) async fn open(&self) -> anyhow::Result<Caller> {
        let mut client = Client::connect(self.options()?).await?;
        if let Some(token) = &self.after {
            let token = Token::parse(token).context("--after takes a token such as intake:42")?;
            client = client.seeing(&token);
        }
        let Self { json, subject, request_id, .. } = self.clone();
        let subject = subject.or_else(|| self.token.as_deref().and_then(subject_of));
        Ok(Caller { client, json, subject, request_id })
    }

    fn options(&self) -> anyhow::Result<ClientOptions> {
        let read = |path: &PathBuf| std::fs::read(path).with_context(|| format!("{}", path.display()));
        let certificate = match self.cert.as_ref().zip(self.key.as_ref()) {
            Some((cert, key)) => Some(Certificate { chain: read(cert)?, key: read(key)? }),
            None => None,
        };
        let mut endpoints = Endpoints::one(self.server.clone());
        for (service, uri) in &self.at {
            endpoints = endpoints.with(service, uri.clone());
        }
        Ok(ClientOptions {
            endpoints,
            ca: self.ca.as_ref().map(read).transpose()?,
            certificate,
            token: self.token.as_ref().map(|token| token.trim().to_owned()),
            subject: self.subject.clone(),
            deadline: Duration::from_secs(self.timeout),
            ..ClientOptions::at(self.server.clone())
        })
    }
}

/// Whom a token is of, as it says itself: no more than what `--as` says by default. Only the
/// server finds out whether it is true.
fn subject_of(token: &str) -> Option<String> {
    let payload = token.trim().split('.').nth(1)?;
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}

impl Caller {
    /// The idempotency key asked for, or a new one.
    pub(crate) fn request_id(&self) -> String {
        self.request_id.clone().unwrap_or_else(|| self.client.request_id())
    }

    pub(crate) fn intake(&self) -> IntakeServiceClient<Calls> {
        IntakeServiceClient::new(self.client.calls())
    }

    pub(crate) fn cases(&self) -> CaseServiceClient<Calls> {
        CaseServiceClient::new(self.client.calls())
    }

    pub(crate) fn search(&self) -> SearchServiceClient<Calls> {
        SearchServiceClient::new(self.client.calls())
    }

    pub(crate) fn links(&self) -> LinkServiceClient<Calls> {
        LinkServiceClient::new(self.client.calls())
    }

    pub(crate) fn complainants(&self) -> ComplainantServiceClient<Calls> {
        ComplainantServiceClient::new(self.client.calls())
    }

    pub(crate) fn groups(&self) -> GroupServiceClient<Calls> {
        GroupServiceClient::new(self.client.calls())
    }

    pub(crate) fn roster(&self) -> RosterServiceClient<Calls> {
        RosterServiceClient::new(self.client.calls())
    }

    pub(crate) fn routing(&self) -> RoutingServiceClient<Calls> {
        RoutingServiceClient::new(self.client.calls())
    }

    pub(crate) fn assignment(&self) -> AssignmentServiceClient<Calls> {
        AssignmentServiceClient::new(self.client.calls())
    }

    pub(crate) fn resolution(&self) -> ResolutionServiceClient<Calls> {
        ResolutionServiceClient::new(self.client.calls())
    }

    pub(crate) fn ledger(&self) -> LedgerServiceClient<Calls> {
        LedgerServiceClient::new(self.client.calls())
    }

    pub(crate) fn revisions(&self) -> RevisionServiceClient<Calls> {
        RevisionServiceClient::new(self.client.calls())
    }

    pub(crate) fn proposals(&self) -> ProposalServiceClient<Calls> {
        ProposalServiceClient::new(self.client.calls())
    }

    pub(crate) fn investigations(&self) -> InvestigationServiceClient<Calls> {
        InvestigationServiceClient::new(self.client.calls())
    }

    pub(crate) fn stock(&self) -> StockServiceClient<Calls> {
        StockServiceClient::new(self.client.calls())
    }

    pub(crate) fn recalls(&self) -> RecallServiceClient<Calls> {
        RecallServiceClient::new(self.client.calls())
    }

    pub(crate) fn departments(&self) -> DepartmentServiceClient<Calls> {
        DepartmentServiceClient::new(self.client.calls())
    }

    pub(crate) fn supervision(&self) -> SupervisionServiceClient<Calls> {
        SupervisionServiceClient::new(self.client.calls())
    }

    pub(crate) fn endpoints(&self) -> EndpointServiceClient<Calls> {
        EndpointServiceClient::new(self.client.calls())
    }

    pub(crate) fn feedback(&self) -> FeedbackServiceClient<Calls> {
        FeedbackServiceClient::new(self.client.calls())
    }

    pub(crate) fn feed(&self, source: &str) -> EventFeedClient<Calls> {
        EventFeedClient::new(self.client.calls_at(source)).max_decoding_message_size(MAX_FEED_BYTES)
    }

    pub(crate) fn inbox(&self, consumer: &str) -> EventInboxClient<Calls> {
        EventInboxClient::new(self.client.calls_at(consumer)).max_decoding_message_size(MAX_FEED_BYTES)
    }
}

/// Takes a stream's end for a break that passes, or for what it is: a refusal, which the
/// next try would meet too.
pub(crate) fn passing(status: tonic::Status) -> anyhow::Result<()> {
    use tonic::Code;
    match status.code() {
        Code::Unavailable | Code::Cancelled | Code::Unknown | Code::Internal | Code::Aborted => Ok(()),
        _ => Err(status.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::subject_of;

    #[test]
    fn a_token_names_whom_it_is_of() {
        // {"alg":"none"} . {"sub":"ann"} . nothing
        assert_eq!(subject_of("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."), Some("ann".to_owned()));
        for other in ["", "opaque", "a.b.c", "a.eyJzdWIiOjd9.c"] {
            assert_eq!(subject_of(other), None, "{other}");
        }
    }
}
