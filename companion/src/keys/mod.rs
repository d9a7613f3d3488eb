//! The signing keys on disk: key files, their folder, and its rotation; and the key set in use.

pub mod current;
pub mod file;
pub mod folder;
pub mod rotation;
