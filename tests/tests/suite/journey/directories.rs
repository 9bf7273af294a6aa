//! A company that says where its own directory is, and forgets it again: nobody is there, and
//! no complaint waits for it.

use proto::redress::cases::v1::directory_service_client::DirectoryServiceClient;
use proto::redress::cases::v1::{
    DeleteDirectoryRequest, DirectoryKind, GetCaseDirectoryRequest, GetDirectoryRequest,
    LookUpDirectoryRequest, SetDirectoryRequest,
};
use testkit::request_id;

use super::scene::{Scene, broken_cups};

/// A directory that nobody serves.
pub(crate) async fn absent(scene: &Scene) {
    let mut directories = DirectoryServiceClient::new(scene.line("manager"));
    let request = SetDirectoryRequest {
        request_id: request_id(),
        expected_version: Some(0),
        kind: DirectoryKind::Http.into(),
        url: "https://127.0.0.1:9/nobody".to_owned(),
        ..SetDirectoryRequest::default()
    };
    directories.set_directory(request).await.unwrap();
    let set =
        directories.get_directory(GetDirectoryRequest {}).await.unwrap().into_inner().directory.unwrap();
    assert_eq!((set.version, set.kind()), (1, DirectoryKind::Http));
    // Somebody calls who has no case yet.
    let question = LookUpDirectoryRequest { customer_id: "c-1".to_owned(), ..Default::default() };
    let asked = directories.look_up_directory(question).await.unwrap().into_inner().snapshot.unwrap();
    assert!(asked.customer.is_none() && !asked.gaps.is_empty(), "{asked:?}");
    let case_id = scene.submit(broken_cups()).await.complaint_id;
    let look = GetCaseDirectoryRequest { case_id: case_id.clone(), refresh: false };
    let found = directories.get_case_directory(look).await.unwrap().into_inner();
    assert!(found.opening.is_none() && !found.failure.is_empty(), "{found:?}");
    let request = DeleteDirectoryRequest { request_id: request_id(), expected_version: Some(1) };
    directories.delete_directory(request).await.unwrap();
    super::matters::withdraw(scene, &case_id).await;
}
