//! The replacement of the key that seals the secrets of authenticator apps.

use crate::db::factors;
use crate::domain::FactorId;
use crate::domain::token::key_encryption::{KeyEncryptionKeys, Subject};
use crate::service::Context;

/// Seals by the newest key what a former one has sealed, a batch at a time, and returns the number of secrets. What no key
/// opens stays as it is. No audit event: the factors stay what they are.
///
/// # Errors
/// [`sqlx::Error`] if the database fails.
pub async fn reseal(context: &Context, keys: &KeyEncryptionKeys) -> Result<usize, sqlx::Error> {
    let (mut count, mut after) = (0, FactorId(0));
    while keys.has_former() {
        let mut connection = context.connection().await?;
        let apps = factors::list_sealed(&mut connection, after).await?;
        let Some(last) = apps.last() else { break };
        after = last.id;
        for app in &apps {
            if let Some(sealed) = keys.reseal(Subject::TotpSecret(app.user_id), &app.sealed) {
                factors::reseal(&mut connection, app.id, &sealed).await?;
                count += 1;
            }
        }
    }
    Ok(count)
}
