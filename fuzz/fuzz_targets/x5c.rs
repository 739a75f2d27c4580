//! See `realdid_fuzz::jose::x5c`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::jose::x5c(data));
