//! See `realdid_fuzz::messages::credential_offer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::messages::credential_offer(data));
