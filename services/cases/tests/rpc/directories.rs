//! What a company's own directory knows of a case: kept as it was when the case was opened,
//! asked anew for who looks, and in nobody's way where it is slow, wrong, absent or endless.

#[path = "directories/lookups.rs"]
mod lookups;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proto::redress::cases::v1::directory_service_client::DirectoryServiceClient;
use proto::redress::cases::v1::{
    DeleteDirectoryRequest, DirectoryGap, DirectoryKind, DirectoryPart, GetCaseDirectoryRequest,
    GetCaseDirectoryResponse, GetDirectoryRequest, SetDirectoryRequest,
};
use proto::redress::directory::v1::directory_server::{Directory, DirectoryServer};
use proto::redress::directory::v1::{
    Contact, Customer, GetCustomerRequest, GetCustomerResponse, GetProductRequest, GetProductResponse,
    ListContactsRequest, ListContactsResponse, ListOrdersRequest, ListOrdersResponse, Order, Product,
};
use proto::redress::intake::v1::{Complainant, Complaint, Respondent};
use testkit::{CallerChannel, House, MockClock, eventually, reason, request_id, violations};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::scene::{complaint, registered};

const TOKEN: &str = "a-token-of-the-shop";

/// How a directory behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    Slow,
    Wrong,
    Huge,
    OrdersOnly,
}

/// A company's directory: what it was asked and shown, and how it behaves.
#[derive(Clone)]
struct Shop {
    fault: Arc<Mutex<Fault>>,
    tier: Arc<Mutex<String>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    async fn answer<Q: std::fmt::Debug, A>(
        &self,
        request: Request<Q>,
        answer: impl FnOnce(usize) -> A,
    ) -> Result<Response<A>, Status> {
        let shown = request.metadata().get("authorization").and_then(|shown| shown.to_str().ok());
        let asked = format!("{} {:?}", shown.unwrap_or_default(), request.get_ref());
        let is_about_orders = asked.contains("ListOrders");
        self.asked.lock().expect("a lock").push(asked);
        let fault = *self.fault.lock().expect("a lock");
        match fault {
            Fault::Slow => {
                tokio::time::sleep(Duration::from_mins(1)).await;
                Err(Status::unavailable("too late"))
            }
            Fault::Wrong => Err(Status::internal("the shop is on fire")),
            Fault::OrdersOnly if !is_about_orders => Err(Status::unavailable("under repair")),
            Fault::Huge => Ok(Response::new(answer(10_000))),
            Fault::None | Fault::OrdersOnly => Ok(Response::new(answer(1))),
        }
    }

    fn set(&self, fault: Fault) {
        *self.fault.lock().expect("a lock") = fault;
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a lock").clone()
    }
}

#[tonic::async_trait]
impl Directory for Shop {
    async fn get_customer(
        &self,
        request: Request<GetCustomerRequest>,
    ) -> Result<Response<GetCustomerResponse>, Status> {
        if request.get_ref().customer_id == "nobody" {
            return Err(Status::not_found("no such customer"));
        }
        let tier = self.tier.lock().expect("a lock").clone();
        let customer = |size| Customer {
            customer_id: "shop-17".to_owned(),
            display_name: "Ada ".repeat(size),
            tier,
            ..Customer::default()
        };
        self.answer(request, |size| GetCustomerResponse { customer: Some(customer(size)) }).await
    }

    async fn list_orders(
        &self,
        request: Request<ListOrdersRequest>,
    ) -> Result<Response<ListOrdersResponse>, Status> {
        let order_ref = request.get_ref().order_ref.clone();
        let order = Order { order_ref, status: "delivered".to_owned(), ..Order::default() };
        self.answer(request, |size| ListOrdersResponse { orders: vec![order; size] }).await
    }

