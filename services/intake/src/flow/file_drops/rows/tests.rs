//! What a drop adds to its rows, and what it does not let them say.

use super::*;
use crate::file_drop::Place;

fn settings(channel: Channel, authority: &str) -> Settings {
    Settings {
        id: "partner".to_owned(),
        place: Place::Folder,
        path: "a".to_owned(),
        channel: i16::try_from(i32::from(channel)).expect("a small number"),
        authority: authority.to_owned(),
        mapping: String::new(),
        sheet: String::new(),
        encoding: String::new(),
        separator: String::new(),
        owner: "ada".to_owned(),
        language: "zh-CN".to_owned(),
        silent_after: None,
        paused: false,
    }
}

fn of_authority(authority: &str) -> Complaint {
    let detail = RegulatorDetail { authority: authority.to_owned(), ..RegulatorDetail::default() };
    Complaint { channel_detail: Some(ChannelDetail::Regulator(detail)), ..Complaint::default() }
}

#[test]
fn a_row_is_of_the_drops_channel_and_language_unless_it_says_its_own_language() {
    let drop = settings(Channel::Partner, "");
    let plain = completed(Complaint::default(), &drop).expect("completed");
    assert_eq!((plain.channel(), plain.language.as_str()), (Channel::Partner, "zh-CN"));
    let own = Complaint { language: "en".to_owned(), channel: Channel::Partner.into(), ..plain };
    assert_eq!(completed(own.clone(), &drop), Ok(own));
    let other = Complaint { channel: Channel::Regulator.into(), ..Complaint::default() };
    assert_eq!(completed(other, &drop).expect_err("another").0, "ANOTHER_CHANNEL");
}

#[test]
fn a_row_of_a_regulator_is_of_the_drops_authority() {
    let drop = settings(Channel::Regulator, "FCA");
    for told in [Complaint::default(), of_authority(""), of_authority("FCA")] {
        let read = completed(told, &drop).expect("completed");
        let Some(ChannelDetail::Regulator(detail)) = read.channel_detail else { panic!("no detail") };
        assert_eq!(detail.authority, "FCA");
    }
    assert_eq!(completed(of_authority("CFPB"), &drop).expect_err("another").0, "ANOTHER_AUTHORITY");
    let any = settings(Channel::Regulator, "");
    assert_eq!(completed(of_authority("CFPB"), &any).expect("any").channel(), Channel::Regulator);
}

#[test]
fn what_is_wrong_with_a_cell_names_its_column() {
    let problem = Problem {
        kind: imports::Kind::Time,
        field: Some("complaint.occur_time".to_owned()),
        column: Some("时间".to_owned()),
        value: Some("gestern".to_owned()),
        why: "is no time".to_owned(),
    };
    let expected = ("complaint.occur_time".to_owned(), "时间: is no time: \"gestern\"".to_owned());
    assert_eq!(told(problem), expected);
    let bytes = Problem::of_row(imports::Kind::NotText, "--encoding names another");
    assert_eq!(told(bytes), (String::new(), "has bytes that are no text".to_owned()));
}
