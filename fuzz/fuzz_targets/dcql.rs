//! See `realdid_fuzz::messages::dcql`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::messages::dcql(data));
