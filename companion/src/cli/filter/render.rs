//! An explanation as lines of text. No line has a token, a signature or the value of a cookie (invariant 8).

use edgeward_filter::explain::{Explanation, Member, RuleMatch, TokenDetails, TokenReport};
use edgeward_filter::path::Ambiguity;
use edgeward_filter::policy::Policy;
use edgeward_filter::rejection::Rejection;
use edgeward_filter::rules::Access;
use edgeward_filter::verdict::{Pass, Verdict};

use super::request_head::RequestHead;

mod upstream;

/// Width of the column of names.
const WIDTH: usize = 11;

/// Limit of an explanation offline.
const UNREVOKED: &str = "; revocations, which the feed has, are not checked";

/// Origin of the keys that a signature is checked with.
#[derive(Clone, Copy)]
pub(super) enum KeySource {
    /// The set that the configuration has inline.
    Configuration {
        /// `true` if there is a feed too, which may have other keys.
        has_feed: bool,
    },
    /// The file of `--keys`.
    File,
    /// The key that signs for the user of `--as`.
    TestUser,
    /// None: signatures are not checked.
    Skipped,
}

/// An explanation, and all that its words depend on.
pub(super) struct Renderer<'a> {
    pub(super) policy: &'a Policy,
    /// The rules as they are written.
    pub(super) rules: &'a [String],
    pub(super) head: &'a RequestHead,
    pub(super) explanation: &'a Explanation<'a>,
    pub(super) key_source: KeySource,
    /// Time of the request, in seconds since 1970.
    pub(super) now: u64,
}

/// Describes the rule that applies, with its text.
pub(super) fn rule(rule: &RuleMatch<'_>, rules: &[String]) -> String {
    match rule {
        RuleMatch::Matched { index, .. } => {
            format!("rules[{index}] {}", rules.get(*index).map_or("", String::as_str))
        }
        RuleMatch::Unmatched => "none matches, so the user must be signed in".to_owned(),
        RuleMatch::ReadyPath => "none: the path is ready_path".to_owned(),
        RuleMatch::Ambiguous(ambiguity) => format!("none: the path {ambiguity}"),
        RuleMatch::NotReached => "none: the request is rejected before rules are searched".to_owned(),
    }
}

