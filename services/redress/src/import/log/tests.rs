//! The log of an import, cut off at any place.

use std::fs;
use std::path::PathBuf;

use proto::redress::intake::v1::SubmitComplaintResponse;

use super::*;

const ROWS: u64 = 9;
const CHUNK: usize = 2;

fn identity() -> Identity {
    let text = |text: &str| text.to_owned();
    Identity { file: text("f"), read_as: text("m"), server: text("s"), verdicts: Some(text("v")) }
}

fn verdict(number: u64) -> Verdict {
    let outcome = if number.is_multiple_of(4) {
        let reason = "NO_SUCH_CATEGORY".to_owned();
        Err(RowRefusal { code: 3, reason, message: "换行\n".to_owned(), violations: Vec::new() })
    } else {
        Ok(SubmitComplaintResponse {
            complaint_id: format!("c-{number}"),
            receipt_code: format!("R{number}"),
            ..SubmitComplaintResponse::default()
        })
    };
    Verdict { number, request_id: format!("r-{number}"), before: false, outcome }
}

struct Files {
    _folder: tempfile::TempDir,
    verdicts: PathBuf,
    state: PathBuf,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (verdicts, state) = (folder.path().join("v.jsonl"), folder.path().join("s"));
        Self { _folder: folder, verdicts, state }
    }

    fn open(&self) -> anyhow::Result<Log> {
        Log::open(Some(&self.verdicts), Some((&self.state, identity())))
    }

    fn lengths(&self) -> (usize, usize) {
        let length = |path: &PathBuf| usize::try_from(fs::metadata(path).unwrap().len()).unwrap();
        (length(&self.verdicts), length(&self.state))
    }

    /// Goes on to the end, as an import does; where both files ended after each step.
    fn go_on(&self) -> Vec<(usize, usize)> {
        let mut log = self.open().unwrap();
        let mut steps = vec![self.lengths()];
        let rest: Vec<Verdict> = (log.rows() + 1..=ROWS).map(verdict).collect();
        for chunk in rest.chunks(CHUNK) {
            log.add(chunk).unwrap();
            steps.push(self.lengths());
        }
        log.finish().unwrap();
        assert_eq!(log.counts().rows(), ROWS);
        assert_eq!((log.counts().registered, log.counts().refused), (7, 2));
        steps.push(self.lengths());
        steps
    }
}

/// Cut off at every byte of every step, the import goes on and ends with the same verdicts.
#[test]
fn whatever_breaks_off_no_row_is_missing_and_none_is_twice() {
    let whole = Files::new();
    let steps = whole.go_on();
    let (verdicts, state) = (fs::read(&whole.verdicts).unwrap(), fs::read(&whole.state).unwrap());
    assert_eq!(verdicts.split(|byte| *byte == b'\n').count() as u64, ROWS + 1);
    let mut crashes = vec![];
    let (_, begun) = steps[0];
    crashes.extend((0..=begun).map(|state| (0, state)));
    for pair in steps.windows(2) {
        let ((v, s), (v_next, s_next)) = (pair[0], pair[1]);
        crashes.extend((v..=v_next).step_by(11).map(|v| (v, s)));
        crashes.extend([(v_next, s)]);
        crashes.extend((s..=s_next).step_by(7).map(|s| (v_next, s)));
        crashes.extend([(v_next, s_next - 1), (v_next, s_next)]);
    }
    assert!(crashes.len() > 200, "{}", crashes.len());
    for (v, s) in crashes {
        let broken = Files::new();
        fs::write(&broken.verdicts, &verdicts[..v]).unwrap();
        fs::write(&broken.state, &state[..s]).unwrap();
        broken.go_on();
        assert!(fs::read(&broken.verdicts).unwrap() == verdicts, "cut at {v} and {s}");
        assert!(broken.open().unwrap().is_complete());
    }
}

#[test]
fn another_import_is_not_gone_on_with() {
    let files = Files::new();
    files.go_on();
    let refused = |change: fn(&mut Identity)| {
        let mut other = identity();
        change(&mut other);
        format!("{:#}", Log::open(Some(&files.verdicts), Some((&files.state, other))).err().unwrap())
    };
    assert!(refused(|other| other.file.push('x')).contains("the file was changed"));
    assert!(refused(|other| other.read_as.push('x')).contains("the mapping"));
    assert!(refused(|other| other.server.push('x')).contains("--server is another"));
    assert!(refused(|other| other.verdicts = None).contains("--verdicts is another"));
    let kept = fs::read(&files.verdicts).unwrap();
    fs::write(&files.verdicts, &kept[..10]).unwrap();
    assert!(format!("{:#}", files.open().err().unwrap()).contains("it was changed"));
    fs::write(&files.state, "id,subject\n1,x\n").unwrap();
    assert!(format!("{:#}", files.open().err().unwrap()).contains("is no state of an import"));
    fs::write(&files.state, "no line").unwrap();
    assert!(format!("{:#}", files.open().err().unwrap()).contains("is no state of an import"));
    assert_eq!(fs::read(&files.state).unwrap(), b"no line", "left as it was");
}

#[test]
fn two_imports_do_not_share_a_state() {
    let files = Files::new();
    let _first = files.open().unwrap();
    assert!(format!("{:#}", files.open().err().unwrap()).contains("another import goes on with it"));
}

#[test]
fn a_file_is_told_by_all_of_its_bytes() {
    let one = fingerprint(&b"a"[..]).unwrap();
    assert_eq!(one, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
    assert_ne!(one, fingerprint(&b"b"[..]).unwrap());
}
