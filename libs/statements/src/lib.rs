//! Statements of what a department moved, read row by row in bounded memory: a bank's message
//! `camt.053` (ISO 20022) or MT940 (SWIFT), or a table of separated cells with a line of names.
//!
//! Of a table, the columns `reference` and `amount` (`128.50`) are needed; `currency`,
//! `direction` (`paid` or `collected`; else every row was paid) and `day` (`2026-11-28`) are
//! read where they are there, others are passed over. Of a bank's message, what was debited was
//! paid; the reference is the number the organisation gave the payment, else the bank's. Rows
//! are numbered from 1.
//!
//! Nothing is sent anywhere: whoever reads one holds it against the ledger by
//! `LedgerService.ReconcileStatement`, [`ROWS_MAX`] rows at a time.
#![warn(clippy::missing_errors_doc)]
#![warn(missing_docs)]

mod camt;
mod file;
mod mt940;
mod table;

pub use file::Statement;

/// Most rows that the ledger takes in one message.
pub const ROWS_MAX: usize = 1_000;
