//! See `realdid_fuzz::jose::jwk`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::jose::jwk(data));
