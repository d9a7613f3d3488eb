//! Variables that a platform writes into every container for the services around it. They are not settings.

/// `true` if Kubernetes or Docker wrote the variable as the address of another service, even if one of our settings
/// has its name: a service called `db` brings `DB_PORT=tcp://10.0.0.1:5432`.
///
/// Sources: "Accessing the Service" in the Kubernetes documentation (`{SVCNAME}_SERVICE_HOST` … and Docker's legacy
/// container links), and "Legacy container links" in Docker's.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    let has_service = |(service, _): (&str, &str)| !service.is_empty();
    let ends = |end| name.strip_suffix(end).is_some_and(|service| !service.is_empty());
    if ends("_SERVICE_HOST")
        || ends("_SERVICE_PORT")
        || name.split_once("_SERVICE_PORT_").is_some_and(has_service)
    {
        return true;
    }
    if ends("_PORT") && is_endpoint(value) {
        return true;
    }
    // Docker: `/consumer/alias`.
    if ends("_NAME") && value.starts_with('/') && value.matches('/').count() == 2 {
        return true;
    }
    name.match_indices("_PORT_")
        .any(|(at, found)| at > 0 && name.get(at + found.len()..).is_some_and(is_port_and_protocol))
}

/// `tcp://10.0.0.1:5432`.
fn is_endpoint(value: &str) -> bool {
    ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme))
}

/// `5432_TCP`, `5432_TCP_ADDR` and the like.
fn is_port_and_protocol(text: &str) -> bool {
    let mut words = text.split('_');
    let is_port = words.next().is_some_and(|word| word.parse::<u16>().is_ok());
    let is_protocol = words.next().is_some_and(|word| ["TCP", "UDP", "SCTP"].contains(&word));
    let is_suffix = words.next().is_none_or(|word| ["ADDR", "PORT", "PROTO", "START", "END"].contains(&word));
    is_port && is_protocol && is_suffix && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_link_is_told_from_a_setting() {
        let check =
            |name, value, expected| assert_eq!(is_service_link(name, value), expected, "{name}={value}");
        check("EDGEWARD_SERVICE_HOST", "10.96.0.12", true);
        check("EDGEWARD_COMPANION_SERVICE_PORT", "5501", true);
        check("EDGEWARD_COMPANION_SERVICE_PORT_HTTP_INTERNAL", "5502", true);
        check("EDGEWARD_PORT", "tcp://10.96.0.12:5501", true);
        check("EDGEWARD_PORT_5501_TCP", "tcp://10.96.0.12:5501", true);
        check("EDGEWARD_PORT_5501_TCP_ADDR", "10.96.0.12", true);
        check("EDGEWARD_PORT_5501_TCP_PORT", "5501", true);
        check("EDGEWARD_PORT_53_UDP_PROTO", "udp", true);
        check("A_PORT_1_PORT_5501_TCP_PORT", "5501", true);
        check("DB_PORT", "tcp://10.0.0.1:5432", true);
        check("INTERNAL_PORT", "tcp://[fd00::1]:5502", true);
        check("DB_NAME", "/companion/db", true);
        check("DB_PORT", "5432", false);
        check("INTERNAL_PORT", "5502", false);
        check("PORT", "tcp://10.0.0.1:80", false);
        check("DB_NAME", "edgeward", false);
        check("DB_NAME", "/edgeward", false);
        check("EDGEWARD_PORT", "5501", false);
        check("EDGEWARD_PORT_5501", "5501", false);
        check("EDGEWARD_PORT_HTTP_TCP", "5501", false);
        check("_SERVICE_HOST", "10.0.0.1", false);
    }
}
