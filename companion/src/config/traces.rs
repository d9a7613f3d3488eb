//! The settings of traces, under OpenTelemetry's own names
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).

use axum::http::Uri;

use super::{Reader, Section, settings};

/// Path of traces below the endpoint (OTLP/HTTP specification).
const TRACES_PATH: &str = "/v1/traces";

/// Export of traces.
pub struct Traces {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` with the path of traces; `None` if nothing is exported.
    pub endpoint: Option<Uri>,
    /// `OTEL_SERVICE_NAME`.
    pub service_name: String,
    /// `OTEL_TRACES_SAMPLER_ARG`: ratio of the traces that begin here and are sampled, from 0 to 1.
    pub ratio: f64,
}

impl Section for Traces {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let endpoint = reader.parsed(&settings::OTEL_EXPORTER_OTLP_ENDPOINT, |text| match text {
            "" => Some(None),
            text => parse_endpoint(text).map(Some),
        });
        let service_name = reader.parsed(&settings::OTEL_SERVICE_NAME, |text| Some(text.to_owned()));
        let ratio = reader.parsed(&settings::OTEL_TRACES_SAMPLER_ARG, |text| {
            text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio))
        });
        Some(Self { endpoint: endpoint?, service_name: service_name?, ratio: ratio? })
    }
}

/// Parses the base URL of a collector, and appends the path of traces.
fn parse_endpoint(text: &str) -> Option<Uri> {
    let uri: Uri = format!("{}{TRACES_PATH}", text.trim_end_matches('/')).parse().ok()?;
    let authority = uri.authority()?;
    let is_plain = uri.scheme_str() == Some("http") && uri.query().is_none();
    (is_plain && !authority.as_str().contains('@')).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_is_the_url_of_a_collector_without_tls() {
        for (text, expected) in [
            ("http://127.0.0.1:4318", Some("http://127.0.0.1:4318/v1/traces")),
            ("http://collector:4318/", Some("http://collector:4318/v1/traces")),
            ("http://[::1]:4318/otlp", Some("http://[::1]:4318/otlp/v1/traces")),
            ("https://collector:4318", None),
            ("collector:4318", None),
            ("http://user:password@collector", None),
            ("http://collector?token=1", None),
            ("http://", None),
        ] {
            assert_eq!(parse_endpoint(text).map(|uri| uri.to_string()).as_deref(), expected, "{text}");
        }
    }
}
