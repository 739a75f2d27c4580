//! See `realdid_fuzz::credentials::sd_jwt_disclosures`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::credentials::sd_jwt_disclosures(data));
