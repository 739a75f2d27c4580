//! See `realdid_fuzz::credentials::type_metadata`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::credentials::type_metadata(data));
