//! Tables as people write them, case by case.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod encodings;
mod moments;
mod numbers;
mod phones;
mod workbooks;
