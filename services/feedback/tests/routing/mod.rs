//! By which means a tenant's notices go: versions, made and put in force.

use proto::redress::feedback::v1::notice_routing_service_client::NoticeRoutingServiceClient;
use proto::redress::feedback::v1::{
    ActivateNoticeRoutingRequest, CreateNoticeRoutingRequest, GetNoticeRoutingRequest, NoticeKind,
    NoticeMeans, NoticeRouting, NoticeRoutingRule,
};
use proto::redress::intake::v1::Channel;
use testkit::{CallerChannel, House, consistency_token, reason, request_id, violations};
use tonic::{Code, Status};

use crate::means::{Servers, complaint, ended};
use crate::{case, house, refused};

type Routings = NoticeRoutingServiceClient<CallerChannel>;

fn routings(house: &House) -> Routings {
    Routings::new(house.channel())
}

fn rule(kinds: &[NoticeKind], channels: &[Channel], means: &[NoticeMeans]) -> NoticeRoutingRule {
    NoticeRoutingRule {
        kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
        channels: channels.iter().map(|channel| i32::from(*channel)).collect(),
        means: means.iter().map(|means| i32::from(*means)).collect(),
    }
}

fn made(rules: Vec<NoticeRoutingRule>) -> CreateNoticeRoutingRequest {
    let notice_routing =
        Some(NoticeRouting { rules, note: "phones first".into(), ..NoticeRouting::default() });
    CreateNoticeRoutingRequest { request_id: request_id(), notice_routing }
}

fn put(version: i64) -> ActivateNoticeRoutingRequest {
    ActivateNoticeRoutingRequest { request_id: request_id(), version }
}

async fn get(routings: &mut Routings, version: Option<i64>) -> Result<NoticeRouting, Status> {
    let answer = routings.get_notice_routing(GetNoticeRoutingRequest { version }).await?;
    Ok(answer.into_inner().notice_routing.unwrap())
}

/// By which means somebody who can be told by any is told.
async fn told(house: &House, channel: Channel) -> NoticeMeans {
    let case = case();
    let mut event = complaint(case, "ada@example.org", "+86 138 0013 8000");
    event.complaint.as_mut().unwrap().channel = channel.into();
    house.tell("intake", case, &event).await;
    ended(house, case).await.means()
}

#[tokio::test]
async fn notices_go_by_the_first_rule_that_fits_of_the_version_in_force() {
    use NoticeMeans::{Email, Sms, Webhook};
    let servers = Servers::open().await;
    let house = servers.house().await;
    let mut routings = routings(&house);
    let shipped = get(&mut routings, None).await.unwrap();
    assert_eq!((shipped.version, shipped.rules), (0, vec![rule(&[], &[], &[Email, Sms, Webhook])]));
    let rules = vec![
        rule(&[NoticeKind::Acknowledgement], &[Channel::Phone], &[Sms]),
        rule(&[NoticeKind::Outcome], &[], &[Email]),
        rule(&[], &[Channel::Branch, Channel::Web], &[Webhook, Email]),
    ];
    let request = made(rules.clone());
    let first = routings.create_notice_routing(request.clone()).await.unwrap();
    let second = routings.create_notice_routing(request).await.unwrap();
    assert_eq!(consistency_token(&first), consistency_token(&second));
    let draft = first.into_inner().notice_routing.unwrap();
    assert_eq!((draft.version, &draft.rules, draft.note.as_str()), (1, &rules, "phones first"));
    assert_eq!(told(&house, Channel::Phone).await, Email, "made is not in force");
    let request = put(1);
    let first = routings.activate_notice_routing(request.clone()).await.unwrap().into_inner();
    assert_eq!(routings.activate_notice_routing(request).await.unwrap().into_inner(), first);
    assert_eq!(told(&house, Channel::Phone).await, Sms);
    assert_eq!(told(&house, Channel::Branch).await, Webhook);
    assert_eq!(told(&house, Channel::Letter).await, Email, "no rule fits: as shipped");
    assert_eq!(get(&mut routings, None).await.unwrap().version, 1);
    let back = routings.activate_notice_routing(put(0)).await.unwrap().into_inner().notice_routing.unwrap();
    assert_eq!(back.version, 2);
    assert_eq!(told(&house, Channel::Phone).await, Email);
    assert_eq!(get(&mut routings, Some(1)).await.unwrap().rules, rules, "a version does not change");
    house.done().await;
}

