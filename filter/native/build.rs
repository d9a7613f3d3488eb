//! Link options of the module.

fn main() {
    // A thread of a configuration that has ended may run its last instructions after Envoy has closed the module.
    println!("cargo::rustc-link-arg-cdylib=-Wl,-z,nodelete");
    println!("cargo::rerun-if-changed=build.rs");
}
