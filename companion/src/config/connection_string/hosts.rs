//! Several hosts in one connection string, as libpq takes them (its documentation, "Specifying Multiple Hosts").

use super::InvalidConnectionString as Invalid;

/// Maximum number of hosts. Chosen: all are searched at once.
pub const MAX_HOSTS: usize = 16;

/// Kind of server to connect to: `target_session_attrs` of libpq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetSessionAttrs {
    /// The first one that can be reached.
    Any,
    /// One whose transactions may write.
    ReadWrite,
    /// One that is not a standby.
    Primary,
}

impl TargetSessionAttrs {
    /// Parses libpq's word. `None` for the values that ask for a standby.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "any" => Some(Self::Any),
            "read-write" => Some(Self::ReadWrite),
            "primary" => Some(Self::Primary),
            _ => None,
        }
    }
}

/// Splits the authority of a URL into hosts and ports, both comma-separated. Ports are empty if no host has one.
pub(super) fn split_authority(authority: &str) -> Result<(String, String), Invalid> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for place in authority.split(',') {
        let (host, port) = match place.strip_prefix('[') {
            Some(address) => {
                let (address, port) = address.split_once(']').ok_or(Invalid::Form)?;
                (address, if port.is_empty() { "" } else { port.strip_prefix(':').ok_or(Invalid::Form)? })
            }
            None => place.split_once(':').unwrap_or((place, "")),
        };
        hosts.push(host);
        ports.push(port);
    }
    let no_ports = ports.iter().all(|port| port.is_empty());
    Ok((hosts.join(","), if no_ports { String::new() } else { ports.join(",") }))
}

/// Pairs hosts with ports, both comma-separated: one port for all hosts, or one for each. A port left empty is `None`.
///
/// # Errors
/// [`Invalid::EmptyHost`], [`Invalid::TooManyHosts`], [`Invalid::PortCount`] or [`Invalid::Port`].
pub fn pair(hosts: &str, ports: &str) -> Result<Vec<(String, Option<u16>)>, Invalid> {
    let hosts: Vec<&str> = hosts.split(',').map(str::trim).collect();
    let ports: Vec<Option<u16>> =
        ports.split(',').map(|port| parse_port(port.trim())).collect::<Result<_, _>>()?;
    if hosts.len() > MAX_HOSTS {
        return Err(Invalid::TooManyHosts);
    }
    if hosts.iter().any(|host| host.is_empty()) {
        return Err(Invalid::EmptyHost);
    }
    if ports.len() != 1 && ports.len() != hosts.len() {
        return Err(Invalid::PortCount { hosts: hosts.len(), ports: ports.len() });
    }
    Ok(hosts.into_iter().map(str::to_owned).zip(ports.into_iter().cycle()).collect())
}

fn parse_port(text: &str) -> Result<Option<u16>, Invalid> {
    match text.parse() {
        _ if text.is_empty() => Ok(None),
        Ok(port) if port != 0 => Ok(Some(port)),
        _ => Err(Invalid::Port),
    }
}
