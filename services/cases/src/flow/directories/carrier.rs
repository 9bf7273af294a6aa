//! Carries questions to a directory, by gRPC or HTTP/JSON.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use kernel::TenantId;
use prost::{Message, Name};
use proto::redress::directory::v1::directory_client::DirectoryClient;
use proto::redress::directory::v1::{
    Contact, Customer, GetCustomerRequest, GetCustomerResponse, GetProductRequest, GetProductResponse,
    ListContactsRequest, ListContactsResponse, ListOrdersRequest, ListOrdersResponse, Order, Product,
};
use server::Secret;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use webhook::{Failure, Post, Reply, Sender, Target};

use crate::directory::{Directory, DirectoryAnswer, DirectoryKind, Named};
use crate::wire::directories as wire;
use crate::wire::directories::Answers;

/// Largest answer by gRPC; by HTTP, the sender has the same bound.
const MAX_ANSWER: usize = 64 * 1024;
/// From this size on, reading an answer leaves the async thread.
const HEAVY: usize = 8 * 1024;
/// Where the rpcs are by HTTP.
const SERVICE: &str = "redress.directory.v1.Directory";
/// Version of the Connect protocol.
const CONNECT_VERSION: (&str, HeaderValue) = ("connect-protocol-version", HeaderValue::from_static("1"));
/// Status of what the directory does not know.
const NOT_FOUND: u16 = 404;

/// The roads to all directories.
#[derive(Clone, Debug)]
pub(crate) struct Carrier {
    sender: Sender,
}

/// The road to one directory.
struct Line<'a> {
    sender: &'a Sender,
    url: &'a str,
    token: Option<&'a Secret>,
    timeout: Duration,
    /// None by HTTP, where each question has a connection of its own.
    client: Option<DirectoryClient<Channel>>,
}

impl Carrier {
    pub(crate) fn new(sender: Sender) -> Self {
        Self { sender }
    }

    /// Asks everything that can be asked of what a complaint names; whatever goes wrong is a
    /// gap. The customer's own number, as the directory tells it, is what the rest is asked by.
    pub(crate) async fn ask(
        &self,
        directory: &Directory,
        tenant: &TenantId,
        named: &Named,
    ) -> DirectoryAnswer {
        let line = match self.line(directory).await {
            Ok(line) => line,
            Err(failure) => return nobody(tenant, named, &failure.to_string()),
        };
        let customer = async {
            match wire::who(tenant, named) {
                Some(question) => Some(line.customer(question).await),
                None => None,
            }
        };
        let product = async {
            match wire::product(tenant, named) {
                Some(question) => Some(line.product(question).await),
                None => None,
            }
        };
        let (customer, product) = tokio::join!(customer, product);
        let told = customer.as_ref().and_then(|answer| answer.as_ref().ok()?.as_ref());
        let customer_id =
            told.map(|customer| customer.customer_id.clone()).filter(|number| !number.is_empty());
        let customer_id = customer_id.unwrap_or_else(|| named.customer_id.clone());
        let orders = async {
            match wire::orders(tenant, &customer_id, named) {
                Some(question) => Some(line.orders(question).await),
                None => None,
            }
        };
        let contacts = async {
            match wire::contacts(tenant, &customer_id) {
                Some(question) => Some(line.contacts(question).await),
                None => None,
            }
        };
        let (orders, contacts) = tokio::join!(orders, contacts);
        wire::heard(Answers { customer, orders, product, contacts })
    }

    async fn line<'a>(&'a self, directory: &'a Directory) -> Result<Line<'a>, Failure> {
        let client = match directory.kind {
            DirectoryKind::Http => None,
            DirectoryKind::Grpc => {
                let target = directory.url.parse::<Target>().map_err(|_| Failure::Unreachable)?;
                let connecting = tokio::time::timeout(directory.timeout, self.sender.channel(&target));
                let channel = connecting.await.unwrap_or(Err(Failure::Unreachable))?;
                Some(DirectoryClient::new(channel).max_decoding_message_size(MAX_ANSWER))
            }
        };
        Ok(Line {
            sender: &self.sender,
            url: directory.url.trim_end_matches('/'),
            token: directory.token.as_ref(),
            timeout: directory.timeout,
            client,
        })
    }
}

