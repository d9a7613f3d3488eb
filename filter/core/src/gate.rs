//! Policy for a request, from its head, the state of the edge and the time alone (invariants 5 and 6). It changes nothing
//! but the token cache.

use std::convert::Infallible;
use std::sync::Arc;

use edgeward_wire::BanScope;
use edgeward_wire::cookie::DEVICE;

use crate::claims::Identity;
use crate::cookie::{Repeated, find_each};
use crate::edge_state::EdgeState;
use crate::path::CanonicalPath;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::reply::LocalReply;
use crate::request::{Name, Request};
use crate::rules::{Access, Streams};
use crate::token::Unverified;
use crate::token_cache::TokenCache;
use crate::verdict::{Hold, OurCookies, Outcome, Pass, Renewed, Verdict};

/// Everything that a verdict depends on besides the request.
pub struct Gate<'a> {
    /// Configuration of the plugin.
    pub policy: &'a Policy,
    /// Keys and revocations.
    pub state: &'a EdgeState,
    /// Tokens that were verified before.
    pub cache: &'a TokenCache,
    /// Time, in seconds since 1970.
    pub now: u64,
}

/// Verdict on a request that is not held.
type Settled = Verdict<Infallible>;

impl Gate<'_> {
    /// Decides on a request.
    pub fn decide(&self, request: &Request<'_>) -> Verdict {
        match self.settle(request, None) {
            Ok(settled) => settled.widen(),
            Err(rejection) => {
                // The feed may have the key by now.
                let poll_early = rejection == Rejection::KeyUnknown;
                if let Some(token) = self.find_refresh_token(request, rejection) {
                    if let Err(banned) = self.check_bans(request, BanScope::Refresh) {
                        return self.reject(banned).widen();
                    }
                    return Verdict::Hold(Hold { refresh_token: token.to_owned(), rejection, poll_early });
                }
                let reply = LocalReply::login_redirect_or_rejection(self.policy, request, rejection);
                LocalReply { poll_early, ..reply }.into()
            }
        }
    }

    /// Decides on a request that was held for `rejection`, by what the companion has responded.
    pub fn resume(&self, request: &Request<'_>, rejection: Rejection, outcome: &Outcome) -> Settled {
        let rejection = match outcome {
            Outcome::Renewed(renewed) => match self.settle(request, Some(renewed)) {
                Ok(settled) => return settled,
                Err(rejection) => of_renewed_token(rejection),
            },
            Outcome::SessionOver => rejection,
            Outcome::Unavailable => Rejection::RefreshUnavailable,
        };
        let reply = LocalReply::login_redirect_or_rejection(self.policy, request, rejection);
        let is_new_to_the_edge =
            rejection == Rejection::RefreshUnavailable && matches!(outcome, Outcome::Renewed(_));
        LocalReply { poll_early: is_new_to_the_edge, ..reply }.into()
    }

    /// Decides on a request by its own access token or a renewed one. An error is the rejection of an access token that a
    /// rule requires.
    fn settle(&self, request: &Request<'_>, renewed: Option<&Arc<Renewed>>) -> Result<Settled, Rejection> {
        let path = match read_path(request) {
            Ok(path) => path,
            Err(rejection) => return Ok(self.reject(rejection)),
        };
        if self.policy.ready_path.as_ref().is_some_and(|ready| ready.as_bytes() == path.as_bytes()) {
            return Ok(LocalReply::readiness(self.check_state()).into());
        }
        let rule = match self.policy.rules.find(&path, request.method()) {
            Ok(rule) => rule,
            Err(ambiguity) => return Ok(self.reject(Rejection::Path(ambiguity))),
        };
        if request.is_preflight() {
            return Ok(Verdict::Pass(Pass::anonymous(OurCookies::Removed)));
        }
        if request.method() == b"POST"
            && self.policy.attempt_paths.iter().any(|attempt| attempt.as_bytes() == path.as_bytes())
            && let Err(banned) = self.check_bans(request, BanScope::Credentials)
            && !has_device_token(request)
        {
            return Ok(self.reject(banned));
        }
        let our_cookies = match renewed {
            _ if !rule.forward_cookies => OurCookies::Removed,
            Some(renewed) => OurCookies::Renewed(Arc::clone(renewed)),
            None => OurCookies::Kept,
        };
        let is_cross_site = self.policy.is_cross_site(request);
        let pass = |identity: Option<Identity>| {
            let ends_with_session = identity.is_some() && rule.streams == Streams::EndWithSession;
            Verdict::Pass(Pass { identity, our_cookies, ends_with_session })
        };
        Ok(match (&rule.access, self.identify(request, renewed)) {
            (Access::Public, identity) if !is_cross_site => pass(identity.ok()),
            // Another site's page may do here what anybody may, and nothing in the user's name.
            (Access::Public, _) if rule.forward_cookies && self.policy.cookies.present_in(request) => {
                self.reject(Rejection::CrossSite)
            }
            (Access::Public, _) => pass(None),
            (_, Err(rejection)) => return Err(rejection),
            (_, Ok(_)) if is_cross_site => self.reject(Rejection::CrossSite),
            (access, Ok(identity)) => {
                let admitted =
                    access.admits(identity.role()).then_some(()).ok_or(Rejection::RoleInsufficient);
                match admitted.and_then(|()| rule.step_up.check(&identity, self.now)) {
                    Ok(()) => pass(Some(identity)),
                    Err(rejection) => {
                        let reply = LocalReply::insufficient(self.policy, request, rejection, &rule.step_up);
                        LocalReply { identity: Some(identity), ..reply }.into()
                    }
                }
            }
        })
    }

    #[cold]
    fn reject(&self, rejection: Rejection) -> Settled {
        LocalReply::reject(Some(self.policy), rejection).into()
    }

    /// Identifies the user by the renewed access token, or else by the one in the request.
    fn identify(&self, request: &Request<'_>, renewed: Option<&Arc<Renewed>>) -> Result<Identity, Rejection> {
        self.check_state()?;
        let token = if let Some(renewed) = renewed {
            renewed.access_token.as_bytes()
        } else {
            let [access_token, _] = self.policy.cookies.read(request);
            let access_token = access_token.map_err(|Repeated| Rejection::CookieRepeated)?;
            access_token.filter(|token| !token.is_empty()).ok_or(Rejection::CookieMissing)?
        };
        if token.len() > self.policy.max_token_bytes {
            let max_bytes = self.policy.max_token_bytes;
            return Err(Rejection::TokenOversize { bytes: token.len(), max_bytes });
        }
        let fingerprint = self.cache.fingerprint(token, self.state.generation());
        let identity = match self.cache.get(fingerprint) {
            Some(identity) if identity.has_expired(&self.policy.expected, self.now) => {
                return Err(Rejection::Expired { expired_at: identity.expires_at(), now: self.now });
            }
            Some(identity) => identity,
            None => {
                let identity = self.verify(token)?;
                self.cache.insert(fingerprint, identity.clone());
                identity
            }
        };
        self.state.revocations().judge(&identity)?;
        Ok(identity)
    }

    /// Verifies a token that is not in the cache. Not inlined: the code of most requests stays short.
    #[inline(never)]
    fn verify(&self, token: &[u8]) -> Result<Identity, Rejection> {
        let verified = Unverified::parse(token)?.verify(self.state.keys())?;
        Identity::judge(&verified, &self.policy.expected, self.now)
    }

    /// Rejects every token while the keys or the revocations are unknown or too old.
    fn check_state(&self) -> Result<(), Rejection> {
        if self.state.keys().is_empty() {
            return Err(Rejection::KeysUnknown);
        }
        let age_s = self.state.age_s(self.now);
        if let Some(max_age_s) = self.policy.max_staleness_s.filter(|most| age_s > *most) {
            return Err(Rejection::FeedStale { age_s, max_age_s });
        }
        if self.state.is_syncing() {
            return Err(Rejection::RevocationsUnknown);
        }
        Ok(())
    }

    /// Rejects a kind of request from networks that are banned from it.
    #[cold]
    fn check_bans(&self, request: &Request<'_>, scope: BanScope) -> Result<(), Rejection> {
        let bans = self.state.bans();
        let address = if bans.is_empty() { None } else { request.client_address() };
        address.map_or(Ok(()), |address| bans.judge(address, scope, self.now))
    }

    /// Returns the refresh token of a request that a new access token could let pass.
    #[cold]
    fn find_refresh_token<'r>(&self, request: &Request<'r>, rejection: Rejection) -> Option<&'r [u8]> {
        let policy = self.policy;
        if !policy.refresh_enabled || !rejection.calls_for_refresh() || policy.is_cross_site(request) {
            return None;
        }
        let [_, refresh_token] = policy.cookies.read(request);
        let token = refresh_token.ok()??;
        (1..=policy.max_token_bytes).contains(&token.len()).then_some(token)
    }
}

