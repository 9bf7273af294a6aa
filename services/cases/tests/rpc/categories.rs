//! The tree of categories: imported, refused, listed, believed.

use proto::redress::cases::v1::category_service_client::CategoryServiceClient;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    Category, ExplainTriageRequest, GetCategoryRequest, ImportCategoriesRequest, ImportCategoriesResponse,
    ListCategoriesRequest, ListCategoriesResponse,
};
use proto::redress::intake::v1::Complaint;
use testkit::{CallerChannel, House, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::{Scene, complaint};

type Client = CategoryServiceClient<CallerChannel>;

fn tree(paths: &[&str]) -> ImportCategoriesRequest {
    let category = |path: &&str| Category { path: (*path).to_owned(), ..Category::default() };
    ImportCategoriesRequest {
        request_id: request_id(),
        expected_version: None,
        categories: paths.iter().map(category).collect(),
    }
}

async fn import(
    client: &Client,
    request: ImportCategoriesRequest,
) -> Result<ImportCategoriesResponse, Status> {
    Ok(client.clone().import_categories(request).await?.into_inner())
}

async fn list(
    client: &Client,
    below: &str,
    token: &str,
    size: i32,
) -> Result<ListCategoriesResponse, Status> {
    let request =
        ListCategoriesRequest { below: below.to_owned(), page_size: size, page_token: token.to_owned() };
    Ok(client.clone().list_categories(request).await?.into_inner())
}

fn paths(list: &ListCategoriesResponse) -> Vec<&str> {
    list.categories.iter().map(|category| category.path.as_str()).collect()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refusal = answer.expect_err("it must be refused");
    (refusal.code(), reason(&refusal))
}

#[tokio::test]
async fn a_tree_is_imported_listed_and_replaced() {
    let scene = Scene::open().await;
    let client = CategoryServiceClient::new(scene.house.channel());
    let empty = list(&client, "", "", 0).await.unwrap();
    assert_eq!((empty.version, empty.categories.len()), (0, 0));
    let request = tree(&["物流", "物流/破损", "物流/破损/杯子", "loan"]);
    let first = import(&client, request.clone()).await.unwrap();
    assert_eq!((first.version, first.category_count, first.leaf_count), (1, 4, 2));
    assert_eq!(import(&client, request.clone()).await.unwrap(), first, "repeated");
    let altered = ImportCategoriesRequest { request_id: request.request_id.clone(), ..tree(&["loan"]) };
    let reused = (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".to_owned());
    assert_eq!(refused(import(&client, altered).await), reused);

    let page = list(&client, "", "", 3).await.unwrap();
    assert_eq!(paths(&page), ["物流", "物流/破损", "物流/破损/杯子"]);
    let rest = list(&client, "", &page.next_page_token, 3).await.unwrap();
    assert_eq!((paths(&rest), rest.next_page_token.as_str()), (vec!["loan"], ""));
    assert_eq!(paths(&list(&client, "物流", "", 0).await.unwrap()), ["物流/破损", "物流/破损/杯子"]);
    let get = GetCategoryRequest { path: "物流/破损".to_owned() };
    let found = client.clone().get_category(get.clone()).await.unwrap().into_inner();
    assert_eq!((found.version, found.category.unwrap().leaf), (1, false));

    let seen = |version| ImportCategoriesRequest { expected_version: Some(version), ..tree(&["loan"]) };
    assert_eq!(refused(import(&client, seen(0)).await), (Code::Aborted, "VERSION_MISMATCH".to_owned()));
    assert_eq!(import(&client, seen(1)).await.unwrap().version, 2);
    assert_eq!(paths(&list(&client, "", "", 0).await.unwrap()), ["loan"]);
    let stale = list(&client, "", &page.next_page_token, 3).await.unwrap_err();
    assert_eq!(violations(&stale), ["page_token"]);
    let gone = (Code::NotFound, "CATEGORY_NOT_FOUND".to_owned());
    assert_eq!(refused(client.clone().get_category(get).await), gone);
    scene.house.done().await;
}

#[tokio::test]
async fn what_is_no_tree_is_refused_with_everything_wrong() {
    let scene = Scene::open().await;
    let client = CategoryServiceClient::new(scene.house.channel());
    let refusal = import(&client, tree(&["a", "a", "b/c", ""])).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "INVALID_CATEGORIES"));
    assert_eq!(violations(&refusal), ["categories[1].path", "categories[2].path", "categories[3].path"]);
    let nothing = import(&client, ImportCategoriesRequest::default()).await.unwrap_err();
    assert_eq!(violations(&nothing), ["request_id", "categories"]);
    assert_eq!(list(&client, "", "", 0).await.unwrap().version, 0);
    scene.house.done().await;
}

