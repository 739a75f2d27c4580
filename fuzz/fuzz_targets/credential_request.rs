//! See `realdid_fuzz::messages::credential_request`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::messages::credential_request(data));
