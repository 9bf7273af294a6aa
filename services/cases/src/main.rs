//! The cases service as a process of its own.

fn main() -> std::process::ExitCode {
    server::main(&[cases::SERVICE])
}
