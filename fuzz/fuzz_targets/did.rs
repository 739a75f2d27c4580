//! See `realdid_fuzz::ledger::did`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::ledger::did(data));
