//! An explanation as lines of text. No line has a cookie's value.

use edgeward_filter::explain::{
    Explanation, Member, Outcome, RuleMatch, TokenDetails, TokenReport, sentence,
};
use edgeward_filter::path::Ambiguity;
use edgeward_filter::policy::Policy;
use edgeward_filter::rejection::Rejection;
use edgeward_filter::rules::Access;

use super::explain::Signer;
use super::request_head::RequestHead;

/// Width of the column of names.
const WIDTH: usize = 11;

/// Surroundings of an explanation.
pub(super) struct Context<'a> {
    pub(super) policy: &'a Policy,
    /// The rules as they are written.
    pub(super) rules: Vec<String>,
    pub(super) signer: Signer,
    /// Time of the request, in seconds since 1970.
    pub(super) now: u64,
}

/// Renders an explanation.
pub(super) fn render(
    head: &RequestHead,
    explanation: &Explanation<'_>,
    context: &Context<'_>,
) -> Vec<String> {
    let mut lines = vec![line("request", &format!("{} {}", head.method, head.target.escape_debug()))];
    lines.push(line("path", &path(explanation)));
    lines.push(line("rule", &rule(&explanation.rule, &context.rules)));
    lines.push(line("client", &client(explanation)));
    let removed = head.headers.iter().filter(|(name, _)| context.policy.headers.could_match(name.as_bytes()));
    let removed: Vec<&str> = removed.map(|(name, _)| name.as_str()).collect();
    if !removed.is_empty() {
        lines.push(line("removed", &format!("{}: only the filter sets them", removed.join(", "))));
    }
    token(&mut lines, explanation, context);
    for (at, text) in verdict(explanation, context).iter().enumerate() {
        lines.push(line(if at == 0 { "verdict" } else { "" }, text));
    }
    lines
}

fn line(name: &str, text: &str) -> String {
    format!("{name:WIDTH$}{text}")
}

fn explained(label: &str) -> String {
    sentence(label).map_or_else(|| label.to_owned(), |sentence| format!("{label}: {sentence}"))
}

fn path(explanation: &Explanation<'_>) -> String {
    match &explanation.path {
        Ok(path) => path.clone(),
        Err(ambiguity) => {
            let text = format!("ambiguous, {}", explained(Rejection::Path(*ambiguity).label()));
            match ambiguity {
                Ambiguity::DotSegment | Ambiguity::EmptySegment | Ambiguity::Backslash => {
                    format!(
                        "{text} (with the settings of envoy.yaml, Envoy may rewrite it before the filter sees it)"
                    )
                }
                _ => text,
            }
        }
    }
}

/// Describes the rule that applies, with its text.
pub(super) fn rule(rule: &RuleMatch<'_>, rules: &[String]) -> String {
    match rule {
        RuleMatch::Matched { index, .. } => {
            format!("rules[{index}] {}", rules.get(*index).map_or("", String::as_str))
        }
        RuleMatch::Unmatched => "no rule matches: signed-in".to_owned(),
        RuleMatch::ReadyPath => "none: the path is ready_path".to_owned(),
        RuleMatch::Ambiguous(ambiguity) => {
            format!("ambiguous, {}", explained(Rejection::Path(*ambiguity).label()))
        }
        RuleMatch::NotReached => "not looked for: the request is rejected before".to_owned(),
    }
}

fn client(explanation: &Explanation<'_>) -> String {
    let client = explanation.client;
    let kind = match (client.is_preflight, client.is_navigation) {
        (true, _) => "CORS preflight",
        (_, true) => "browser that navigates to a page",
        _ => "no navigation of a browser",
    };
    let site = if client.is_cross_site { "another site's page may have sent it" } else { "not cross-site" };
    format!("{kind}; {site}")
}

