//! See `realdid_fuzz::credentials::jwt_vc_issuer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| realdid_fuzz::credentials::jwt_vc_issuer(data));
