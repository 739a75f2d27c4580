//! The same program in a build that calls an operation final too early, for the kill test to catch.

fn main() -> std::process::ExitCode {
    realdid_cli::main()
}
