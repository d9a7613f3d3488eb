//! Feeds libFuzzer's bytes to `edgeward_fuzz::path`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| edgeward_fuzz::path(bytes));
