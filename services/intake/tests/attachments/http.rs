//! Attachments over plain HTTP: bytes as they are, up by their offset and down by a badge or
//! a link.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http::{Method, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use proto::redress::intake::v1::{AttachmentState, CreateAttachmentRequest, GetDownloadTokenRequest};
use serde_json::Value;
use testkit::badge::token;
use testkit::{House, MockClock, eventually};

use super::plain_http::{Body, ask, whole};
use super::{CHUNK, Client, announcement, chunks, create, fetch, get, picture, sha256, uploaded, used};

fn streamed(parts: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static) -> Body {
    Body::new(StreamBody::new(parts.map(|part| part.map(Frame::data))))
}

async fn get_file(house: &House, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    ask(house.address(), (Method::GET, path), headers, whole(b"")).await.expect("an answer")
}

async fn put(
    house: &House,
    id: &str,
    query: &str,
    headers: &[(&str, &str)],
    bytes: &[u8],
) -> Response<Bytes> {
    let path = content_of(id) + query;
    ask(house.address(), (Method::PUT, &path), headers, whole(bytes)).await.expect("an answer")
}

fn content_of(id: &str) -> String {
    format!("/v1/attachments/{id}/content")
}

fn read(answer: &Response<Bytes>) -> Value {
    assert_eq!(answer.headers()["content-type"], "application/json", "{answer:?}");
    serde_json::from_slice(answer.body()).expect("JSON")
}

/// The status and the reason of a refusal.
fn refusal(answer: &Response<Bytes>) -> (u16, String) {
    let read = read(answer);
    let details = read["details"].as_array().expect("details");
    let reason = details.iter().find_map(|one| one["reason"].as_str()).expect("a reason");
    (answer.status().as_u16(), reason.to_owned())
}

fn is(status: u16, reason: &str) -> (u16, String) {
    (status, reason.to_owned())
}

