//! See `realdid_fuzz::credentials::vc`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::credentials::vc(data));
