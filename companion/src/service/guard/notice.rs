//! Limits on the mails that nobody has asked for. They are charged in the transaction that writes the mail.

use time::OffsetDateTime;

use super::Guard;
use crate::db::attempts;
use crate::db::connection::Connection;
use crate::domain::account::email::Email;
use crate::domain::mail::MailKind;

/// Charges a mail of a kind, which its recipient did not ask for. Returns `false` if there
/// were too many.
pub async fn charge_notice(
    connection: &mut Connection,
    guard: &Guard,
    kind: MailKind,
    recipient: &Email,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let bucket = guard.buckets.of_recipient(kind, recipient);
    Ok(attempts::charge(connection, &[bucket], None, now).await?.is_empty())
}

/// Forgets the mails of a kind to a recipient: the next one is written in any case.
pub async fn forget_notices(
    connection: &mut Connection,
    guard: &Guard,
    kind: MailKind,
    recipient: &Email,
) -> Result<(), sqlx::Error> {
    attempts::clear(connection, &guard.buckets.of_recipient(kind, recipient).key).await
}

/// Counts a wrong code or passkey of somebody who knows the password of an account. Returns `true` if the user is to be told
/// now: from the fifth in a day on, once a day.
pub async fn charge_wrong_factor(
    connection: &mut Connection,
    guard: &Guard,
    email: &Email,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let wrong = guard.buckets.of_wrong_factors(email);
    let has_many = !attempts::charge(connection, &[wrong], None, now).await?.is_empty();
    Ok(has_many && charge_notice(connection, guard, MailKind::WrongCodes, email, now).await?)
}
