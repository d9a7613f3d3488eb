//! The rotation of the signing keys by an operator.

use std::path::Path;

use time::OffsetDateTime;

use crate::domain::audit::{Entry, Event};
use crate::domain::caller::Caller;
use crate::keys::rotation::{self, Rotation, RotationError};
use crate::telemetry::audit;

/// Rotates the keys of a folder. `force` signs with a key that not every verifier can know yet.
///
/// # Errors
/// As [`rotation::rotate`].
pub fn rotate(directory: &Path, now: OffsetDateTime, force: bool) -> Result<Rotation, RotationError> {
    let rotation = rotation::rotate(directory, now, force)?;
    let (signing, announced) = (rotation.signing.clone(), rotation.announced.clone());
    let (caller, event) = (&Caller::COMMAND_LINE, Event::KeysRotated { signing, announced });
    audit::log(&Entry::new(now, caller, &event, None, None), caller);
    Ok(rotation)
}
