//! Feeds libFuzzer's bytes to `edgeward_fuzz::cookie`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| edgeward_fuzz::cookie(bytes));
