//! See `realdid_fuzz::messages::dpop_proof`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::messages::dpop_proof(data));
