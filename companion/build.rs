//! Compiles the companion anew when a migration is added: it holds them all.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