#[tokio::test]
async fn a_hint_is_believed_if_the_tree_has_it() {
    let scene = Scene::open().await;
    let client = CategoryServiceClient::new(scene.house.channel());
    let hinted = |hint: &str| Complaint { category_hint: hint.to_owned(), ..complaint() };
    let anything = scene.register(hinted("what/ever")).await;
    assert_eq!(scene.case(anything).await.category, "what/ever");

    import(&client, tree(&["delivery", "delivery/damaged", "loan"])).await.unwrap();
    let known = scene.register(hinted("loan")).await;
    assert_eq!(scene.case(known).await.category, "loan");
    let unknown = scene.case(scene.register(hinted("what/ever")).await).await;
    assert_eq!(unknown.category, "delivery/damaged", "the text decides");
    assert!(unknown.triage_reasons[0].contains("what/ever, which is not in the tree"), "{unknown:?}");

    import(&client, tree(&["loan"])).await.unwrap();
    let text = scene.case(scene.register(hinted("")).await).await;
    assert_eq!(text.category, "unclassified", "what the text speaks of is not in the tree");
    let request = ExplainTriageRequest { case_id: unknown.case_id };
    let triage = TriageServiceClient::new(scene.house.channel()).explain_triage(request).await.unwrap();
    assert_eq!(triage.into_inner().triage.unwrap().category_hint, "what/ever");
    scene.house.done().await;
}

#[tokio::test]
async fn each_tenant_has_a_tree_of_its_own() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let [a, b] = ["tenant-a", "tenant-b"]
        .map(|tenant| CategoryServiceClient::new(house.channel_as(tenant, "alice", &["admin"])));
    assert_eq!(import(&a, tree(&["loan"])).await.unwrap().version, 1);
    assert_eq!(list(&b, "", "", 0).await.unwrap().version, 0);
    assert_eq!(import(&b, tree(&["card"])).await.unwrap().version, 1);
    assert_eq!(paths(&list(&a, "", "", 0).await.unwrap()), ["loan"]);
    house.done().await;
}

/// `REDRESS_DATA` names the folder of the real tree: 517 leaves on three levels.
#[tokio::test]
#[ignore = "needs the real files: `make real` runs it"]
async fn a_real_tree_of_517_leaves_is_loaded() {
    let folder = std::env::var_os("REDRESS_DATA").expect("REDRESS_DATA names the folder");
    let file = std::path::Path::new(&folder).join("zh_gov_taxonomy_517_3level.csv");
    let text = std::fs::read_to_string(file).expect("the tree can be read");
    let mut all: Vec<String> = Vec::new();
    for row in text.trim_start_matches('\u{feff}').lines().skip(1) {
        let names: Vec<&str> = row.split(',').map(str::trim).collect();
        for depth in 1..=names.len() {
            let path = names[..depth].join("/");
            if !all.contains(&path) {
                all.push(path);
            }
        }
    }
    let scene = Scene::open().await;
    let client = CategoryServiceClient::new(scene.house.channel());
    let given: Vec<&str> = all.iter().map(String::as_str).collect();
    let imported = import(&client, tree(&given)).await.unwrap();
    println!("tree: {imported:?}");
    assert_eq!(imported.leaf_count, 517);
    let case: Uuid = scene.register(Complaint { category_hint: all[2].clone(), ..complaint() }).await;
    assert_eq!(scene.case(case).await.category, all[2]);
    scene.house.done().await;
}