    async fn get_product(
        &self,
        request: Request<GetProductRequest>,
    ) -> Result<Response<GetProductResponse>, Status> {
        let product_ref = request.get_ref().product_ref.clone();
        let product = Product { product_ref, title: "A kettle".to_owned(), ..Product::default() };
        self.answer(request, |_| GetProductResponse { product: Some(product) }).await
    }

    async fn list_contacts(
        &self,
        request: Request<ListContactsRequest>,
    ) -> Result<Response<ListContactsResponse>, Status> {
        let contact = Contact { channel: "phone".to_owned(), ..Contact::default() };
        self.answer(request, |size| ListContactsResponse { contacts: vec![contact; 30 * size] }).await
    }
}

/// A house, and a shop that it is told of.
struct Scene {
    house: House,
    shop: Shop,
    url: String,
    serving: JoinHandle<()>,
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

impl Scene {
    async fn open() -> Self {
        let house = House::builder(&[cases::SERVICE])
            .clock(MockClock::default())
            .settings(|settings| settings.endpoint_networks = vec!["127.0.0.0/8".parse().expect("a network")])
            .open()
            .await;
        let shop = Shop {
            fault: Arc::new(Mutex::new(Fault::None)),
            tier: Arc::new(Mutex::new("silver".to_owned())),
            asked: Arc::default(),
        };
        let (listener, address) = listen().await;
        let server = Server::builder().add_service(DirectoryServer::new(shop.clone()));
        let serving = tokio::spawn(async move {
            server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("it is served");
        });
        Self { house, shop, url: format!("http://{address}"), serving }
    }

    fn client(&self) -> DirectoryServiceClient<CallerChannel> {
        DirectoryServiceClient::new(self.house.channel())
    }

    async fn set(&self, kind: DirectoryKind, url: &str) {
        let request = SetDirectoryRequest {
            timeout_duration: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
            ..setting(kind, url)
        };
        self.client().set_directory(request).await.expect("it can be set");
    }

    async fn register(&self, customer: &str, product: &str) -> Uuid {
        let now = self.house.db("cases").clock().now();
        let case = self.house.db("cases").ids().id(now);
        self.house.tell("intake", case, &registered(case, naming(customer, product), now)).await;
        self.house.settled().await;
        case
    }

    async fn look(&self, case: Uuid, refresh: bool) -> GetCaseDirectoryResponse {
        let request = GetCaseDirectoryRequest { case_id: case.to_string(), refresh };
        self.client().get_case_directory(request).await.expect("it can be read").into_inner()
    }

    /// What was kept of the opening, once it was.
    async fn opened(&self, case: Uuid) -> GetCaseDirectoryResponse {
        eventually(async || self.kept(case, "opening IS NOT NULL").await).await;
        self.look(case, false).await
    }

    /// Whether a condition holds of what is kept of a case, without asking anybody.
    async fn kept(&self, case: Uuid, condition: &str) -> bool {
        let text =
            format!("SELECT count(*) FROM cases.directory_lookup WHERE case_id = '{case}' AND ({condition})");
        let mut owner = self.house.owner().await;
        let count: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(&mut owner).await.expect("a count");
        count == 1
    }

