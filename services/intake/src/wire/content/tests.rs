//! What counts as what was said, and that it is what the contract says.

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    Value as Reflected,
};
use proto::redress::intake::v1::ContentRole;

use super::*;

fn said() -> Complaint {
    Complaint {
        external_ref: "7".to_owned(),
        complainant: Some(Complainant {
            display_name: "Ann Lee".to_owned(),
            email: "ann@example.org".to_owned(),
            ..Complainant::default()
        }),
        subject: "Late".to_owned(),
        description: "The parcel\ncame late.".to_owned(),
        form_data: r#"{"a": 1, "b": [{"c": 2, "d": 3}]}"#.to_owned(),
        ..Complaint::default()
    }
}

#[test]
fn what_is_not_said_does_not_count() {
    let mut other = Complaint {
        complaint_id: "x".to_owned(),
        description: " The  parcel\r\ncame late. ".to_owned(),
        form_data: r#"{"b":[{"d":3,"c":2}],"a":1}"#.to_owned(),
        language: "de".to_owned(),
        category_hint: "delivery".to_owned(),
        consent_given: true,
        automatic: true,
        matter: Matter::Complaint.into(),
        form_version: 3,
        ..said()
    };
    if let Some(complainant) = &mut other.complainant {
        complainant.email = "Ann@Example.org".to_owned();
        complainant.region = "CN-50".to_owned();
    }
    assert!(hash(&said()).is_some());
    assert_eq!(hash(&said()), hash(&other));
    assert_eq!(hash(&Complaint { external_ref: String::new(), ..said() }), None);
}

#[test]
fn every_field_of_a_complaint_counts_as_content() {
    let evidence = |sha256: &str| Evidence { sha256: sha256.to_owned(), ..Evidence::default() };
    let moment = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let by = |name: &str| Complainant { display_name: name.to_owned(), ..Complainant::default() };
    let others = [
        Complaint { external_ref: "8".to_owned(), ..said() },
        Complaint { complainant: Some(by("Bob")), ..said() },
        Complaint { complainant: None, ..said() },
        Complaint { representative: Some(Representative::default()), subject: "x".to_owned(), ..said() },
        Complaint { description: "The parcel came later.".to_owned(), ..said() },
        // Moved from one field into the next.
        Complaint { subject: "Late The".to_owned(), description: "parcel came late.".to_owned(), ..said() },
        Complaint { occur_time: moment(0), ..said() },
        Complaint { occur_time: moment(1), ..said() },
        Complaint { evidence: vec![evidence("aa")], ..said() },
        Complaint { evidence: vec![evidence("bb")], ..said() },
        Complaint { form_data: "{}".to_owned(), ..said() },
        Complaint { matter: Matter::Report.into(), ..said() },
        Complaint { channel_detail: Some(ChannelDetail::Chat(ChatDetail::default())), ..said() },
    ];
    let mut hashes: Vec<_> = others.iter().chain([&said()]).map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), others.len() + 1);
}

/// A field of a complaint, below the messages it lies in, with what it says of itself.
struct Found {
    path: Vec<FieldDescriptor>,
    role: ContentRole,
}

impl Found {
    fn name(&self) -> String {
        self.path.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".")
    }

    /// A complaint with the messages that the field lies in, with or without itself.
    fn complaint(&self, whole: DynamicMessage, is_set: bool) -> Complaint {
        let mut whole = whole;
        set(&mut whole, &self.path, is_set);
        Complaint::decode(whole.encode_to_vec().as_slice()).unwrap()
    }
}

fn set(message: &mut DynamicMessage, path: &[FieldDescriptor], is_set: bool) {
    let [field, below @ ..] = path else { return };
    if below.is_empty() {
        if is_set {
            message.set_field(field, something(field));
        }
        return;
    }
    let Kind::Message(kind) = field.kind() else { unreachable!("{field:?} has no fields") };
    let mut inner = DynamicMessage::new(kind);
    set(&mut inner, below, is_set);
    let inner = Reflected::Message(inner);
    message.set_field(field, if field.is_list() { Reflected::List(vec![inner]) } else { inner });
}

/// A value that a field does not have when nothing is told.
fn something(field: &FieldDescriptor) -> Reflected {
    let one = match field.kind() {
        Kind::String => Reflected::String("something else".to_owned()),
        Kind::Bool => Reflected::Bool(true),
        Kind::Int32 => Reflected::I32(7),
        Kind::Int64 => Reflected::I64(7),
        Kind::Enum(kind) => Reflected::EnumNumber(kind.values().map(|value| value.number()).max().unwrap()),
        Kind::Message(kind) => {
            let mut inner = DynamicMessage::new(kind.clone());
            let number = kind.fields().find(|field| field.kind() == Kind::Int64);
            if let Some(field) = number {
                inner.set_field(&field, Reflected::I64(7));
            }
            Reflected::Message(inner)
        }
        other => unreachable!("{other:?}"),
    };
    if field.is_list() { Reflected::List(vec![one]) } else { one }
}

fn fields(
    message: &MessageDescriptor,
    option: &ExtensionDescriptor,
    above: &[FieldDescriptor],
    found: &mut Vec<Found>,
) {
    for field in message.fields() {
        let role = field.options().get_extension(option).as_enum_number().unwrap();
        let role = ContentRole::try_from(role).unwrap();
        let path: Vec<_> = above.iter().cloned().chain([field.clone()]).collect();
        match field.kind() {
            Kind::Message(inner)
                if role == ContentRole::Defined && inner.package_name() == message.package_name() =>
            {
                fields(&inner, option, &path, found);
            }
            _ => found.push(Found { path, role }),
        }
    }
}

#[test]
fn what_the_contract_says_counts_and_nothing_else() {
    let pool = DescriptorPool::decode(proto::BARE_DESCRIPTOR_SET).unwrap();
    let option = pool.get_extension_by_name("redress.intake.v1.content").unwrap();
    let kind = pool.get_message_by_name("redress.intake.v1.Complaint").unwrap();
    let mut found = Vec::new();
    fields(&kind, &option, &[], &mut found);
    assert!(found.len() > 60, "{} fields: is the contract read?", found.len());
    let said = DynamicMessage::decode(kind, said().encode_to_vec().as_slice()).unwrap();
    for field in found {
        let [without, with] = [false, true].map(|is_set| hash(&field.complaint(said.clone(), is_set)));
        assert_eq!(without != with, field.role != ContentRole::None, "{}", field.name());
    }
}

#[test]
fn what_counts_as_it_is_written_changes_the_hash_where_it_is_there() {
    let hash = |complaint: &Complaint, paths: &[&[u32]]| {
        let mut content = Content(Sha256::new());
        content.verbatim(complaint, paths);
        content.0.finalize()
    };
    let in_region = |region: &str| {
        let complainant = Complainant { region: region.to_owned(), ..Complainant::default() };
        Complaint { complainant: Some(complainant), ..said() }
    };
    let (region, language): (&[u32], &[u32]) = (&[4, 5], &[12]);
    assert_eq!(hash(&in_region(""), &[region, language]), hash(&in_region(""), &[]));
    assert_ne!(hash(&in_region("x"), &[region]), hash(&in_region(""), &[region]));
    assert_ne!(hash(&in_region("x"), &[region]), hash(&in_region("y"), &[region]));
    assert_eq!(hash(&in_region("x"), &[language]), hash(&in_region("y"), &[language]));
    // The same letters in another field are something else.
    let in_language = Complaint { language: "x".to_owned(), ..said() };
    assert_ne!(hash(&in_language, &[region, language]), hash(&in_region("x"), &[region, language]));
}
