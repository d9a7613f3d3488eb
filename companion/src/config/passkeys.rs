//! Settings of passkeys.

use edgeward_wire::Origin;

use super::{Reader, Section, settings};
use crate::domain::factor::passkey::RelyingParty;

/// Passkeys.
pub struct Passkeys {
    /// `PASSKEY_RP_ID` and `PASSKEY_ORIGINS`; `None` if there are no passkeys.
    pub party: Option<RelyingParty>,
}

impl Section for Passkeys {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let id = reader.given(&settings::PASSKEY_RP_ID);
        let origins = reader.given(&settings::PASSKEY_ORIGINS);
        let Some(id) = id.filter(|id| !id.is_empty()) else { return Some(Self { party: None }) };
        let origins = origins.unwrap_or_else(|| format!("https://{id}"));
        let party = parse_origins(&origins).and_then(|origins| RelyingParty::new(&id, &origins));
        match party {
            Some(party) => Some(Self { party: Some(party) }),
            None => reader.reject(settings::PASSKEY_ORIGINS.name, settings::PASSKEY_ORIGINS.form.problem()),
        }
    }
}

/// Parses origins that browsers take passkeys at: with TLS, or on this machine.
fn parse_origins(text: &str) -> Option<Vec<Origin>> {
    let parse = |text: &str| text.trim().parse().ok().filter(is_secure);
    text.split(',').map(parse).collect()
}

fn is_secure(origin: &Origin) -> bool {
    let is_local = |rest: &str| rest.split(':').next() == Some("localhost");
    origin.scheme() == "https" || origin.as_str().strip_prefix("http://").is_some_and(is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_tls_or_are_on_this_machine() {
        let parsed = |text| parse_origins(text).map(|origins| origins.len());
        assert_eq!(parsed("https://app.example.com, https://example.org:8443/"), Some(2));
        assert_eq!(parsed("http://localhost:8080"), Some(1));
        for text in
            ["", "http://example.com", "http://localhost.example.com", "capacitor://localhost", "https://a,"]
        {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
