//! See `realdid_fuzz::messages::authorization_response`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::messages::authorization_response(data));
