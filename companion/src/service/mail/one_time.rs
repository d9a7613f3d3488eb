//! Links and codes: they are issued with the mail that has them, and used once.

use time::OffsetDateTime;

use super::{Recipient, write};
use crate::db::one_time_tokens::{self, NewToken, OpenToken};
use crate::domain::account::user_ref::UserRef;
use crate::domain::mail::{Details, MailKind, Secrets};
use crate::domain::token::one_time::{CODE_LIFETIME, Code, OneTimeToken, Origin, Proof, Purpose};
use crate::service::account::begin_change;
use crate::service::change::Change;
use crate::service::guard::{self, Guard};
use crate::service::{Context, Error};

/// Issues the link of a mail, which may change this state and tells of this session, with a code beside it where its purpose
/// has one, and writes the mail. Returns the handle that the code counts beside.
///
/// The statements are the same for an address that nobody has.
pub(in crate::service) async fn issue(
    change: &mut Change<'_>,
    kind: MailKind,
    to: Recipient<'_>,
    (state, origin): (Option<&str>, Origin),
    details: &Details,
    now: OffsetDateTime,
) -> Result<OneTimeToken, Error> {
    let purpose = kind.purpose().ok_or(Error::Sealing)?;
    let random = &*change.context.mail.random;
    let [token, handle] = [OneTimeToken::generate(random)?, OneTimeToken::generate(random)?];
    let code = if purpose.has_code() { Some(Code::generate(random)?) } else { None };
    let new = NewToken {
        purpose,
        user_id: to.user_id,
        email: to.email,
        state,
        origin,
        token_hash: token.hash(),
        code: code.as_ref().map(|code| (handle.hash(), code.hash(&handle), now + CODE_LIFETIME)),
        expires_at: now + purpose.lifetime(),
    };
    one_time_tokens::insert(change.connection(), &new, now).await?;
    let secrets = Secrets { token: token.expose(), code: code.map(|code| code.expose().to_owned()) };
    write(change, kind, to, details, Some(&secrets), now).await?;
    Ok(handle)
}

/// Finds the token of a proof, which is still unused. A code that is wrong is counted.
///
/// # Errors
/// [`Error::TooManyAttempts`] if a limit rejects the attempt; [`Error::LinkInvalid`] if there is no such token: it was used, has
/// expired, or never was.
pub(in crate::service) async fn open(
    context: &Context,
    guard: &Guard,
    purpose: Purpose,
    proof: &Proof,
) -> Result<OpenToken, Error> {
    let permit = guard::admit(context, guard, guard.one_time_token(context)).await?;
    let found = async {
        let now = context.now();
        let mut connection = context.connection().await?;
        let found = match proof {
            Proof::Link(token) => one_time_tokens::find(&mut connection, purpose, &token.hash(), now).await?,
            Proof::Code { handle, code } => {
                let (handle, code) = (handle.hash(), code.hash(handle));
                one_time_tokens::try_code(&mut connection, purpose, &handle, &code, now).await?
            }
        };
        found.ok_or(Error::LinkInvalid)
    };
    permit.settle(context, found.await).await
}

/// Begins the change that a token permits: the user's row is locked, and the token is used.
///
/// # Errors
/// [`Error::LinkInvalid`] if it was used meanwhile, or the user is gone.
pub(in crate::service) async fn begin_use<'a>(
    context: &'a Context,
    token: &OpenToken,
) -> Result<Change<'a>, Error> {
    let (mut change, _) = match begin_change(context, &UserRef::Id(token.user_id)).await {
        Err(Error::UserUnknown) => return Err(Error::LinkInvalid),
        begun => begun?,
    };
    if one_time_tokens::consume(change.connection(), token.id, context.now()).await? {
        Ok(change)
    } else {
        Err(Error::LinkInvalid)
    }
}
