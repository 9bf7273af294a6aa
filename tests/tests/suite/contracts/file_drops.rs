//! The lines of file drops and of the files that were put into them.

use super::table::{EMPTY, Invalid, invalid};
use super::unknown::{Unknown, unknown};

pub(super) const INVALID: &[Invalid] = &[
    invalid(
        "FileDropService.SetFileDrop",
        r#"{"fileDrop": {"path": "../a", "place": 9, "channel": 99, "authority": "FCA", "mapping": "[colums]",
            "encoding": "none", "separator": "ab", "silentAfter": "-1s"}, "expectedVersion": "-1"}"#,
        "INVALID_FILE_DROP",
        &[
            "request_id",
            "expected_version",
            "file_drop.place",
            "file_drop.path",
            "file_drop.channel",
            "file_drop.authority",
            "file_drop.mapping",
            "file_drop.encoding",
            "file_drop.separator",
            "file_drop.language",
            "file_drop.silent_after",
            "file_drop.file_drop_id",
            "file_drop.owner",
        ],
    ),
    invalid("FileDropService.GetFileDrop", EMPTY, "INVALID_FILE_DROP_ID", &["file_drop_id"]),
    invalid("FileDropService.DeleteFileDrop", EMPTY, "INVALID_FILE_DROP_ID", &["request_id", "file_drop_id"]),
    invalid(
        "FileDropService.ListDroppedFiles",
        r#"{"pageSize": -1, "fileDropId": "A B", "state": 99}"#,
        "INVALID_LIST",
        &["page_size", "file_drop_id", "state"],
    ),
    invalid(
        "FileDropService.TryDropMapping",
        r#"{"mapping": "[colums]", "encoding": "none", "separator": "ab", "channel": 99, "authority": "FCA",
            "sample": "eA==", "droppedFileId": "x"}"#,
        "INVALID_DROP_TRIAL",
        &[
            "channel",
            "authority",
            "mapping",
            "encoding",
            "separator",
            "language",
            "dropped_file_id",
            "sample",
            "file_name",
        ],
    ),
    invalid("FileDropService.GetDroppedFile", EMPTY, "INVALID_DROPPED_FILE_ID", &["dropped_file_id"]),
];

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown("FileDropService.GetFileDrop", r#"{"file_drop_id": "nowhere"}"#, "FILE_DROP_NOT_FOUND"),
    unknown(
        "FileDropService.DeleteFileDrop",
        r#"{"request_id": "$KEY", "file_drop_id": "nowhere"}"#,
        "FILE_DROP_NOT_FOUND",
    ),
    unknown(
        "FileDropService.TryDropMapping",
        r#"{"language": "en", "dropped_file_id": "$ID"}"#,
        "DROPPED_FILE_NOT_FOUND",
    ),
    unknown("FileDropService.GetDroppedFile", r#"{"dropped_file_id": "$ID"}"#, "DROPPED_FILE_NOT_FOUND"),
];
