//! The resolution service as a process of its own.

fn main() -> std::process::ExitCode {
    server::main(&[resolution::SERVICE])
}