async fn link(client: &Client, id: &str) -> String {
    let request = GetDownloadTokenRequest { attachment_id: id.to_owned(), valid_seconds: 0 };
    let answer = client.clone().get_download_token(request).await.expect("a token").into_inner();
    assert_eq!(answer.uri_path, format!("/v1/attachmentContents/{}", answer.token));
    answer.uri_path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_up_and_comes_down_as_it_is() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(700_001, 1);
    let id = create(&client, announcement(&bytes)).await.unwrap().attachment_id;
    let early = get_file(&house, &content_of(&id), &[]).await;
    assert_eq!(refusal(&early), is(400, "ATTACHMENT_NOT_READY"));

    // Half of it, from the beginning; then all from where that ended, as a page would send it.
    let half = put(&house, &id, "", &[("content-type", "image/png")], &bytes[..300_000]).await;
    assert_eq!(
        (half.status().as_u16(), &read(&half)["attachment"]["receivedBytes"]),
        (200, &"262144".into())
    );
    let range = format!("bytes {CHUNK}-700000/700001");
    let done = put(&house, &id, "", &[("content-range", &range)], &bytes[262_144..]).await;
    assert_eq!(done.status(), 200, "{done:?}");
    let attachment = &read(&done)["attachment"];
    assert_eq!(
        (&attachment["state"], &attachment["sha256"]),
        (&"ATTACHMENT_STATE_READY".into(), &sha256(&bytes).into())
    );
    // Sent once more, it stays as it is; nothing sent, too.
    for again in [put(&house, &id, "?offset=0", &[], &bytes).await, put(&house, &id, "", &[], b"").await] {
        assert_eq!(read(&again), read(&done));
    }
    assert_eq!(chunks(&house).await, 3);

    let answer = get_file(&house, &content_of(&id), &[("accept", "text/html")]).await;
    assert_eq!((answer.status().as_u16(), answer.body()), (200, &Bytes::from(bytes.clone())));
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", "700001"),
        ("content-disposition", "attachment; filename*=UTF-8''cup.png"),
        ("etag", &format!("\"{}\"", sha256(&bytes))),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
        ("cache-control", "private, no-store"),
        ("referrer-policy", "no-referrer"),
    ] {
        let told: Vec<_> = answer.headers().get_all(name).iter().collect();
        assert_eq!(told, [value], "{name}");
    }
    assert_eq!(fetch(&client, &id, 0, 0).await.unwrap(), bytes, "and by the rpc");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_a_head_and_what_lies_behind_the_end() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(600_000, 2);
    let id = uploaded(&client, &bytes).await.attachment_id;
    let tag = format!("\"{}\"", sha256(&bytes));
    for path in [content_of(&id), link(&client, &id).await] {
        for (range, (from, to)) in [
            ("bytes=0-0", (0, 1)),
            ("bytes=262143-262144", (262_143, 262_145)),
            ("bytes=262144-", (262_144, 600_000)),
            ("bytes=-1", (599_999, 600_000)),
            ("bytes=-700000", (0, 600_000)),
            ("bytes=599999-700000", (599_999, 600_000)),
        ] {
            let answer = get_file(&house, &path, &[("range", range), ("if-range", &tag)]).await;
            assert_eq!(answer.status(), 206, "{range}");
            assert_eq!(answer.headers()["content-range"], format!("bytes {from}-{}/600000", to - 1));
            assert_eq!(answer.headers()["content-length"], (to - from).to_string());
            assert_eq!(answer.body(), &bytes[from..to], "{range}");
        }
        for headers in
            [vec![("range", "bytes=0-1,5-6")], vec![("range", "bytes=0-1"), ("if-range", "\"old\"")]]
        {
            let answer = get_file(&house, &path, &headers).await;
            assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 600_000), "{headers:?}");
        }
        let behind = get_file(&house, &path, &[("range", "bytes=600000-")]).await;
        assert_eq!(refusal(&behind), is(416, "INVALID_DOWNLOAD"));
        assert_eq!(behind.headers()["content-range"], "bytes */600000");
        let head = [("range", "bytes=0-1")];
        let head = ask(house.address(), (Method::HEAD, &path), &head, whole(b"")).await.unwrap();
        assert_eq!((head.status().as_u16(), head.body().len()), (200, 0));
        assert_eq!(
            (&head.headers()["content-length"], &head.headers()["content-type"]),
            (&"600000".parse().unwrap(), &"image/png".parse().unwrap())
        );
        let other = ask(house.address(), (Method::POST, &path), &[], whole(b"")).await.unwrap();
        assert_eq!(refusal(&other), is(405, "METHOD_NOT_ALLOWED"));
    }
    let allowed = ask(house.address(), (Method::OPTIONS, &content_of(&id)), &[], whole(b"")).await.unwrap();
    assert_eq!(allowed.headers()["allow"], "GET, HEAD, OPTIONS, PUT");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_as_by_the_rpc() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(300_000, 3);
    let id = create(&client, announcement(&bytes)).await.unwrap().attachment_id;
    assert_eq!(refusal(&put(&house, &id, "?offset=1", &[], b"x").await), is(400, "INVALID_UPLOAD"));
    assert_eq!(refusal(&put(&house, &id, "?offset=-1", &[], b"x").await), is(400, "INVALID_REQUEST"));
    let range = [("content-range", "bytes 0-1/2")];
    assert_eq!(refusal(&put(&house, &id, "", &range, b"xyz").await), is(400, "INVALID_REQUEST"));
    let packed = [("content-encoding", "gzip")];
    assert_eq!(refusal(&put(&house, &id, "", &packed, b"x").await), is(415, "UNSUPPORTED_MEDIA_TYPE"));
    let beyond = [&bytes[..], b"x"].concat();
    assert_eq!(refusal(&put(&house, &id, "", &[], &beyond).await), is(400, "INVALID_UPLOAD"));
    assert_eq!(refusal(&put(&house, "nothing", "", &[], b"x").await), is(400, "INVALID_UPLOAD"));
    let nobody = uuid::Uuid::nil().to_string();
    assert_eq!(refusal(&put(&house, &nobody, "", &[], b"x").await), is(404, "ATTACHMENT_NOT_FOUND"));
    assert_eq!(refusal(&get_file(&house, &content_of(&nobody), &[]).await), is(404, "ATTACHMENT_NOT_FOUND"));
    let unknown = get_file(&house, "/v1/attachmentContents/nothing", &[]).await;
    assert_eq!(refusal(&unknown), is(404, "DOWNLOAD_TOKEN_UNKNOWN"));
    let nowhere = get_file(&house, "/v1/attachmentContents/", &[]).await;
    assert_eq!(refusal(&nowhere), is(404, "NO_SUCH_PATH"));

    let page = b"<!DOCTYPE html><script>alert(1)</script>";
    let named = CreateAttachmentRequest { sha256: String::new(), ..announcement(page) };
    let other = create(&client, named).await.unwrap().attachment_id;
    for _ in 0..2 {
        assert_eq!(refusal(&put(&house, &other, "", &[], page).await), is(400, "MEDIA_TYPE_FORBIDDEN"));
    }
    let wrong = CreateAttachmentRequest { sha256: "0".repeat(64), ..announcement(&bytes) };
    let other = create(&client, wrong).await.unwrap().attachment_id;
    assert_eq!(refusal(&put(&house, &other, "", &[], &bytes).await), is(400, "SHA256_MISMATCH"));
    assert_eq!(refusal(&get_file(&house, &content_of(&other), &[]).await), is(400, "ATTACHMENT_REFUSED"));
    assert_eq!(used(&client).await, 300_000);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_goes_on_where_it_ended() {
    let house = House::open(&[intake::SERVICE]).await;
    let replica = house.replica(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(900_000, 4);
    let id = create(&client, announcement(&bytes)).await.unwrap().attachment_id;
    let begun = Bytes::copy_from_slice(&bytes[..600_000]);
    let (id_, address) = (id.clone(), house.address());
    let calling = tokio::spawn(async move {
        let body = streamed(stream::iter([Ok(begun)]).chain(stream::pending()));
        ask(address, (Method::PUT, &content_of(&id_)), &[], body).await.map(drop)
    });
    eventually(|| async { get(&client, &id).await.is_ok_and(|now| now.received_bytes == 2 * CHUNK) }).await;
    calling.abort();
    assert!(calling.await.expect_err("it was given up").is_cancelled());
    // Fewer bytes than were said: what is whole of them is kept.
    let short = streamed(stream::iter([Ok(Bytes::copy_from_slice(&bytes[524_288..800_000]))]));
    let range = [("content-range", "bytes 524288-899999/900000")];
    let told = ask(replica.address(), (Method::PUT, &content_of(&id)), &range, short).await.unwrap();
    assert_eq!(refusal(&told), is(400, "INVALID_REQUEST"));
    assert_eq!(get(&client, &id).await.unwrap().received_bytes, 3 * CHUNK);
    let path = content_of(&id) + "?offset=786432";
    let done = ask(replica.address(), (Method::PUT, &path), &[], whole(&bytes[786_432..])).await.unwrap();
    assert_eq!((done.status().as_u16(), &read(&done)["attachment"]["sha256"]), (200, &sha256(&bytes).into()));
    assert_eq!(get_file(&house, &content_of(&id), &[]).await.body(), &bytes);
    replica.done().await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_its_file_for_whoever_has_it_until_it_ends() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).identified().clock(clock.clone()).open().await;
    let mine = Client::new(house.channel_as("acme", "ann", &["reader", "channel"]));
    let bytes = picture(300_000, 5);
    let id = uploaded(&mine, &bytes).await.attachment_id;
    let path = link(&mine, &id).await;
    assert_eq!(get_file(&house, &path, &[]).await.body(), &bytes, "without any badge");
    // Whoever shows another's badge has the link all the same; the badge itself opens nothing.
    let badge = |tenant: &str, role: &str| format!("Bearer {}", token(tenant, "bob", &[role]));
    let (theirs, ours, worker) =
        (badge("globex", "reader"), badge("acme", "reader"), badge("acme", "department-worker:x"));
    assert_eq!(get_file(&house, &path, &[("authorization", &theirs)]).await.body(), &bytes);
    let by_badge = async |badge: &str| get_file(&house, &content_of(&id), &[("authorization", badge)]).await;
    assert_eq!(by_badge(&ours).await.body(), &bytes);
    assert_eq!(refusal(&by_badge(&theirs).await), is(404, "ATTACHMENT_NOT_FOUND"));
    assert_eq!(refusal(&by_badge(&worker).await), is(403, "ROLE_REQUIRED"));
    assert_eq!(refusal(&get_file(&house, &content_of(&id), &[]).await).0, 401);
    let up = |headers: Vec<(&'static str, String)>| {
        let (house, id) = (&house, &id);
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            put(house, id, "", &headers, b"x").await
        }
    };
    assert_eq!(refusal(&up(vec![]).await).0, 401);
    assert_eq!(
        refusal(&up(vec![("authorization", badge("globex", "channel"))]).await),
        is(404, "ATTACHMENT_NOT_FOUND")
    );
    assert_eq!(refusal(&up(vec![("authorization", ours.clone())]).await), is(403, "ROLE_REQUIRED"));

    // Any other character, and it opens nothing.
    let altered = format!("{}{}", &path[..path.len() - 1], if path.ends_with('A') { "Q" } else { "A" });
    assert_eq!(refusal(&get_file(&house, &altered, &[]).await), is(404, "DOWNLOAD_TOKEN_UNKNOWN"));
    clock.advance(Duration::from_mins(5));
    assert_eq!(refusal(&get_file(&house, &path, &[]).await), is(400, "DOWNLOAD_TOKEN_EXPIRED"));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_name_stays_in_its_header_whatever_it_is() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(300, 6);
    for (name, written) in [
        ("Straße \"5\"; filename=evil.exe", "Stra%C3%9Fe%20%225%22%3B%20filename%3Devil.exe"),
        ("投诉%0d%0a.png", "%E6%8A%95%E8%AF%89%250d%250a.png"),
        ("it's*", "it%27s%2A"),
    ] {
        let named = CreateAttachmentRequest { file_name: name.to_owned(), ..announcement(&bytes) };
        let id = create(&client, named).await.unwrap().attachment_id;
        assert_eq!(put(&house, &id, "", &[], &bytes).await.status(), 200);
        let answer = get_file(&house, &link(&client, &id).await, &[]).await;
        assert_eq!(
            answer.headers()["content-disposition"],
            format!("attachment; filename*=UTF-8''{written}")
        );
    }
    for name in ["a\r\nSet-Cookie: x=1", "a\nb", "a\u{85}b"] {
        let named = CreateAttachmentRequest { file_name: name.to_owned(), ..announcement(&bytes) };
        assert_eq!(super::refused(create(&client, named).await).1, "INVALID_ATTACHMENT", "{name:?}");
    }
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_off_is_never_taken_to_be_whole() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(900_000, 7);
    let done = uploaded(&client, &bytes).await;
    assert_eq!(done.state(), AttachmentState::Ready);
    sqlx::query("DELETE FROM intake.attachment_chunk WHERE ordinal = 2")
        .execute(&mut house.owner().await)
        .await
        .unwrap();
    let path = content_of(&done.attachment_id);
    let broken = ask(house.address(), (Method::GET, &path), &[], whole(b"")).await;
    assert!(broken.is_err(), "{broken:?}");
    let part = get_file(&house, &path, &[("range", "bytes=0-524287")]).await;
    assert_eq!(part.body(), &bytes[..524_288]);
    house.done().await;
}