    async fn done(self) {
        self.serving.abort();
        self.house.done().await;
    }
}

fn setting(kind: DirectoryKind, url: &str) -> SetDirectoryRequest {
    SetDirectoryRequest {
        request_id: request_id(),
        kind: kind.into(),
        url: url.to_owned(),
        token: TOKEN.to_owned(),
        ..SetDirectoryRequest::default()
    }
}

fn naming(customer: &str, product: &str) -> Complaint {
    let (customer_id, product) = (customer.to_owned(), product.to_owned());
    Complaint {
        complainant: Some(Complainant { customer_id, ..Complainant::default() }),
        respondent: Some(Respondent { product, ..Respondent::default() }),
        ..complaint()
    }
}

#[tokio::test]
async fn what_was_true_when_a_case_was_opened_is_kept_beside_what_is_true_now() {
    let scene = Scene::open().await;
    let before = scene.register("c-1", "k-9").await;
    scene.set(DirectoryKind::Grpc, &scene.url).await;
    let case = scene.register("c-1", "k-9").await;
    let found = scene.opened(case).await;
    let opening = found.opening.clone().expect("it was asked");
    let customer = opening.customer.clone().expect("a customer");
    assert_eq!((customer.customer_id.as_str(), customer.tier.as_str()), ("shop-17", "silver"));
    assert_eq!(opening.product.as_ref().map(|product| product.product_ref.as_str()), Some("k-9"));
    assert_eq!((opening.orders.len(), opening.contacts.len(), opening.gaps.len()), (1, 20, 0));
    assert_eq!((found.failure.as_str(), found.next_try_time), ("", None));
    // The rest is asked by the number that the directory itself has for the customer.
    let asked = scene.shop.asked();
    assert!(asked.iter().all(|asked| asked.starts_with(&format!("Bearer {TOKEN} "))), "{asked:?}");
    assert!(asked.iter().any(|asked| asked.contains("ListOrders") && asked.contains("shop-17")), "{asked:?}");

    // Within its time an answer is shown with its age; then, or when somebody wishes, it is asked anew.
    "gold".clone_into(&mut scene.shop.tier.lock().expect("a lock"));
    scene.house.advance(Duration::from_mins(1));
    let shown = scene.look(case, false).await.latest.expect("an answer");
    assert_eq!(
        (shown.age_duration.map(|age| age.seconds), shown.customer),
        (Some(60), Some(customer.clone()))
    );
    let anew = scene.look(case, true).await;
    let latest = anew.latest.expect("an answer");
    assert_eq!(latest.customer.map(|customer| customer.tier).as_deref(), Some("gold"));
    assert_eq!(latest.age_duration.map(|age| age.seconds), Some(0));
    assert_eq!(anew.opening.and_then(|opening| opening.customer), Some(customer));
    let count = scene.shop.asked().len();
    scene.look(case, true).await;
    assert_eq!(scene.shop.asked().len(), count, "it was answered just now");
    scene.house.advance(Duration::from_hours(1));
    scene.look(case, false).await;
    assert_eq!(scene.shop.asked().len(), count + 4, "an hour is as old as it may be");

    // There was no directory when the first case was opened: it is asked by its customer's number
    // once somebody wishes. The other names nothing.
    assert_eq!(scene.look(before, false).await, GetCaseDirectoryResponse::default());
    let late = scene.look(before, true).await;
    assert_eq!((late.opening.is_none(), late.failure.as_str(), late.next_try_time), (true, "", None));
    let late = late.latest.expect("an answer").customer.expect("a customer");
    assert_eq!((late.customer_id.as_str(), late.tier.as_str()), ("shop-17", "gold"));
    assert!(scene.look(before, false).await.latest.is_some(), "it is kept");
    let nameless = scene.register("", "").await;
    assert_eq!(scene.look(nameless, true).await, GetCaseDirectoryResponse::default());
    scene.done().await;
}

#[tokio::test]
async fn of_several_who_look_at_once_one_asks() {
    let scene = Scene::open().await;
    scene.set(DirectoryKind::Grpc, &scene.url).await;
    let case = scene.register("c-1", "k-9").await;
    scene.opened(case).await;
    scene.house.advance(Duration::from_mins(1));
    let count = scene.shop.asked().len();
    let (one, other, third) =
        tokio::join!(scene.look(case, true), scene.look(case, true), scene.look(case, true));
    assert_eq!(scene.shop.asked().len(), count + 4, "each of four questions once");
    assert!([one, other, third].iter().all(|found| found.latest.is_some()));
    // One that answers nobody is not asked by each who looks.
    scene.shop.set(Fault::Wrong);
    scene.house.advance(Duration::from_hours(2));
    scene.look(case, false).await;
    let count = scene.shop.asked().len();
    scene.look(case, false).await;
    assert_eq!(scene.shop.asked().len(), count);
    scene.done().await;
}

#[tokio::test]
async fn a_directory_that_fails_is_in_nobodys_way_and_is_asked_again() {
    let scene = Scene::open().await;
    scene.set(DirectoryKind::Grpc, &scene.url).await;
    for (fault, why) in [
        (Fault::Wrong, "the shop is on fire"),
        (Fault::Slow, "not answered in time"),
        (Fault::OrdersOnly, "under repair"),
    ] {
        scene.shop.set(fault);
        let case = scene.register("c-1", "k-9").await;
        eventually(async || scene.kept(case, "failure <> ''").await).await;
        let kept = scene.kept(case, "opening IS NOT NULL").await;
        assert_eq!(kept, fault == Fault::OrdersOnly, "{fault:?}");
        let found = scene.look(case, false).await;
        assert!(found.failure.contains(why) && found.next_try_time.is_some(), "{fault:?}: {found:?}");
        if fault == Fault::OrdersOnly {
            let opening = found.opening.expect("what there was");
            let gaps: Vec<_> = opening.gaps.iter().map(DirectoryGap::part).collect();
            assert_eq!(gaps, [DirectoryPart::Customer, DirectoryPart::Product, DirectoryPart::Contacts]);
            assert_eq!(opening.orders.len(), 1);
        }
        scene.shop.set(Fault::None);
        scene.house.advance(Duration::from_mins(2));
        eventually(async || scene.kept(case, "next_try_at IS NULL").await).await;
        let found = scene.look(case, false).await;
        let opening = found.opening.expect("it was asked again");
        assert_eq!((opening.gaps.len(), found.failure.as_str()), (0, ""), "{fault:?}");
        assert!(opening.customer.is_some(), "{fault:?}");
    }
    scene.done().await;
}

#[tokio::test]
async fn what_is_endless_is_cut_and_what_is_unknown_is_no_failure() {
    let scene = Scene::open().await;
    scene.set(DirectoryKind::Grpc, &scene.url).await;
    let unknown = scene.register("nobody", "").await;
    let found = scene.opened(unknown).await;
    let opening = found.opening.expect("an answer");
    assert_eq!((opening.customer, opening.gaps.len(), found.failure.as_str()), (None, 0, ""));
    // Ten thousand orders are more than is read; what is read is cut.
    scene.shop.set(Fault::Huge);
    let case = scene.register("c-1", "").await;
    eventually(async || scene.kept(case, "failure <> ''").await).await;
    let latest = scene.look(case, false).await.latest.expect("what could be read");
    assert_eq!(latest.customer.map(|customer| customer.display_name.len()), Some(200));
    assert!(latest.orders.is_empty() && latest.gaps.iter().any(|gap| gap.part() == DirectoryPart::Orders));
    scene.done().await;
}

/// Answers every request on a port with this, and tells what it was asked.
async fn answering(answer: &'static str) -> (String, Arc<Mutex<Vec<String>>>, JoinHandle<()>) {
    let (listener, address) = listen().await;
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let heard = asked.clone();
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let heard = heard.clone();
            tokio::spawn(async move {
                let mut request = String::new();
                let mut part = [0_u8; 4_096];
                while !request.contains('}') {
                    let Ok(count) = stream.read(&mut part).await else { return };
                    if count == 0 {
                        return;
                    }
                    request += &String::from_utf8_lossy(&part[..count]);
                }
                heard.lock().expect("a lock").push(request);
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    (format!("http://{address}/shop"), asked, serving)
}

#[tokio::test]
async fn a_directory_by_http_is_asked_as_connect_has_it() {
    let scene = Scene::open().await;
    for (answer, known, failure) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 74\r\n\r\n{\"customer\": {\"customerId\": \"shop-17\", \"nickname\": \"x\"}, \"orders\": [{}]}  ",
            true,
            "",
        ),
        ("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", false, ""),
        (
            "HTTP/1.1 302 Found\r\nlocation: /x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            false,
            "status 302",
        ),
        (
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\n<html> x>",
            false,
            "cannot be read",
        ),
        ("nonsense\r\n\r\n", false, "connection broke"),
    ] {
        let (url, asked, serving) = answering(answer).await;
        scene.set(DirectoryKind::Http, &url).await;
        let case = scene.register("c-1", "").await;
        eventually(async || scene.kept(case, "opening IS NOT NULL OR failure <> ''").await).await;
        let found = scene.look(case, false).await;
        assert!(
            found.failure.contains(failure) && found.failure.is_empty() == failure.is_empty(),
            "{found:?}"
        );
        let customer = found.latest.and_then(|latest| latest.customer);
        assert_eq!(customer.is_some_and(|customer| customer.customer_id == "shop-17"), known, "{answer}");
        let first = asked.lock().expect("a lock")[0].clone();
        assert!(
            first.starts_with("POST /shop/redress.directory.v1.Directory/GetCustomer HTTP/1.1\r\n"),
            "{first}"
        );
        for part in [
            "connect-protocol-version: 1",
            &format!("authorization: Bearer {TOKEN}"),
            "\"customerId\":\"c-1\"",
        ] {
            assert!(first.contains(part), "{part}: {first}");
        }
        serving.abort();
    }
    scene.done().await;
}

#[tokio::test]
async fn settings_are_checked_and_keep_the_token_for_their_own_url() {
    let scene = Scene::open().await;
    let mut client = scene.client();
    let refusal = client.get_directory(GetDirectoryRequest {}).await.expect_err("none is set");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "DIRECTORY_NOT_FOUND"));
    let short = Some(prost_types::Duration { seconds: 0, nanos: 1 });
    for (request, fields) in [
        (SetDirectoryRequest::default(), vec!["request_id", "kind", "url"]),
        (setting(DirectoryKind::Grpc, "http://example.org/x"), vec!["url"]),
        (setting(DirectoryKind::Http, "https://example.org/x?y=z"), vec!["url"]),
        (
            SetDirectoryRequest {
                token: "short".to_owned(),
                timeout_duration: short,
                max_age_duration: short,
                ..setting(DirectoryKind::Http, "ftp://example.org")
            },
            vec!["url", "token", "timeout_duration", "max_age_duration"],
        ),
    ] {
        let refusal = client.set_directory(request).await.expect_err("it is wrong");
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "INVALID_DIRECTORY"));
        assert_eq!(violations(&refusal), fields);
    }
    let url = "https://shop.example.org/api";
    let first = client.set_directory(setting(DirectoryKind::Http, url)).await.expect("set").into_inner();
    let first = first.directory.expect("settings");
    assert_eq!((first.version, first.has_token), (1, true));
    let tokenless =
        |url: &str| SetDirectoryRequest { token: String::new(), ..setting(DirectoryKind::Http, url) };
    let kept = client.set_directory(tokenless(url)).await.expect("set").into_inner().directory;
    assert_eq!(kept.map(|kept| (kept.version, kept.has_token)), Some((2, true)));
    let elsewhere =
        client.set_directory(tokenless("https://evil.example.org")).await.expect("set").into_inner();
    assert_eq!(elsewhere.directory.map(|other| (other.version, other.has_token)), Some((3, false)));
    let stale = SetDirectoryRequest { expected_version: Some(1), ..tokenless(url) };
    assert_eq!(reason(&client.set_directory(stale).await.expect_err("stale")), "VERSION_MISMATCH");
    let delete = |version| DeleteDirectoryRequest { request_id: request_id(), expected_version: version };
    assert_eq!(
        reason(&client.delete_directory(delete(Some(1))).await.expect_err("stale")),
        "VERSION_MISMATCH"
    );
    client.delete_directory(delete(Some(3))).await.expect("it is forgotten");
    assert_eq!(
        reason(&client.delete_directory(delete(None)).await.expect_err("gone")),
        "DIRECTORY_NOT_FOUND"
    );
    scene.done().await;
}
