//! Intake as a process of its own.

fn main() -> std::process::ExitCode {
    server::main(&[intake::SERVICE])
}
