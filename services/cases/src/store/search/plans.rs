//! Tries the statements on many cases: each can be run, and those of the inboxes
//! are read off an index.

mod bench;
pub(in crate::store) mod seed;

use filter::{self, Facet, Field, Key, Order};
use kernel::TenantId;
use kernel::page::Page;
use pg::Tx;
use testkit::House;

use super::facets::counting;
use super::{Place, SearchContext, Statement, listing, page_key};
use seed::{NOW, seed};

/// What people look at all day, and the index it is read off.
const INBOXES: [(&str, &str, &str); 6] = [
    ("mine", r#"agent = "a-7" AND open = true"#, "cases_open_by_agent"),
    ("my team's", r#"department = "d-7" AND open = true"#, "cases_open_by_department"),
    ("due next", "open = true", "cases_open_by_due"),
    ("breached", "breached = true", "cases_open_by_due"),
    ("unassigned", r#"agent = "" AND open = true"#, "cases_open_by_agent"),
    ("my breached", r#"agent = "a-7" AND breached = true"#, "cases_open_by_agent"),
];
const DUE_FIRST: Order = Order { key: Key::Due, descending: false };

fn context(tenant: &str) -> SearchContext {
    let tenant = TenantId::parse(tenant).expect("a name");
    SearchContext { tenant, now: NOW.parse().expect("a time") }
}

fn orders() -> [Order; 4] {
    [Key::Received, Key::Due]
        .map(|key| [false, true].map(|descending| Order { key, descending }))
        .concat()
        .try_into()
        .expect("four")
}

fn statement(context: &SearchContext, text: &str, order: Order, after: Option<Place>) -> Statement {
    let search = filter::read(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    listing(context, &search.condition, order, after, 51)
}

/// Runs a body as the service does.
async fn transact<T, F: Future<Output = (Tx, T)>>(
    house: &House,
    tenant: &TenantId,
    body: impl FnOnce(Tx) -> F,
) -> T {
    let done = house.db("cases").transact("test", tenant, async move |tx| Ok(body(tx).await)).await;
    done.expect("every statement can be run")
}

/// Every field with every sign that applies to it, in every order, from the first
/// page and from a later one.
#[tokio::test]
async fn every_search_is_a_statement_that_can_be_run() {
    let house = House::open(&[crate::SERVICE]).await;
    let context = context("development");
    let values = [
        "TRIAGED",
        "P2",
        "web",
        "upheld",
        "3",
        "true",
        "2026-11-22T00:00:00Z",
        "delivery/*",
        "\"\"",
        "x",
        "退款未到",
        "*",
    ];
    let mut texts = Vec::new();
    for field in Field::every() {
        for sign in ["=", "!=", "<", "<=", ">", ">=", ":"] {
            let tried = values.map(|value| format!("{} {sign} {value}", field.name()));
            let good: Vec<String> = tried.into_iter().filter(|text| filter::read(text).is_ok()).collect();
            assert!(!good.is_empty() || sign.contains(['<', '>']), "{} {sign}", field.name());
            texts.extend(good);
        }
    }
    texts.push(texts.join(" AND NOT "));
    texts.push(String::new());
    let count = texts.len() * 12;
    assert!(count > 1_000, "{count}");
    let tenant = context.tenant.clone();
    transact(&house, &tenant, async move |mut tx| {
        let later = |due| Some(Place { due, id: uuid::Uuid::max() });
        for text in &texts {
            for order in orders() {
                for after in [None, later(None), later(Some(context.now))] {
                    let plan = statement(&context, text, order, after).plan(&mut tx).await;
                    plan.unwrap_or_else(|error| panic!("{text} {order:?} {after:?}: {error}"));
                }
            }
            let search = filter::read(text).expect("read before");
            let plan = counting(&context, &search.condition, &Facet::ALL).plan(&mut tx).await;
            plan.unwrap_or_else(|error| panic!("counting {text}: {error}"));
        }
        (tx, ())
    })
    .await;
    house.done().await;
}

/// On a table of many cases, most of them over, no inbox looks through more than
/// it shows.
#[tokio::test]
async fn inboxes_are_read_off_an_index() {
    let house = House::open(&[crate::SERVICE]).await;
    let tenants = ["tenant-a", "tenant-b", "tenant-c"];
    seed(&house, &tenants, 10_000).await;
    let context = context(tenants[1]);
    let tenant = context.tenant.clone();
    transact(&house, &tenant, async move |mut tx| {
        for (name, text, index) in INBOXES {
            let later = Place { due: Some(context.now), id: uuid::Uuid::nil() };
            for after in [None, Some(later)] {
                let plan = statement(&context, text, DUE_FIRST, after).plan(&mut tx).await.expect(name);
                assert!(plan.contains(index), "{name} is not read off {index}:\n{plan}");
                for whole in ["Seq Scan", "Sort", "Bitmap", "  Filter"] {
                    assert!(!plan.contains(whole), "{name}: {whole}\n{plan}");
                }
            }
        }
        // How a case ended is looked up; open ones of a state are among the open, or the newest.
        for (text, index) in [("state = WITHDRAWN", "cases_ended"), ("state = TRIAGED", "Index Scan")] {
            let plan = statement(&context, text, Order::default(), None).plan(&mut tx).await.expect(text);
            assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{text}:\n{plan}");
        }
        let newest = statement(&context, "", Order::default(), None).plan(&mut tx).await.expect("a plan");
        assert!(newest.contains("cases_pkey") && !newest.contains("Sort"), "{newest}");
        // A rare word is looked up; of a common one the newest cases have enough.
        for (words, index) in [("text:w4990", "case_text_by_terms"), ("text:w3", "case_text_pkey")] {
            let plan =
                statement(&context, words, Order::default(), None).plan(&mut tx).await.expect("a plan");
            assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{words}:\n{plan}");
        }
        (tx, ())
    })
    .await;
    house.done().await;
}

/// A list walked page by page is the list: nothing twice, nothing left out, in
/// every order, where most share their due time and many have none.
#[tokio::test]
async fn pages_add_up_in_every_order() {
    let house = House::open(&[crate::SERVICE]).await;
    seed(&house, &["tenant-a", "tenant-b"], 2_000).await;
    let context = context("tenant-a");
    for order in orders() {
        let condition = filter::read("open = true").expect("a filter").condition;
        let page_of = async |size: i32, token: &str| {
            let page = Page::parse(size, token, "").expect("a page");
            let (context, condition) = (&context, &condition);
            transact(&house, &context.tenant, async move |mut tx| {
                let mut cases = super::list(&mut tx, context, condition, order, &page).await.expect("a list");
                let next = page.cut(&mut cases, |case| page_key(order, case));
                (tx, (cases, next))
            })
            .await
        };
        let (whole, last) = page_of(500, "").await;
        assert!(last.is_empty() && whole.len() > 100, "{}", whole.len());
        let (mut walked, mut token) = (Vec::new(), String::new());
        loop {
            let (cases, next) = page_of(7, &token).await;
            walked.extend(cases);
            if next.is_empty() {
                break;
            }
            token = next;
        }
        assert_eq!(walked, whole);
        let keys: Vec<_> =
            whole.iter().map(|case| (case.due_time.unwrap_or(jiff::Timestamp::MAX), case.id)).collect();
        let mut sorted = keys.clone();
        match order.key {
            Key::Due => sorted.sort_unstable(),
            Key::Received => sorted.sort_unstable_by_key(|(_, id)| *id),
        }
        if order.descending {
            sorted.reverse();
        }
        assert_eq!(keys, sorted, "{order:?}");
    }
    house.done().await;
}
