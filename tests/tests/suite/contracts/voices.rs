//! The lines of telephones: the menus of the system, and calls that are asked for.

use super::table::{BAD_PAGE, Invalid, invalid};
use super::unknown::{Unknown, unknown};

pub(super) const INVALID: &[Invalid] = &[
    invalid(
        "IvrMenuService.CreateIvrMenu",
        r#"{"menu": {"choices": [
            {"keys": "1", "labels": [{"language": "en", "text": "Delivery"}, {"language": "EN", "text": ""}]},
            {"keys": "1", "labels": [{"language": "x y", "text": "Again"}], "matter": 9},
            {"keys": "2.1", "labels": [{"language": "en", "text": "Below nothing"}], "language": "-"},
            {"keys": "a"}]}}"#,
        "INVALID_IVR_MENU",
        &[
            "request_id",
            "menu.language",
            "menu.choices[1].keys",
            "menu.choices[2].keys",
            "menu.choices[3].keys",
            "menu.choices[0].labels[1].language",
            "menu.choices[0].labels[1].text",
            "menu.choices[1].matter",
            "menu.choices[1].labels[0].language",
            "menu.choices[2].language",
            "menu.choices[3].labels",
        ],
    ),
    invalid(
        "IvrMenuService.ActivateIvrMenu",
        r#"{"version": -1, "expectedVersion": -1}"#,
        "INVALID_VERSION",
        &["request_id", "version", "expected_version"],
    ),
    invalid(
        "IvrMenuService.TryIvrMenu",
        r#"{"version": -1, "latest": 201, "language": "x y"}"#,
        "INVALID_TRIAL",
        &["version", "latest", "language"],
    ),
    invalid("IvrMenuService.GetIvrMenu", r#"{"version": -1}"#, "INVALID_VERSION", &["version"]),
    invalid("IvrMenuService.ListIvrMenus", BAD_PAGE, "INVALID_LIST", &["page_size"]),
    invalid(
        "CallBackService.RequestCallBack",
        r#"{"preferEndTime": "2026-12-01T10:00:00Z"}"#,
        "INVALID_CALL_BACK_REQUEST",
        &["request_id", "case_id", "prefer_start_time"],
    ),
];

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown(
        "IvrMenuService.ActivateIvrMenu",
        r#"{"request_id": "$KEY", "version": 7}"#,
        "IVR_MENU_NOT_FOUND",
    ),
    unknown("IvrMenuService.TryIvrMenu", r#"{"version": 7, "keys": ["1"]}"#, "IVR_MENU_NOT_FOUND"),
    unknown("IvrMenuService.GetIvrMenu", "{}", "IVR_MENU_NOT_FOUND"),
    unknown(
        "CallBackService.RequestCallBack",
        r#"{"request_id": "$KEY", "case_id": "$ID"}"#,
        "CONTACT_NOT_FOUND",
    ),
];
