//! Codes of error responses that both halves give. A front end need not know which of them has rejected a request.

/// Code of a 401: no valid session.
pub const NOT_SIGNED_IN: &str = "not_signed_in";

/// Code of a 401 (RFC 9470 §3): the user is signed in, and has to prove anew who they are.
pub const INSUFFICIENT_USER_AUTHENTICATION: &str = "insufficient_user_authentication";

/// Code of a 403: no permission.
pub const NOT_ALLOWED: &str = "not_allowed";

/// Code of a 429: too many attempts, from this client's address or at this account.
pub const TOO_MANY_ATTEMPTS: &str = "too_many_attempts";
