//! See `realdid_fuzz::messages::site_statement`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::messages::site_statement(data));