impl Renderer<'_> {
    /// Returns the lines.
    pub(super) fn lines(&self) -> Vec<String> {
        let head = self.head;
        let mut lines = Vec::new();
        let mut block = |name: &str, texts: Vec<String>| {
            let names = std::iter::once(name).chain(std::iter::repeat(""));
            lines.extend(names.zip(texts).map(|(name, text)| format!("{name:WIDTH$}{text}")));
        };
        block("request", vec![format!("{} {}", head.method, head.target.escape_debug())]);
        block("path", vec![self.path()]);
        block("rule", vec![rule(&self.explanation.rule, self.rules)]);
        block("client", vec![self.client()]);
        block("token", self.token());
        block("verdict", self.verdict());
        block("upstream", upstream::edits(self.policy, head, &self.explanation.verdict));
        lines
    }

    fn path(&self) -> String {
        match &self.explanation.path {
            Ok(path) => path.clone(),
            Err(ambiguity @ (Ambiguity::DotSegment | Ambiguity::EmptySegment | Ambiguity::Backslash)) => {
                format!(
                    "ambiguous: it {ambiguity}; Envoy's normalize_path and merge_slashes may rewrite it before the filter gets it"
                )
            }
            Err(ambiguity) => format!("ambiguous: it {ambiguity}"),
        }
    }

    fn client(&self) -> String {
        let client = self.explanation.client;
        let kind = match (client.is_preflight, client.is_navigation) {
            (true, _) => "CORS preflight",
            (_, true) => "a browser's navigation to a page",
            _ => "no navigation to a page",
        };
        let site =
            if client.is_cross_site { "another site's page may have sent it" } else { "not cross-site" };
        format!("{kind}; {site}")
    }

    /// Describes the access token: its place, its claims, its signature, and the first check that it fails.
    fn token(&self) -> Vec<String> {
        let cookies = &self.policy.cookies;
        let mut lines = match &self.explanation.token {
            TokenReport::Missing => vec![format!("no cookie {}", cookies.access)],
            TokenReport::Repeated => vec![format!("several cookies {}, which differ", cookies.access)],
            TokenReport::Oversize { bytes } => {
                let most = self.policy.max_token_bytes;
                vec![format!("cookie {} of {bytes} bytes, more than max_token_bytes: {most}", cookies.access)]
            }
            TokenReport::Present(details) => {
                let members = [self.members(&details.header), self.members(&details.claims)];
                let mut lines = vec![format!("cookie {}", cookies.access)];
                lines.extend(members.into_iter().filter(|text| !text.is_empty()));
                lines.push(self.signature(details));
                if let Err(rejection) = details.judged
                    && self.explanation.verdict.rejection() != Some(rejection)
                {
                    lines.push(format!("not accepted: {rejection}"));
                }
                lines
            }
        };
        if self.explanation.has_refresh_token {
            lines.push(format!("refresh token in the cookie {}", cookies.refresh));
        }
        lines
    }

    fn members(&self, members: &[Member]) -> String {
        let shown = members.iter().map(|Member { name, value, time }| match time {
            Some(time) => format!("{name} {value} ({})", relative(*time, self.now)),
            None => format!("{name} {value}"),
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    fn signature(&self, details: &TokenDetails) -> String {
        let keys = match self.key_source {
            KeySource::Skipped => return format!("signature NOT CHECKED, taken for valid{UNREVOKED}"),
            KeySource::Configuration { has_feed: true } => "keys.inline (the feed may have others: --keys)",
            KeySource::Configuration { has_feed: false } => "keys.inline",
            KeySource::File => "the keys of --keys",
            KeySource::TestUser => return "signature of a throw-away key, for --as".to_owned(),
        };
        match details.judged {
            _ if details.is_signed => format!("signature valid by {keys}{UNREVOKED}"),
            Err(Rejection::SignatureInvalid) => format!("signature not valid by {keys}"),
            _ => format!("signature not checked by {keys}"),
        }
    }

    /// Describes the verdict, then the reasons.
    fn verdict(&self) -> Vec<String> {
        let verdict = &self.explanation.verdict;
        let mut lines = match verdict {
            Verdict::Pass(pass) => vec!["pass".to_owned(), self.pass_reason(pass)],
            Verdict::Hold(hold) => vec![
                format!("held ({})", hold.rejection.label()),
                "the companion is asked for a new access token, and then it is decided again".to_owned(),
            ],
            Verdict::Reply(reply) => {
                let location = reply.headers.iter().find(|(name, _)| *name == "location");
                let location = location.map(|(_, url)| format!(", Location: {url}")).unwrap_or_default();
                vec![format!("reply {} ({}){location}", reply.status, reply.label)]
            }
        };
        let Some(rejection) = verdict.rejection() else { return lines };
        lines.push(rejection.to_string());
        if rejection.calls_for_proof() {
            lines.push("a fresh proof of the user lets it pass; a new access token does not".to_owned());
        }
        if rejection == Rejection::CrossSite {
            lines.push("allowed_origins lists the origins whose pages may do so".to_owned());
        }
        if rejection.calls_for_refresh() && !matches!(verdict, Verdict::Hold(_)) {
            lines.push(self.refresh_obstacle());
        }
        lines
    }

    fn pass_reason(&self, pass: &Pass) -> String {
        let client = self.explanation.client;
        let reason = match self.explanation.rule.access() {
            _ if client.is_preflight => "browsers send preflights without a token",
            Some(Access::Public) if client.is_cross_site => {
                "the rule is public; for another site's page the request has no identity"
            }
            Some(Access::Public) => "the rule is public",
            Some(Access::Roles(_)) => "the user's role is among those of the rule",
            Some(Access::SignedIn) | None => "the user is signed in",
        };
        let step_up = match &self.explanation.rule {
            RuleMatch::Matched { rule, .. } if pass.identity.is_some() && !rule.step_up.is_none() => {
                "; the last authentication is as the rule demands"
            }
            _ => "",
        };
        let streams = match pass.identity {
            Some(_) if pass.ends_with_session => "; a stream that lasts ends with the session",
            Some(_) => "; a stream that lasts outlives the session",
            None => "",
        };
        format!("{reason}{step_up}{streams}")
    }

    /// Describes the reason that a request is not held though a new access token would let it pass.
    fn refresh_obstacle(&self) -> String {
        let cookies = &self.policy.cookies;
        if !self.policy.refresh_enabled {
            "not held for a new access token: the configuration has no refresh".to_owned()
        } else if !self.explanation.has_refresh_token {
            format!("not held for a new access token: there is no cookie {}", cookies.refresh)
        } else if self.explanation.client.is_cross_site {
            "not held for a new access token: another site's page may have sent it".to_owned()
        } else {
            format!("not held for a new access token: the cookie {} is not usable", cookies.refresh)
        }
    }
}

fn relative(time: u64, now: u64) -> String {
    let words = |seconds: u64| match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    };
    match time.abs_diff(now) {
        0 => "now".to_owned(),
        seconds if time > now => format!("in {}", words(seconds)),
        seconds => format!("{} ago", words(seconds)),
    }
}
