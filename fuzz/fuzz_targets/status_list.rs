//! See `realdid_fuzz::credentials::status_list`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::credentials::status_list(data));
