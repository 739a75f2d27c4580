//! See `realdid_fuzz::messages::wallet_link`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::messages::wallet_link(data));
