//! The mail about a sign-in on an unknown device.

use crate::domain::SessionId;
use crate::domain::mail::{Details, MailKind};
use crate::domain::session::device::Device;
use crate::domain::session::device_name;
use crate::service::Error;
use crate::service::change::Change;
use crate::service::guard::{self, Guard};
use crate::service::mail::{Recipient, issue};

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
        || guard.knows_device(context, to.email, device_tokens)
        || !guard::charge_notice(change.connection(), guard, kind, to.email, now).await?
    {
        return Ok(());
    }
    let name = device.name.as_deref().and_then(device_name::of).map(|name| name.joined_by("/"));
    let details = Details { device: name, network: device.address_prefix.clone(), ..Details::of(now) };
    issue(change, kind, to, Some(&session_id.to_string()), &details, now).await?;
    Ok(())
}
