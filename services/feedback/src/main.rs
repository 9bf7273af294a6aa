//! The feedback service, alone in a process.

fn main() -> std::process::ExitCode {
    server::main(&[feedback::SERVICE])
}
