//! An article is recalled: once carried out, once called off.

use proto::redress::cases::v1::Visibility;
use proto::redress::resolution::v1::recall_service_client::RecallServiceClient;
use proto::redress::resolution::v1::{
    AddRecallCasesRequest, CancelRecallRequest, CloseRecallRequest, GetRecallRequest, Goods,
    OpenRecallRequest, Recall, RecallMeasure, RecallState, RecallVerdict, RemedyKind, TaskState,
};
use testkit::request_id;

use super::scene::{BOSS, Scene};
use crate::twice::Twice;

fn recalls(scene: &Scene) -> RecallServiceClient<Twice> {
    RecallServiceClient::new(scene.line(BOSS))
}

/// A recall of the cups, with this case in it.
async fn opened(scene: &Scene, case_id: &str) -> Recall {
    let measure = RecallMeasure {
        department_id: "warehouse".to_owned(),
        kind: RemedyKind::Exchange.into(),
        goods: Some(Goods { sku: "CUP-7".to_owned(), quantity: 1 }),
        instructions: "of the new lot".to_owned(),
    };
    let open = OpenRecallRequest {
        request_id: request_id(),
        sku: "CUP-6".to_owned(),
        lot: "L-9".to_owned(),
        reason: "the handle breaks".to_owned(),
        notice: "we exchange your cups".to_owned(),
        measures: vec![measure],
    };
    let recall = recalls(scene).open_recall(open).await.unwrap().into_inner().recall.unwrap();
    let add = AddRecallCasesRequest {
        request_id: request_id(),
        recall_id: recall.recall_id.clone(),
        expected_version: None,
        case_ids: vec![case_id.to_owned()],
    };
    let added = recalls(scene).add_recall_cases(add).await.unwrap().into_inner();
    assert_eq!(added.verdicts[0].verdict(), RecallVerdict::Added);
    scene.settled().await;
    added.recall.unwrap()
}

/// The cups of a case are exchanged in a recall, and a second recall was a mistake.
pub(super) async fn recalled(scene: &Scene, case_id: &str) {
    let recall = opened(scene, case_id).await;
    scene.complete(&scene.poll("warehouse").await, None).await.unwrap();
    let get = GetRecallRequest { recall_id: recall.recall_id.clone() };
    let progress = recalls(scene).get_recall(get).await.unwrap().into_inner().progress.unwrap();
    assert_eq!((progress.done_percent, progress.counts.unwrap().done), (100, 1));
    let close = CloseRecallRequest {
        request_id: request_id(),
        recall_id: recall.recall_id,
        expected_version: Some(recall.version),
        reason: "all have new ones".to_owned(),
    };
    let closed = recalls(scene).close_recall(close).await.unwrap().into_inner().recall.unwrap();
    assert_eq!(closed.state(), RecallState::Closed);

    let mistake = opened(scene, case_id).await;
    let cancel = CancelRecallRequest {
        request_id: request_id(),
        recall_id: mistake.recall_id.clone(),
        expected_version: None,
        reason: "it was another lot".to_owned(),
    };
    recalls(scene).cancel_recall(cancel).await.unwrap();
    let tasks = scene.tasks(case_id).await;
    let cancelled = tasks.iter().find(|task| task.recall_id == mistake.recall_id).unwrap();
    assert_eq!(cancelled.state(), TaskState::Cancelled);
    scene.settled().await;
    let timeline = scene.timeline(case_id).await;
    let told = timeline.iter().filter(|entry| {
        entry.text == "the article CUP-6, lot L-9, is recalled: we exchange your cups"
            && entry.visibility() == Visibility::Public
    });
    assert_eq!(told.count(), 2, "each recall once");
}
