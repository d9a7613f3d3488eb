//! Feeds libFuzzer's bytes to `edgeward_fuzz::jwks`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| edgeward_fuzz::jwks(bytes));
