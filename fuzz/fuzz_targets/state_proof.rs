//! See `realdid_fuzz::ledger::state_proof`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::ledger::state_proof(data));
