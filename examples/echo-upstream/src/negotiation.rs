//! Choice between the two representations of an echo (RFC 9110 §12.5.1).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// Returns `true` if the client prefers HTML to JSON, as browsers do for pages. Without a preference it gets JSON.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    weight(headers, ["text/html", "text/*", "*/*"])
        > weight(headers, ["application/json", "application/*", "*/*"])
}

/// Returns the weight of the first of these media ranges, the most specific first, that is in the `Accept` fields: from 0 to
/// 1, and 0 without any. Parameters but the weight are ignored.
fn weight(headers: &HeaderMap, ranges: [&str; 3]) -> f32 {
    let fields = || headers.get_all(ACCEPT).iter().filter_map(|field| field.to_str().ok());
    let accepted = || fields().flat_map(|field| field.split(','));
    let weight_of = |range: &&str| {
        accepted().find_map(|accepted| {
            let (name, parameters) = accepted.split_once(';').unwrap_or((accepted, ""));
            name.trim().eq_ignore_ascii_case(range).then(|| read_weight(parameters))
        })
    };
    ranges.iter().find_map(weight_of).unwrap_or(0.0)
}

/// Reads the weight among the parameters of a media range (RFC 9110 §12.4.2). One that does not parse is 0.
fn read_weight(parameters: &str) -> f32 {
    let mut pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
    match pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("q")) {
        None => 1.0,
        Some((_, value)) => value.trim().parse().ok().filter(|q| (0.0..=1.0).contains(q)).unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const CHROMIUM: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";

    #[test]
    fn html_is_for_clients_that_prefer_it() {
        for (fields, expected) in [
            (&[][..], false),
            (&["*/*"], false),
            (&["application/json"], false),
            (&["text/event-stream"], false),
            (&["text/html, application/json"], false),
            (&["text/html;q=0.5, application/json;q=0.6"], false),
            (&["text/html;q=0.5, */*;q=0.6"], false),
            (&["text/html;q=0"], false),
            (&["text/html;q=nan"], false),
            (&["text/html;q=2"], false),
            (&["image/*;q=0.9, */*;q=0.8"], false),
            (&[CHROMIUM], true),
            (&["text/html"], true),
            (&["TEXT/HTML ; Q=0.1"], true),
            (&["text/*"], true),
            (&["text/html;level=1;q=0.7, application/*;q=0.3, */*"], true),
            (&["application/json;q=0.1", "text/html"], true),
            (&["*/*, application/json;q=0"], true),
        ] {
            let headers = fields.iter().map(|field| (ACCEPT, HeaderValue::from_static(field))).collect();
            assert_eq!(prefers_html(&headers), expected, "{fields:?}");
        }
    }
}
