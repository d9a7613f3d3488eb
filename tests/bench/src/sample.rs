//! Check of each listener before the measurement: a filter that does not do its work has no meaningful cost.

use std::sync::PoisonError;

use anyhow::{Context as _, Result, ensure};

use super::edge::Bench;
use super::load::{connect, exchange};
use super::request::{ADMIN_PATH, PATH, Template};
use super::scenario::{Filter, Scenario};
use super::{servers, tokens};

/// Checks a listener.
///
/// # Errors
/// With the response that is wrong.
pub(super) fn check(bench: &Bench, scenario: &Scenario, port: u16) -> Result<()> {
    check_responses(bench, scenario, port).with_context(|| format!("the listener for `{}`", scenario.name()))
}

fn check_responses(bench: &Bench, scenario: &Scenario, port: u16) -> Result<()> {
    // The last token, which no measurement with new tokens reaches.
    let at = bench.signed.tokens.len() - 1;
    let token = bench.signed.tokens.get(at).context("there are no tokens")?;
    let send = |path: &str, token: &str| {
        send(bench, scenario, port, path, &format!("{token}; refresh_token=a-refresh-token"))
    };

    let (status, upstream) = send(PATH, token)?;
    ensure!(status == 200, "the response to a valid token is {status}");
    if !scenario.filter.authenticates() {
        return Ok(());
    }
    let user = if scenario.filter == Filter::ExtAuthz { servers::AUTHZ_USER } else { tokens::user(at) };
    let mut forwarded = vec![("x-user-id", user.to_string()), ("x-user-role", "customer".to_owned())];
    if scenario.filter.removes_cookies() {
        // A token's session has the number of its user.
        forwarded.push(("x-session-id", user.to_string()));
        let cookies = upstream.lines().filter(|line| line.starts_with("cookie: ")).collect::<String>();
        let is_ours = cookies.contains("access_token") || cookies.contains("refresh_token");
        ensure!(
            !is_ours && cookies.contains("theme=dark; ") && cookies.ends_with("; lang=en"),
            "the upstream receives these cookies: `{cookies}`"
        );
    }
    for (name, expected) in forwarded {
        let prefix = format!("{name}: ");
        let values: Vec<&str> = upstream.lines().filter_map(|line| line.strip_prefix(&prefix)).collect();
        ensure!(
            values == [expected.as_str()],
            "{name} reaches the upstream as {values:?}, not as {expected}"
        );
    }
    if scenario.filter != Filter::ExtAuthz {
        let (status, _) = send(PATH, &token.replace('.', ".A"))?;
        ensure!(status == 401, "the response to a bad token is {status}");
    }
    if scenario.filter.checks_roles() {
        let (status, _) = send(ADMIN_PATH, token)?;
        ensure!(status == 403, "the response to a customer at {ADMIN_PATH} is {status}");
    }
    Ok(())
}

/// Sends one request with forged header fields. Returns the status, and the head that the upstream received.
fn send(bench: &Bench, scenario: &Scenario, port: u16, path: &str, token: &str) -> Result<(u16, String)> {
    let recorded = || bench.recorder.lock().unwrap_or_else(PoisonError::into_inner);
    *recorded() = Some(Vec::new());
    let mut request = Vec::new();
    Template::new(scenario.shape, path, "x-user-id: 1\r\nx-user-role: admin\r\n").render(token, &mut request);
    let status = bench
        .runtime
        .block_on(async { exchange(&mut connect(port).await?, &request, &mut Vec::new()).await })?;
    let head = recorded().take().unwrap_or_default();
    Ok((status, String::from_utf8(head)?))
}