fn token(lines: &mut Vec<String>, explanation: &Explanation<'_>, context: &Context<'_>) {
    let cookies = &context.policy.cookies;
    let refresh = if explanation.has_refresh_token {
        format!("; and a refresh token in {}", cookies.refresh)
    } else {
        String::new()
    };
    let text = match &explanation.token {
        TokenReport::Missing => format!("none in the cookie {}", cookies.access),
        TokenReport::Repeated => format!("several cookies {} with different values", cookies.access),
        TokenReport::Oversize { bytes } => {
            format!("{bytes} bytes, more than max_token_bytes: {}", context.policy.max_token_bytes)
        }
        TokenReport::Present(details) => {
            let header = members(&details.header, context.now);
            format!(
                "in the cookie {}: {}",
                cookies.access,
                header.unwrap_or_else(|| "no JOSE header".to_owned())
            )
        }
    };
    lines.push(line("token", &format!("{text}{refresh}")));
    if let TokenReport::Present(details) = &explanation.token {
        if let Some(claims) = members(&details.claims, context.now) {
            lines.push(line("", &claims));
        }
        lines.push(line("signature", &signature(details, context.signer)));
        if let Err(rejection) = details.judged {
            lines.push(line("", &format!("not accepted, {}", explained(rejection.label()))));
        }
    }
}

fn members(members: &[Member], now: u64) -> Option<String> {
    let shown: Vec<String> = members
        .iter()
        .map(|member| match member.time {
            Some(time) => format!("{} {} ({})", member.name, member.value, relative(time, now)),
            None => format!("{} {}", member.name, member.value),
        })
        .collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

fn relative(time: u64, now: u64) -> String {
    let words = |seconds: u64| match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    };
    match (time.checked_sub(now), now.checked_sub(time)) {
        (Some(0), _) => "now".to_owned(),
        (Some(ahead), _) => format!("in {}", words(ahead)),
        (_, past) => format!("{} ago", words(past.unwrap_or_default())),
    }
}

fn signature(details: &TokenDetails, signer: Signer) -> String {
    match (signer, details.is_signed) {
        (Signer::Known(keys), true) => format!("valid, by {keys}"),
        (Signer::Known(keys), false) => format!("not valid, by {keys}"),
        (Signer::Unknown, _) => {
            "not checked: the feed gives the keys, and --keys takes them here; taken for valid".to_owned()
        }
    }
}

/// Describes the verdict, then the reasons.
fn verdict(explanation: &Explanation<'_>, context: &Context<'_>) -> Vec<String> {
    let policy = context.policy;
    let mut lines = match &explanation.outcome {
        Outcome::Pass { forward_cookies, .. } => {
            let headers = explanation.outcome.identity_headers(policy);
            let headers: Vec<String> =
                headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            let identity = match headers.as_slice() {
                [] => "without identity headers".to_owned(),
                headers => format!("with {}", headers.join(", ")),
            };
            let cookies = if *forward_cookies { "our cookies stay" } else { "our cookies are removed" };
            vec![format!("pass, {identity}; {cookies}"), pass_reason(explanation).to_owned()]
        }
        Outcome::Redirect { location, rejection } => {
            vec![format!("redirect to {location}"), explained(rejection.label())]
        }
        Outcome::Hold { rejection } => vec![
            "held for refresh: the companion is asked for a new access token, and with that it is decided again".to_owned(),
            explained(rejection.label()),
        ],
        Outcome::Readiness(Ok(())) => {
            vec!["200 from the filter itself: keys and revocations are known".to_owned()]
        }
        Outcome::Readiness(Err(rejection)) | Outcome::Reject { rejection, .. } => {
            let label = rejection.label();
            let sentence = sentence(label).unwrap_or_default();
            vec![format!("{} {label}", rejection.status()), sentence.into_owned()]
        }
    };
    let outcome = &explanation.outcome;
    let would_refresh = outcome.rejection().is_some_and(Rejection::calls_for_refresh);
    if would_refresh && !matches!(outcome, Outcome::Hold { .. }) {
        lines.extend(if !policy.refresh_enabled {
            Some("not held for refresh: the configuration has no refresh".to_owned())
        } else if !explanation.has_refresh_token {
            Some(format!("not held for refresh: there is no cookie {}", policy.cookies.refresh))
        } else {
            None
        });
    }
    lines
}

fn pass_reason(explanation: &Explanation<'_>) -> &'static str {
    if explanation.client.is_preflight {
        return "a preflight passes without a token, which browsers never send with it";
    }
    match explanation.rule.access() {
        Some(Access::Roles(_)) => "the user's role is one of the rule's",
        Some(Access::SignedIn) => "the user is signed in",
        Some(Access::Public) if explanation.client.is_cross_site => {
            "the rule is public, and nothing is done in the user's name for another site's page"
        }
        Some(Access::Public) => "the rule is public",
        None => "the filter asks nothing of it",
    }
}
