//! The process.

use std::process::ExitCode;

fn main() -> ExitCode {
    redress::main()
}
