//! See `realdid_fuzz::messages::oauth_forms`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::messages::oauth_forms(data));
