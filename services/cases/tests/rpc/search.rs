//! Finding cases.

use proto::redress::intake::v1::Complaint;

use crate::scene::{Scene, complaint};

/// What intake tells once is kept: the description for whoever reads it later, the
/// words for the search.
#[tokio::test]
async fn texts_and_their_words_are_kept_when_a_case_is_opened() {
    let scene = Scene::open().await;
    let description = "Two refunds are late. 退款未到账".to_owned();
    let case = scene.register(Complaint { description: description.clone(), ..complaint() }).await;
    let mut owner = scene.house.owner().await;
    let (kept, words): (String, String) =
        sqlx::query_as("SELECT description, terms::text FROM cases.case_text WHERE case_id = $1")
            .bind(case)
            .fetch_one(&mut owner)
            .await
            .expect("kept");
    assert_eq!(kept, description);
    for word in ["kettle':1", "refund':", "退款':", "账':"] {
        assert!(words.contains(word), "{word} is not among {words}");
    }
    scene.house.done().await;
}
