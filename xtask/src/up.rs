//! `cargo xtask up`: builds and starts the stack, and prints its addresses.

use std::io::Write as _;

use anyhow::Result;
use edgeward_stack::{Plan, Stack, cargo, envoy, paths, postgres};

use crate::{filter, progress};

pub(crate) fn up(fresh: bool) -> Result<()> {
    let mut log = progress::timed();
    let plan = Plan::local(fresh)?;
    // Checks that need no build come before a build that takes minutes.
    plan.check()?;
    envoy::find_or_install(&mut log)?;
    if plan.database_url.is_none() {
        postgres::find_or_install(&mut log)?;
    }
    log("building the filter");
    filter::build()?;
    log("building the companion and the demo upstream");
    cargo::build_programs()?;
    let mut stack = Stack::start(plan, &mut log)?;
    log("every part responds");
    announce(&stack);
    let result = stack.watch();
    progress::say("\nstopping");
    drop(stack);
    result
}

fn announce(stack: &Stack) {
    let ports = stack.ports();
    let part = |what, port, note| format!("  {what:<20} http://127.0.0.1:{port:<6} {note}");
    let lines = [
        String::new(),
        part("gateway", ports.gateway, "every request goes through it"),
        part("Envoy admin", ports.envoy_admin, "statistics"),
        part("companion", ports.companion, "gets /api/auth/ and /login from the gateway"),
        part("companion, internal", ports.internal, "health, the filter's feed"),
        part("demo upstream", ports.upstream, "its response shows the request that reached it"),
        format!("  {:<20} {} (the database's address is in stack.json)", "logs", paths::stack().display()),
        String::new(),
        examples(ports.gateway),
    ];
    // A terminal that is gone is no error.
    let _gone = writeln!(std::io::stdout(), "{}", lines.join("\n"));
}

fn examples(gateway: u16) -> String {
    format!(
        r#"Try it:
  curl -i http://127.0.0.1:{gateway}/hello
  curl -i -c target/jar -H 'content-type: application/json' http://127.0.0.1:{gateway}/api/auth/register \
       -d '{{"firstName":"Ada","lastName":"Lovelace","email":"ada@example.com","password":"correct horse"}}'
  curl -i -b target/jar http://127.0.0.1:{gateway}/hello
or open http://127.0.0.1:{gateway}/login in a browser. Ctrl-C stops everything."#
    )
}
