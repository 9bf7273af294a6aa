//! Writes verdict files: a line a row, for spreadsheets and for programs.

use std::fs::File;
use std::io::Write as _;

use fault::Fault;
use kernel::TenantId;
use kernel::receipt::{ReceiptCode, ReceiptKey};
use pg::Db;
use server::Length;
use tables::csv::{BYTE_ORDER_MARK, field, line};
use work_queue::Trouble;

use crate::dropped_file::{DroppedFile, RowVerdict, State, Verdict, code_of};
use crate::store::dropped_files;

/// The headings of a verdict file.
const HEADINGS: [&str; 9] =
    ["row", "reference", "verdict", "complaint_id", "receipt_code", "code", "reason", "field", "problem"];
/// What became of rows, in words.
const REGISTERED: &str = "registered";
const REGISTERED_BEFORE: &str = "registered_before";
const REFUSED: &str = "refused";

/// The verdict file of a file, from what is kept of its rows.
pub(crate) async fn written(
    db: &Db,
    tenant: &TenantId,
    file: &DroppedFile,
    key: &ReceiptKey,
) -> Result<File, Trouble> {
    let mut content = tempfile::tempfile().map_err(|error| spool(&error))?;
    content.write_all(head().as_bytes()).map_err(|error| spool(&error))?;
    let (id, mut from) = (file.id, 0);
    loop {
        let kept = db.transact("dropped_file.verdicts", tenant, async move |mut tx| {
            let kept = dropped_files::verdicts(&mut tx, id, from).await?;
            Ok((tx, kept))
        });
        let Some((first, kept)) = kept.await? else { break };
        from = first + 1;
        let key = key.clone();
        let render = move || -> Result<File, Fault> {
            let rows: Vec<RowVerdict> = serde_json::from_str(&kept).map_err(Fault::internal)?;
            let text: String = rows.iter().map(|row| row_line(row, &key)).collect();
            content.write_all(text.as_bytes()).map_err(Fault::internal)?;
            Ok(content)
        };
        content = server::blocking(tenant, Length::Quick, "dropped_file.verdicts", render).await??;
    }
    if file.outcome == Some(State::Refused) {
        content.write_all(whole_line(file).as_bytes()).map_err(|error| spool(&error))?;
    }
    Ok(content)
}

fn spool(error: &std::io::Error) -> Trouble {
    Trouble::of_work("SPOOL_FAILS", format!("the folder of temporary files: {error}"))
}

fn head() -> String {
    format!("{BYTE_ORDER_MARK}{}", line(HEADINGS.map(str::to_owned)))
}

/// The line of a row.
fn row_line(row: &RowVerdict, key: &ReceiptKey) -> String {
    let (number, reference) = (row.number.to_string(), field(&row.reference));
    let none = String::new;
    match &row.verdict {
        Verdict::Registered { id, before } => {
            let verdict = if *before { REGISTERED_BEFORE } else { REGISTERED };
            let receipt = ReceiptCode::derive(key, *id).to_string();
            line([
                number,
                reference,
                verdict.to_owned(),
                id.to_string(),
                field(&receipt),
                none(),
                none(),
                none(),
                none(),
            ])
        }
        Verdict::Refused(refusal) => line([
            number,
            reference,
            REFUSED.to_owned(),
            none(),
            none(),
            field(&refusal.code),
            field(&refusal.reason),
            field(&refusal.field),
            field(&refusal.problem),
        ]),
    }
}

/// The line that says why a file was refused whole, or not read to its end.
fn whole_line(file: &DroppedFile) -> String {
    let none = String::new;
    let code = code_of(&file.reason).to_owned();
    line([
        none(),
        none(),
        REFUSED.to_owned(),
        none(),
        none(),
        code,
        field(&file.reason),
        none(),
        field(&file.error),
    ])
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::dropped_file::Refusal;

    fn key() -> ReceiptKey {
        ReceiptKey::new(b"a key of sixteen letters").expect("a key")
    }

    #[test]
    fn a_file_of_verdicts_opens_in_a_spreadsheet_and_is_no_formula() {
        assert!(head().starts_with("\u{feff}row,reference,verdict,complaint_id,"));
        let id = Uuid::from_u128(7);
        let registered = RowVerdict {
            number: 3,
            reference: "=1+1".to_owned(),
            verdict: Verdict::Registered { id, before: true },
        };
        let receipt = ReceiptCode::derive(&key(), id).to_string();
        let expected = format!("3,'=1+1,registered_before,{id},{receipt},,,,\r\n");
        assert_eq!(row_line(&registered, &key()), expected);
        let wrong = [("complaint.subject".to_owned(), "is \"required\"".to_owned())];
        let refused = RowVerdict {
            number: 4,
            reference: "丢件".to_owned(),
            verdict: Verdict::Refused(Refusal::new("INVALID_ARGUMENT", "INVALID_COMPLAINT", &wrong)),
        };
        let expected = "4,丢件,refused,,,INVALID_ARGUMENT,INVALID_COMPLAINT,complaint.subject,\
                        \"is \"\"required\"\"\"\r\n";
        assert_eq!(row_line(&refused, &key()), expected);
    }
}
