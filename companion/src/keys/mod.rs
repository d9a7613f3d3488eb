//! The signing keys on disk: key files, their folder, and the rotation of keys.

pub mod current;
pub mod file;
pub mod folder;
pub mod rotation;
