//! The web console, alone in a process.

fn main() -> std::process::ExitCode {
    console::main()
}
