//! See `realdid_fuzz::messages::login`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::messages::login(data));
