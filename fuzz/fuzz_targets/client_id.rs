//! See `realdid_fuzz::messages::client_id`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::messages::client_id(data));