/// `true` if a client may be known to an account. The companion knows: it verifies the token, and rejects other attempts.
#[cold]
fn has_device_token(request: &Request<'_>) -> bool {
    find_each(request.all(Name::Cookie), DEVICE).iter().any(|found| *found != Ok(None))
}

/// Canonical path of a request that servers read in one way only, and do not echo.
fn read_path<'a>(request: &Request<'a>) -> Result<CanonicalPath<'a>, Rejection> {
    let method = request.method();
    if method.iter().any(u8::is_ascii_lowercase) {
        return Err(Rejection::MethodMalformed);
    }
    if method == b"TRACE" {
        return Err(Rejection::TraceUnexpected);
    }
    // RFC 6455 §4.1 opens a tunnel by GET; Envoy would open one for any other method too.
    if request.is_upgrade() && method != b"GET" {
        return Err(Rejection::UpgradeUnexpected);
    }
    CanonicalPath::read(request.target()).map_err(Rejection::Path)
}

/// Rejection of a request whose renewed token was rejected: the token is good, so either the clocks are apart or the edge
/// lacks news.
#[cold]
const fn of_renewed_token(rejection: Rejection) -> Rejection {
    match rejection {
        Rejection::SessionEnded { .. } => rejection,
        Rejection::Expired { .. }
        | Rejection::ExpiryTooFar { .. }
        | Rejection::IssuedInFuture { .. }
        | Rejection::NotYetValid { .. } => Rejection::ClocksApart,
        _ if rejection.status() == 503 => rejection,
        _ => Rejection::RefreshUnavailable,
    }
}

#[cfg(test)]
mod tests;