/// What came of asking a directory that cannot be reached.
fn nobody(tenant: &TenantId, named: &Named, reason: &str) -> DirectoryAnswer {
    let none = || reason.to_owned();
    wire::heard(Answers {
        customer: wire::who(tenant, named).map(|_| Err(none())),
        orders: wire::orders(tenant, &named.customer_id, named).map(|_| Err(none())),
        product: wire::product(tenant, named).map(|_| Err(none())),
        contacts: wire::contacts(tenant, &named.customer_id).map(|_| Err(none())),
    })
}

/// Asks by the road there is: `$rpc` of the contract, or the client's `$call`.
macro_rules! ask {
    ($line:ident, $question:ident, $rpc:literal, $call:ident) => {
        match $line.client.clone() {
            Some(mut client) => $line.called(client.$call($line.dressed($question)?)).await,
            None => $line.posted($rpc, &$question).await,
        }
    };
}

impl Line<'_> {
    async fn customer(&self, question: GetCustomerRequest) -> Result<Option<Customer>, String> {
        let GetCustomerResponse { customer } = ask!(self, question, "GetCustomer", get_customer)?;
        Ok(customer)
    }

    async fn orders(&self, question: ListOrdersRequest) -> Result<Vec<Order>, String> {
        let ListOrdersResponse { orders } = ask!(self, question, "ListOrders", list_orders)?;
        Ok(orders)
    }

    async fn product(&self, question: GetProductRequest) -> Result<Option<Product>, String> {
        let GetProductResponse { product } = ask!(self, question, "GetProduct", get_product)?;
        Ok(product)
    }

    async fn contacts(&self, question: ListContactsRequest) -> Result<Vec<Contact>, String> {
        let ListContactsResponse { contacts } = ask!(self, question, "ListContacts", list_contacts)?;
        Ok(contacts)
    }

    /// What a call came to. What the directory does not know is an answer with nothing in it.
    async fn called<A: Default>(
        &self,
        call: impl Future<Output = Result<Response<A>, Status>>,
    ) -> Result<A, String> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) if status.code() == Code::NotFound => Ok(A::default()),
            // The same, where the connection's clock is the first to say so, or the directory's.
            Ok(Err(status)) if matches!(status.code(), Code::Cancelled | Code::DeadlineExceeded) => {
                Err(late())
            }
            Ok(Err(status)) => Err(format!("it answered with {:?}: {}", status.code(), status.message())),
            Err(_) => Err(late()),
        }
    }

    fn dressed<Q>(&self, question: Q) -> Result<Request<Q>, String> {
        let mut request = Request::new(question);
        request.set_timeout(self.timeout);
        if let Some(token) = self.token {
            let bearer = format!("Bearer {}", token.expose()).parse().map_err(|_| unshowable())?;
            request.metadata_mut().insert("authorization", bearer);
        }
        Ok(request)
    }

    /// What a question that was posted came to.
    async fn posted<Q, A>(&self, rpc: &str, question: &Q) -> Result<A, String>
    where
        Q: Message + Name,
        A: Message + Name + Default,
    {
        let target: Target =
            format!("{}/{SERVICE}/{rpc}", self.url).parse().map_err(|_| "its URL cannot be used")?;
        let body = wire::json(question).ok_or("the question cannot be written")?;
        let mut headers = HeaderMap::new();
        let (name, version) = CONNECT_VERSION;
        headers.insert(name, version);
        if let Some(token) = self.token {
            let bearer =
                HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| unshowable())?;
            headers.insert(http::header::AUTHORIZATION, bearer);
        }
        let post = Post { headers, body: Bytes::from(body), timeout: self.timeout };
        let Reply { status, body, is_whole, .. } =
            self.sender.post(&target, post).await.map_err(|failure| failure.to_string())?;
        match status {
            200 if is_whole => server::aside(body.len() > HEAVY, || wire::read_json(&body)),
            200 => Err("its answer is too long to be read".to_owned()),
            NOT_FOUND => Ok(A::default()),
            _ => Err(format!("it answered with status {status}")),
        }
    }
}

fn late() -> String {
    Failure::TooLate.to_string()
}

fn unshowable() -> String {
    "its token cannot be shown".to_owned()
}
