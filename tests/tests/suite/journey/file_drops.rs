//! A mapping is tried, and a drop is set up; a file of two rows is put into it, one becomes a case, the other is refused
//! with its reason; the partner has a verdict file; then the drop is given up.

use std::fs;

use proto::redress::intake::v1::file_drop_service_client::FileDropServiceClient;
use proto::redress::intake::v1::{
    DeleteFileDropRequest, DroppedFile, DroppedFileState, FileDrop, ListDroppedFilesRequest,
    SetFileDropRequest, TryDropMappingRequest,
};
use testkit::{eventually, request_id};

use super::scene::Scene;

pub(crate) async fn taken(scene: &Scene) {
    let folder = scene.drops.path().join("development/acme");
    fs::create_dir_all(folder.join("incoming")).unwrap();
    let text = "external_ref,subject,description\nA-1,The cup broke,On the first day.\nA-2,,No subject.\n";
    fs::write(folder.join("incoming/monday.csv"), text).unwrap();
    fs::write(folder.join("incoming/monday.csv.done"), "").unwrap();
    let mut client = FileDropServiceClient::new(scene.line("admin"));
    let request = TryDropMappingRequest {
        language: "en".to_owned(),
        sample: text.as_bytes().to_vec(),
        file_name: "monday.csv".to_owned(),
        ..TryDropMappingRequest::default()
    };
    let tried = client.try_drop_mapping(request).await.unwrap().into_inner();
    assert_eq!((tried.row_count, tried.refused_count), (2, 1));
    let file_drop = FileDrop {
        file_drop_id: "acme".to_owned(),
        path: "acme".to_owned(),
        owner: "ada".to_owned(),
        language: "en".to_owned(),
        ..FileDrop::default()
    };
    let request = SetFileDropRequest {
        request_id: request_id(),
        file_drop: Some(file_drop),
        expected_version: Some(0),
    };
    client.set_file_drop(request).await.unwrap();
    let request = ListDroppedFilesRequest { state: DroppedFileState::Done.into(), ..Default::default() };
    let done = async || -> Vec<DroppedFile> {
        client.clone().list_dropped_files(request.clone()).await.unwrap().into_inner().dropped_files
    };
    eventually(|| async { done().await.len() == 1 }).await;
    let file = done().await.remove(0);
    assert_eq!((file.registered_count, file.refused_count), (1, 1));
    let verdicts = fs::read_to_string(folder.join("verdicts/monday.csv.verdicts.csv")).unwrap();
    assert!(verdicts.contains("1,A-1,registered,") && verdicts.contains("2,A-2,refused,,,"), "{verdicts}");
    let request = DeleteFileDropRequest {
        request_id: request_id(),
        file_drop_id: "acme".to_owned(),
        expected_version: Some(1),
    };
    client.delete_file_drop(request).await.unwrap();
    scene.settled().await;
}
