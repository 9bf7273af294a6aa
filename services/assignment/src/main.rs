//! The assignment service as a process of its own.

fn main() -> std::process::ExitCode {
    server::main(&[assignment::SERVICE])
}
