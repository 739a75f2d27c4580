//! See `realdid_fuzz::credentials::status_inflate`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::credentials::status_inflate(data));
