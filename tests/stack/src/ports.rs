//! Ports of the stack, and whether they are free.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// Ports of one stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Port of Envoy's listener.
    pub gateway: u16,
    /// Port of Envoy's admin interface.
    pub envoy_admin: u16,
    /// Port of the companion's public API.
    pub companion: u16,
    /// Port of the companion's internal API.
    pub internal: u16,
    /// Port of the demo upstream.
    pub upstream: u16,
}

/// Listeners: name, default port, and the variable that overrides it.
const DEFAULTS: [(&str, u16, &str); 5] = [
    ("gateway", 8080, "EDGEWARD_GATEWAY_PORT"),
    ("Envoy admin", 9901, "EDGEWARD_ENVOY_ADMIN_PORT"),
    ("companion", 5501, "EDGEWARD_COMPANION_PORT"),
    ("companion's internal API", 5502, "EDGEWARD_INTERNAL_PORT"),
    ("demo upstream", 8081, "EDGEWARD_UPSTREAM_PORT"),
];

/// Returns the variables that choose ports.
pub(super) fn variables() -> impl Iterator<Item = &'static str> {
    DEFAULTS.iter().map(|(_, _, variable)| *variable)
}

impl Ports {
    /// Returns the ports that the environment sets, else the usual ones.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut chosen = [0; 5];
        for (port, (_, default, name)) in chosen.iter_mut().zip(DEFAULTS) {
            *port = match variable(name) {
                None => default,
                Some(text) => parse(&text)
                    .with_context(|| format!("{name} must be a port from 1 to 65535, not `{text}`"))?,
            };
        }
        Ok(Self::from_array(chosen))
    }

    /// Returns ports that are free now.
    pub fn free() -> Result<Self> {
        free().map(Self::from_array)
    }

    /// Checks that the ports are free.
    ///
    /// # Errors
    /// Names every port that is in use, and how to choose another.
    pub fn check_free(&self) -> Result<()> {
        let mut mistakes = Vec::new();
        let ports = self.to_array();
        for (index, (port, (who, _, variable))) in ports.into_iter().zip(DEFAULTS).enumerate() {
            if ports.iter().take(index).any(|other| *other == port) {
                mistakes.push(format!(
                    "Port {port} is given twice: choose another for the {who} with {variable}."
                ));
            } else if let Err(error) = bind(port) {
                mistakes.push(format!(
                    "Port {port}, for the {who}, cannot be used ({}): stop what is using it, or choose another port with {variable}.",
                    error.kind()
                ));
            }
        }
        if mistakes.is_empty() { Ok(()) } else { bail!("{}", mistakes.join("\n")) }
    }

    const fn from_array([gateway, envoy_admin, companion, internal, upstream]: [u16; 5]) -> Self {
        Self { gateway, envoy_admin, companion, internal, upstream }
    }

    const fn to_array(self) -> [u16; 5] {
        [self.gateway, self.envoy_admin, self.companion, self.internal, self.upstream]
    }
}

/// Returns distinct ports of the loopback that are free now.
pub fn free<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    // Each stays bound until the last is found, so that none is found twice.
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = bind(0).context("no free port on 127.0.0.1")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// `true` if the port accepts connections.
#[must_use]
pub fn is_open(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, CONNECT_LIMIT).is_ok()
}

fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

fn parse(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_comes_from_its_variable_or_is_the_usual_one() {
        let ports =
            Ports::from_environment(|name| (name == "EDGEWARD_GATEWAY_PORT").then(|| "9000".to_owned()))
                .unwrap();
        assert_eq!(
            ports,
            Ports { gateway: 9000, envoy_admin: 9901, companion: 5501, internal: 5502, upstream: 8081 }
        );
    }

    #[test]
    fn a_variable_that_holds_no_port_is_named() {
        for text in ["", "0", "65536", "-1", "http"] {
            let error = Ports::from_environment(|_| Some(text.to_owned())).unwrap_err();
            assert!(error.to_string().starts_with("EDGEWARD_GATEWAY_PORT must be a port"), "{error}");
        }
    }

    #[test]
    fn a_port_in_use_is_named_with_the_variable_that_changes_it() {
        let taken = bind(0).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Ports { companion: port, ..Ports::free().unwrap() }.check_free().unwrap_err().to_string();
        assert!(error.contains(&format!("Port {port}, for the companion,")), "{error}");
        assert!(error.contains("EDGEWARD_COMPANION_PORT"), "{error}");
        assert_eq!(error.lines().count(), 1);
    }

    #[test]
    fn same_port_for_two_parts_is_rejected() {
        let ports = Ports::free().unwrap();
        let error = Ports { upstream: ports.gateway, ..ports }.check_free().unwrap_err().to_string();
        assert!(error.contains("given twice") && error.contains("EDGEWARD_UPSTREAM_PORT"), "{error}");
    }
}
