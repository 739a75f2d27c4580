//! See `realdid_fuzz::credentials::key_binding`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::credentials::key_binding(data));
