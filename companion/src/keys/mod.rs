//! The signing keys on disk: the folder they are in, and how one key follows another.

pub mod folder;
pub mod rotation;