#[tokio::test]
async fn a_routing_that_is_wrong_is_told_all_that_is_wrong() {
    use NoticeMeans::{Email, Letter, Sms};
    let house = house().await;
    let mut routings = routings(&house);
    let kind = NoticeKind::Outcome;
    let mut rules = vec![
        rule(&[kind], &[], &[Email]),
        rule(&[kind, kind], &[Channel::Web], &[Sms, Sms]),
        rule(&[], &[], &[]),
        rule(&[NoticeKind::Unspecified], &[Channel::Unspecified], &[Letter]),
    ];
    let request = CreateNoticeRoutingRequest { request_id: String::new(), ..made(rules.clone()) };
    let status = routings.create_notice_routing(request).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_NOTICE_ROUTING"));
    let at = |rest: &str| format!("notice_routing.rules{rest}");
    let mut expected = vec!["request_id".to_owned()];
    expected.extend(["[1].kinds", "[1].means", "[2].means"].map(at));
    expected.extend(["[3].kinds", "[3].channels", "[3].means", "[1]", "[3]"].map(at));
    assert_eq!(violations(&status), expected);
    rules = (0..51).map(|_| rule(&[], &[], &[Email])).collect();
    let status = routings.create_notice_routing(made(rules)).await.unwrap_err();
    assert_eq!(violations(&status)[0], "notice_routing.rules");
    let nothing = CreateNoticeRoutingRequest { request_id: request_id(), notice_routing: None };
    let status = routings.create_notice_routing(nothing).await.unwrap_err();
    assert_eq!(violations(&status), ["notice_routing"]);
    let none = routings.create_notice_routing(made(Vec::new())).await.unwrap_err();
    assert_eq!(violations(&none), ["notice_routing.rules"]);
    let unknown = refused(routings.activate_notice_routing(put(7)).await);
    assert_eq!(unknown, (Code::NotFound, "NOTICE_ROUTING_NOT_FOUND".into()));
    assert_eq!(violations(&routings.activate_notice_routing(put(-1)).await.unwrap_err()), ["version"]);
    assert_eq!(refused(get(&mut routings, Some(7)).await).1, "NOTICE_ROUTING_NOT_FOUND");
    assert_eq!(violations(&get(&mut routings, Some(-1)).await.unwrap_err()), ["version"]);
    assert_eq!(get(&mut routings, None).await.unwrap().version, 0, "nothing was kept");
    house.done().await;
}

#[tokio::test]
async fn another_tenants_routing_does_not_exist() {
    let house = House::builder(&[feedback::SERVICE]).identified().open().await;
    let of = |tenant: &str| Routings::new(house.channel_as(tenant, "alice", &["reader", "admin"]));
    let (mut one, mut other) = (of("tenant-a"), of("tenant-b"));
    one.create_notice_routing(made(vec![rule(&[], &[], &[NoticeMeans::Sms])])).await.unwrap();
    one.activate_notice_routing(put(1)).await.unwrap();
    assert_eq!(get(&mut one, None).await.unwrap().version, 1);
    assert_eq!(get(&mut other, None).await.unwrap().version, 0);
    assert_eq!(refused(get(&mut other, Some(1)).await).1, "NOTICE_ROUTING_NOT_FOUND");
    assert_eq!(refused(other.activate_notice_routing(put(1)).await).1, "NOTICE_ROUTING_NOT_FOUND");
    house.done().await;
}
