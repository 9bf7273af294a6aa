//! What a workbook unpacks to, found out before it is read.
//!
//! A workbook is an archive: a few kilobytes of it may unpack to terabytes, may say that
//! they hold a billion texts, for which whoever reads them makes room, or may be one text
//! without an end. Every part is unpacked once, into nothing, and counted.

use std::fs::File;
use std::io::{BufReader, Read};

use quick_xml::events::Event;
use zip::ZipArchive;

use super::Refused;

/// Most parts of a workbook.
pub const MAX_PARTS: usize = 4_096;
/// Most bytes a workbook may unpack to, where whoever reads it does not want fewer.
pub const MAX_UNPACKED_BYTES: u64 = 2 << 30;
/// Most bytes of the texts that its cells share, which are all in memory while it is read.
pub const MAX_SHARED_BYTES: u64 = 512 << 20;
/// Most bytes between two marks of its XML: a text of a cell, escaped.
pub const MAX_TEXT_BYTES: u64 = 2 << 20;
/// Bytes within which the shared texts say how many they are.
const HEAD: usize = 4_096;
/// Bytes of the shortest text that is shared: `<si/>`.
const SHORTEST: u64 = 5;
/// Bytes unpacked at once.
const BLOCK: usize = 64 * 1024;
/// What the part of the shared texts is called, wherever it lies.
const SHARED: &str = "sharedstrings.xml";

/// Refuses a file that is no workbook, or unpacks to more than so many bytes, or than one may.
pub(super) fn check(file: &File, most: u64) -> Result<(), Refused> {
    let most = most.min(MAX_UNPACKED_BYTES);
    let damaged = |error: zip::result::ZipError| Refused::Damaged(error.to_string());
    let mut archive = ZipArchive::new(BufReader::new(file.try_clone()?)).map_err(damaged)?;
    let has = |wanted: &str| archive.file_names().any(|name| name.eq_ignore_ascii_case(wanted));
    if has("content.xml") && has("mimetype") {
        return Err(Refused::OtherKind("an OpenDocument file (.ods)"));
    }
    if has("xl/workbook.bin") {
        return Err(Refused::OtherKind("a binary workbook (.xlsb)"));
    }
    if archive.len() > MAX_PARTS {
        return Err(Refused::TooLarge(format!("more than {MAX_PARTS} parts")));
    }
    if archive.has_overlapping_files().map_err(damaged)? {
        return Err(Refused::Damaged("its parts lie over each other".to_owned()));
    }
    // What it says is believed where it is too much, and counted where it is not.
    if archive.decompressed_size().is_some_and(|bytes| bytes > u128::from(most)) {
        return Err(too_many_bytes(most));
    }
    let mut unpacked = 0;
    for place in 0..archive.len() {
        let part = archive.by_index(place).map_err(damaged)?;
        let is_shared = part.name().to_ascii_lowercase().ends_with(SHARED);
        let is_text = std::path::Path::new(part.name())
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("xml") || end.eq_ignore_ascii_case("rels"));
        unpacked += count(part, is_shared, is_text, (most - unpacked, most))?;
    }
    Ok(())
}

fn too_many_bytes(most: u64) -> Refused {
    Refused::TooLarge(format!("{} MiB", most >> 20))
}

/// Unpacks a part into nothing; how many bytes it has, of those that are left of the most there
/// may be.
fn count(
    mut part: impl Read,
    is_shared: bool,
    is_text: bool,
    (left, most): (u64, u64),
) -> Result<u64, Refused> {
    let (mut bytes, mut text) = (0_u64, 0_u64);
    let mut head = Vec::new();
    let mut block = vec![0; BLOCK];
    loop {
        let read = part.read(&mut block).map_err(|error| Refused::Damaged(error.to_string()))?;
        if read == 0 {
            break;
        }
        let block = &block[..read];
        bytes += read as u64;
        if bytes > left {
            return Err(too_many_bytes(most));
        }
        if is_shared && bytes > MAX_SHARED_BYTES {
            let most = MAX_SHARED_BYTES >> 20;
            return Err(Refused::TooLarge(format!("{most} MiB of texts that cells share")));
        }
        let mut pieces = block.split(|byte| *byte == b'<').map(|piece| piece.len() as u64);
        text += pieces.next().unwrap_or(0);
        let mut longest = text;
        for piece in pieces {
            text = piece;
            longest = longest.max(piece);
        }
        if is_text && longest > MAX_TEXT_BYTES {
            return Err(Refused::TooLarge(format!("a text of {} MiB", MAX_TEXT_BYTES >> 20)));
        }
        if is_shared && head.len() < HEAD {
            head.extend_from_slice(&block[..read.min(HEAD - head.len())]);
        }
    }
    if is_shared { told(&head, bytes).map(|()| bytes) } else { Ok(bytes) }
}

/// Refuses shared texts that say they are more than they can be.
fn told(head: &[u8], bytes: u64) -> Result<(), Refused> {
    let nonsense = |what: &str| Err(Refused::Damaged(format!("the texts that cells share {what}")));
    let mut reader = quick_xml::Reader::from_reader(head);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) if tag.local_name().as_ref() == "sst" => {
                let mut attributes = tag.attributes();
                let says = attributes.with_checks(false).flatten();
                let says = says.filter(|attribute| attribute.key.as_ref() == "uniqueCount");
                let most = bytes / SHORTEST;
                // A number that is none is passed over by whoever reads the workbook.
                let mut counts = says.map(|says| says.value.trim().parse::<u64>().unwrap_or(0));
                return if counts.any(|count| count > most) {
                    nonsense("say they are more than they can be")
                } else {
                    Ok(())
                };
            }
            Ok(Event::Eof) | Err(_) => return nonsense("do not begin as such"),
            Ok(_) => {}
        }
    }
}
