//! See `realdid_fuzz::jose::strict_json`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::jose::strict_json(data));
