//! The mails about sign-ins: on an unknown device, and about one that a second factor has stopped.

use edgeward_wire::clock::MAX_GAP_S;

use crate::db::{sessions, users};
use crate::domain::SessionId;
use crate::domain::mail::{Details, MailKind};
use crate::domain::session::device::Device;
use crate::domain::session::device_name;
use crate::service::change::Change;
use crate::service::guard::{self, Guard};
use crate::service::mail::{Recipient, issue, write};
use crate::service::{Context, Error};

/// Writes a mail about a session that starts, if the device is not known to the account and there were not too many such mails:
/// a program that signs in each minute is no news.
pub(super) async fn announce(
    change: &mut Change<'_>,
    guard: &Guard,
    to: Recipient<'_>,
    device_tokens: &[String],
    session_id: SessionId,
    device: &Device,
) -> Result<(), Error> {
    let (context, kind) = (change.context, MailKind::NewSignIn);
    let now = context.now();
    if !context.mail.kinds.contain(kind)
        || is_known(change, guard, to, device_tokens).await?
        || !guard::charge_notice(change.connection(), guard, kind, to.email, now).await?
    {
        return Ok(());
    }
    let name = device.name.as_deref().and_then(device_name::of).map(|name| name.joined_by("/"));
    let details = Details { device: name, network: device.address_prefix.clone(), ..Details::of(now) };
    let origin = sessions::find_origin(change.connection(), session_id).await?;
    issue(change, kind, to, (None, origin), &details, now).await?;
    Ok(())
}

/// Returns `true` if a device has signed in to an account before, and since nobody was locked out of it: the device may have been the
/// reason.
async fn is_known(
    change: &mut Change<'_>,
    guard: &Guard,
    to: Recipient<'_>,
    device_tokens: &[String],
) -> Result<bool, Error> {
    let last_login = guard.last_login(change.context, to.email, device_tokens);
    let (Some(last_login), Some(user_id)) = (last_login, to.user_id) else { return Ok(false) };
    let not_before = users::devices_not_before(change.connection(), user_id).await?;
    // The clock of the companion that has dated the login may be ahead.
    Ok(not_before.is_none_or(|not_before| last_login > not_before.unix_timestamp() + i64::from(MAX_GAP_S)))
}

/// Returns the result of a second step. A wrong code or passkey is counted first, and after several of them its user is told:
/// somebody knows the password (OWASP ASVS 5.0, 6.3.5).
pub(super) async fn announce_wrong_factor<T>(
    context: &Context,
    guard: &Guard,
    to: Recipient<'_>,
    result: Result<T, Error>,
) -> Result<T, Error> {
    let kind = MailKind::WrongCodes;
    let is_wrong = matches!(result, Err(Error::WrongFactor | Error::PasskeyWrong | Error::PasskeyUnknown));
    if !is_wrong || !context.mail.kinds.contain(kind) {
        return result;
    }
    // The factor was wrong, whether or not the mail can be written: another error would give the attempt back.
    if let Err(error) = write_wrong_factors(context, guard, to).await {
        tracing::warn!(%error, "no mail about wrong factors was written");
    }
    result
}

/// Writes the mail in a change of its own, since that of the second step is rolled back.
async fn write_wrong_factors(context: &Context, guard: &Guard, to: Recipient<'_>) -> Result<(), Error> {
    let mut change = context.begin().await?;
    let now = context.now();
    if guard::charge_wrong_factor(change.connection(), guard, to.email, now).await? {
        let details = Details { network: context.caller.client_prefix(), ..Details::of(now) };
        write(&mut change, MailKind::WrongCodes, to, &details, None, now).await?;
    }
    change.commit().await
}
