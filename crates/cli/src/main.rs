//! The `realdid` program. What it does is in the library beside it, which the planted build shares.

fn main() -> std::process::ExitCode {
    realdid_cli::main()
}
