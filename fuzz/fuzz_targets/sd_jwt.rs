//! See `realdid_fuzz::credentials::sd_jwt`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::credentials::sd_jwt(data));
