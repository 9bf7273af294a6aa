//! An answer finds its case, by what cannot be guessed; never by its subject.

use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    Channel, Complaint, ComplaintRegistered, GetInformationRequest, InformationAdded, InformationSource,
    MailState, SubmitComplaintRequest,
};
use testkit::{House, free_address, hand_over, request_id};

use super::{ADDRESS, Client, mail, mailbox, open, set, settled};

/// A complaint that came by another channel, and the token of mails about it.
async fn registered(house: &House) -> (String, String) {
    let complaint = Complaint {
        channel: Channel::Web.into(),
        subject: "The cup broke".to_owned(),
        description: "On the first day.".to_owned(),
        language: "en".to_owned(),
        ..Complaint::default()
    };
    let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(complaint) };
    let answer = IntakeServiceClient::new(house.channel()).submit_complaint(request).await;
    let id = answer.expect("registered").into_inner().complaint_id;
    let told = house.published::<ComplaintRegistered>("intake").await;
    let token = told
        .into_iter()
        .find(|told| told.complaint.as_ref().is_some_and(|complaint| complaint.complaint_id == id));
    (id, token.expect("it is told").mail_token)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_bears_the_token_of_its_case() {
    let (house, at) = open().await;
    let client = Client::new(house.channel());
    set(&client, mailbox()).await.expect("set up");
    let (id, token) = registered(&house).await;
    assert!(token.len() >= 30, "{token}");
    let tagged = format!("complaints+{token}@shop.example");
    let thread = format!("References: <{}>\r\n", mail::tag::thread_id(&token));
    let mails = [
        (tagged.clone(), mail(1, "Subject: Re: x\r\n", "By the address of the envelope.")),
        (tagged.to_uppercase(), mail(2, "Subject: Re: x\r\n", "Whatever its case.")),
        (ADDRESS.to_owned(), mail(3, &format!("Subject: x\r\nCc: {tagged}\r\n"), "By a header.")),
        (ADDRESS.to_owned(), mail(4, &format!("Subject: x\r\n{thread}"), "By what it refers to.")),
    ];
    for (place, (to, mail)) in mails.iter().enumerate() {
        hand_over(at, to, mail).await;
        settled(&client, place + 1).await;
    }
    let all = settled(&client, 4).await;
    assert!(all.iter().all(|mail| mail.state() == MailState::Added && mail.complaint_id == id), "{all:?}");
    let request = GetInformationRequest { complaint_id: id.clone() };
    let additions = FormServiceClient::new(house.channel()).get_information(request).await;
    let additions = additions.expect("what was added").into_inner().additions;
    assert_eq!(additions[0].text, "By the address of the envelope.");
    assert_eq!((additions[0].source(), additions.len()), (InformationSource::Complainant, 4));
    assert_eq!(additions[0].evidence[0].kind, "e-mail");
    assert_eq!(house.published::<InformationAdded>("intake").await.len(), 4);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_altered_or_another_tenants_is_none() {
    let at = free_address();
    let house = House::builder(&[intake::SERVICE])
        .identified()
        .settings(|settings| settings.mails.smtp_listen = Some(at))
        .open()
        .await;
    let client = Client::new(house.channel());
    set(&client, mailbox()).await.expect("set up");
    let (_, token) = registered(&house).await;
    let last = if token.ends_with('a') { "b" } else { "a" };
    let altered = format!("complaints+{}{last}@shop.example", &token[..token.len() - 1]);
    hand_over(at, &altered, &mail(1, "Subject: Re: The cup broke\r\n", "Mine, too.")).await;
    let theirs = Client::new(house.channel_as("other", "admin", &["admin", "reader"]));
    let address = "complaints@other.example";
    let other = proto::redress::intake::v1::Mailbox { address: address.to_owned(), ..mailbox() };
    set(&theirs, other).await.expect("set up");
    let tagged = format!("complaints+{token}@other.example");
    hand_over(at, &tagged, &mail(2, "Subject: Re: The cup broke\r\n", "Elsewhere.")).await;
    for client in [&client, &theirs] {
        assert_eq!(settled(client, 1).await[0].state(), MailState::Registered);
    }
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_sender_goes_on_by_what_a_mail_refers_to_and_nobody_by_its_subject() {
    let (house, at) = open().await;
    let client = Client::new(house.channel());
    set(&client, mailbox()).await.expect("set up");
    let subject = "Subject: Re: The cup broke\r\n";
    let refers = format!("{subject}In-Reply-To: <1@example.org>\r\n");
    let from_bob = mail(3, &refers, "I am not Ada.").replace("Ada <ada@", "Bob <bob@");
    for (place, mail) in [
        mail(1, "Subject: The cup broke\r\n", "On the first day."),
        mail(2, &refers, "The saucer, too."),
        from_bob,
        mail(4, subject, "Only the subject is the same."),
        mail(5, &format!("{subject}References: <0@x> <2@example.org>\r\n"), "And the spoon."),
    ]
    .iter()
    .enumerate()
    {
        hand_over(at, ADDRESS, mail).await;
        settled(&client, place + 1).await;
    }
    let all = settled(&client, 5).await;
    let states: Vec<_> = all.iter().map(super::Mail::state).collect();
    let (added, new) = (MailState::Added, MailState::Registered);
    assert_eq!(states, [new, added, new, new, added]);
    assert!([1, 4].iter().all(|place| all[*place].complaint_id == all[0].complaint_id), "{all:?}");
    house.done().await;
}
