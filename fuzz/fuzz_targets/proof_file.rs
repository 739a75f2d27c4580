//! See `realdid_fuzz::ledger::proof_file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::ledger::proof_file(data));
