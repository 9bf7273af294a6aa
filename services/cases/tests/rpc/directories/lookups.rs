//! The directory asked of somebody who has no case yet.

use proto::redress::cases::v1::LookUpDirectoryRequest;

use super::*;

/// Whoever records a complaint has the customer at hand before there is a case.
#[tokio::test]
async fn the_directory_is_asked_of_somebody_who_has_no_case_yet() {
    let scene = Scene::open().await;
    let client = DirectoryServiceClient::new(scene.house.channel());
    let ask = async |request: LookUpDirectoryRequest| {
        client.clone().look_up_directory(request).await.map(|answer| answer.into_inner().snapshot)
    };
    let named = LookUpDirectoryRequest {
        email: " ada@example.org ".to_owned(),
        order_ref: "2026-1".to_owned(),
        ..LookUpDirectoryRequest::default()
    };
    let absent = ask(named.clone()).await.expect_err("there is no directory");
    assert_eq!((absent.code(), reason(&absent).as_str()), (Code::NotFound, "DIRECTORY_NOT_FOUND"));
    scene.set(DirectoryKind::Grpc, &scene.url).await;
    let said = ask(named.clone()).await.expect("asked").expect("an answer");
    assert_eq!(said.customer.map(|customer| customer.customer_id).as_deref(), Some("shop-17"));
    assert_eq!(said.orders.iter().map(|order| order.order_ref.as_str()).collect::<Vec<_>>(), ["2026-1"]);
    assert!(said.product.is_none() && said.gaps.is_empty(), "no product was named");
    let asked = scene.shop.asked();
    assert!(asked.iter().any(|asked| asked.contains("\"ada@example.org\"")), "{asked:?}");
    // One that fails is a gap, and no failure.
    scene.shop.set(Fault::OrdersOnly);
    let said = ask(named).await.expect("asked").expect("an answer");
    assert_eq!((said.customer, said.orders.len()), (None, 1));
    assert_eq!(said.gaps.iter().map(DirectoryGap::part).collect::<Vec<_>>(), [DirectoryPart::Customer]);
    let wrong = LookUpDirectoryRequest { phone: "1".repeat(41), ..LookUpDirectoryRequest::default() };
    assert_eq!(violations(&ask(wrong).await.expect_err("too long")), ["phone"]);
    let nothing = LookUpDirectoryRequest { customer_id: "  ".to_owned(), ..Default::default() };
    let refused = ask(nothing).await.expect_err("nothing to ask by");
    assert_eq!(reason(&refused), "INVALID_DIRECTORY_QUESTION");
    scene.done().await;
}
