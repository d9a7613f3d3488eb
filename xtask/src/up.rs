//! `cargo xtask up`: builds and starts the stack, and prints its addresses.

use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use edgeward_stack::inbox::Inbox;
use edgeward_stack::ports::Ports;
use edgeward_stack::shell::Shell;
use edgeward_stack::{Plan, Stack, cargo, envoy, paths, postgres};

use crate::filter;
use crate::progress::{self, Steps};

/// Port of the inbox's page, if it is free.
pub(crate) const INBOX_PAGE: u16 = 8025;

pub(crate) fn up(fresh: bool, shell: Shell) -> Result<()> {
    let plan = Plan { shell, ..Plan::local(fresh)? }.with_inbox(Inbox::start(INBOX_PAGE)?);
    // Checks that need no build come before a build that takes minutes.
    plan.check()?;
    let mut steps = Steps::new(if plan.database_url.is_none() { 5 } else { 4 });
    steps.begin("finding Envoy");
    envoy::find_or_install(&mut progress::say_detail)?;
    if plan.database_url.is_none() {
        steps.begin("finding Postgres");
        postgres::find_or_install(&mut progress::say_detail)?;
    }
    steps.begin(&build("the filter", &shell.file()));
    filter::build(shell)?;
    steps.begin(&build("the companion and the demo", &paths::program("edgeward")));
    cargo::build_programs()?;
    steps.begin("starting every part");
    let mut stack = Stack::start(plan, &mut progress::say_detail)?;
    steps.end("ready");
    announce(stack.ports(), stack.inbox());
    let result = stack.watch();
    progress::say("\nstopping");
    drop(stack);
    result
}

/// Describes a build, and what makes a first one slow.
fn build(what: &str, result: &Path) -> String {
    let first = if result.exists() {
        ""
    } else {
        " (the first time takes minutes: all it depends on is compiled, once)"
    };
    format!("building {what}{first}")
}

fn announce(ports: &Ports, inbox: Option<&Inbox>) {
    let part = |what, port, note| format!("  {what:<20} http://127.0.0.1:{port:<6} {note}");
    let inbox = inbox.map(|inbox| part("inbox", inbox.page, "every mail that the companion sends"));
    let lines = [
        String::new(),
        part("gateway", ports.gateway, "every request goes through it"),
        part("Envoy admin", ports.envoy_admin, "statistics"),
        part("companion", ports.companion, "gets /auth/, /api/auth/ and /login from the gateway"),
        part("companion, internal", ports.internal, "health, the filter's feed"),
        part("demo upstream", ports.upstream, "its response shows the request that reached it"),
        inbox.unwrap_or_default(),
        format!("  {:<20} {} (the database's address is in stack.json)", "logs", paths::stack().display()),
        String::new(),
        next_steps(ports.gateway),
    ];
    // A terminal that is gone is no error.
    let _gone = writeln!(std::io::stdout(), "{}", lines.join("\n"));
}

fn next_steps(gateway: u16) -> String {
    format!(
        "Try it:
  1. Open http://127.0.0.1:{gateway}/public/ in a browser. It shows what the gateway does, and leads on from there.
  2. Create an account: http://127.0.0.1:{gateway}/auth/register (your sessions: /auth/account)
  3. Make yourself an administrator: cargo xtask edgeward user set-role YOUR@EMAIL admin
     Users and audit log: http://127.0.0.1:{gateway}/auth/admin/users
With curl: the tour in docs/start/demo.md. Ctrl-C stops everything."
    )
}
