//! See `realdid_fuzz::messages::issuer_metadata`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::messages::issuer_metadata(data));
