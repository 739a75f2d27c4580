//! See `realdid_fuzz::jose::jws`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::jose::jws(data));
