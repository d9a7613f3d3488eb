//! The rotation of the signing keys by an operator. [`rotation`] has the rules, for both stores.

use super::{KeyStore, KeysError, generate_key, log, sealed};
use crate::clock::Clock;
use crate::db::signing_keys;
use crate::domain::audit::Event;
use crate::domain::token::key_encryption::KeyEncryptionKeys;
use crate::domain::token::rotation::{self, KeyState, Phase, Rotation};
use crate::domain::token::sealed_key::SealedKey;
use crate::domain::token::stored_key::{PhasedKey, StoredKey};
use crate::keys::rotation as folder;
use crate::service::Context;

/// Rotates the keys of a store. `force` signs with a key that not every verifier can know yet.
///
/// # Errors
/// As [`rotation::plan`] and the store.
pub async fn rotate(store: &KeyStore, force: bool, clock: &dyn Clock) -> Result<Rotation, KeysError> {
    match store {
        KeyStore::Folder(directory) => {
            let now = clock.now();
            let rotation = folder::rotate(directory, now, force)?;
            log(&event(&rotation), now);
            Ok(rotation)
        }
        KeyStore::Database(context, encryption) => in_database(context, encryption, force).await,
    }
}

fn event(rotation: &Rotation) -> Event {
    Event::KeysRotated { signing: rotation.plan.signing.clone(), announced: rotation.announced.clone() }
}

async fn in_database(
    context: &Context,
    encryption: &KeyEncryptionKeys,
    force: bool,
) -> Result<Rotation, KeysError> {
    let mut change = context.begin().await?;
    signing_keys::lock(change.connection()).await?;
    // After the lock: a rotation that went before has announced a key by now.
    let now = context.now();
    let (_, rows) = signing_keys::list(change.connection()).await?;
    // Under another key-encryption key nothing rotates: the companions could not open the new key.
    let keys = sealed::open_all(&rows, encryption)?;
    let states: Vec<KeyState> = keys.iter().map(StoredKey::state).collect();
    let plan = rotation::plan(&states, now, force)?;
    let announced = PhasedKey::Announced(generate_key(plan.size).await?);
    let announced = sealed::seal(&StoredKey { since: now, key: announced }, encryption)?;

    signing_keys::delete(change.connection(), &plan.gone).await?;
    if let Some(former) = &plan.retired {
        // First, because one key signs.
        for key in keys.iter().filter(|key| key.public().kid() == former) {
            let retired = StoredKey { since: now, key: PhasedKey::Retired(key.public().clone()) };
            signing_keys::update(change.connection(), &sealed::seal(&retired, encryption)?).await?;
        }
        for row in rows.into_iter().filter(|row| row.kid == plan.signing) {
            let signing = SealedKey { phase: Phase::Signing, since: now, ..row };
            signing_keys::update(change.connection(), &signing).await?;
        }
    }
    signing_keys::insert(change.connection(), &announced).await?;
    let rotation = Rotation { plan, announced: announced.kid };
    change.record_without_user(now, &event(&rotation));
    change.commit().await?;
    Ok(rotation)
}
