//! See `realdid_fuzz::jose::jwe`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::jose::jwe(data));
