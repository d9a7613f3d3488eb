//! `cargo xtask screenshots`: the pictures in docs/images, made anew from a running stack.

pub(crate) mod terminal;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use edgeward_stack::inbox::Inbox;
use edgeward_stack::shell::Shell;
use edgeward_stack::{Plan, Stack, browser, cargo, paths, process};

use crate::up::INBOX_PAGE;
use crate::{files, filter, progress, tool};

/// Folder of the pictures.
const IMAGES: &str = "docs/images";
/// Maximum size of a picture, in bytes. Chosen: a README with three of them loads within a second at 3 Mbit/s.
const MAX_BYTES: usize = 100_000;
/// Reduces the colours of a PNG: Debian's package `pngquant`.
const PNGQUANT: &str = "pngquant";

/// Starts an empty stack on the usual ports, and takes the pictures.
pub(crate) fn take() -> Result<()> {
    let chromium = browser::find()?;
    Command::new(PNGQUANT).arg("--version").output().context("no pngquant found: install it")?;
    let directory = paths::target().join("screenshots-stack");
    // The database of `up` stays as it is.
    let plan = Plan { certs: directory.join("certs"), directory, database_url: None, ..Plan::local(true)? };
    let plan = Plan { shell: Shell::Wasm, ..plan }.with_inbox(Inbox::start(INBOX_PAGE)?);
    plan.check()?;
    filter::build(Shell::Wasm)?;
    cargo::build_programs()?;
    let stack = Stack::start(plan, &mut progress::say_detail)?;
    let images = paths::root().join(IMAGES);
    progress::say("recording the tour of the README");
    terminal::record()?;
    progress::say("taking pictures of the pages");
    take_pages(&stack, &chromium, &images)?;
    for picture in files::below(IMAGES, "png")? {
        shrink(&picture)?;
    }
    Ok(())
}

fn take_pages(stack: &Stack, chromium: &Path, images: &Path) -> Result<()> {
    let folder = paths::root().join("tests/browser");
    browser::install_packages(&folder)?;
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let mut node = Command::new("node");
    node.current_dir(&folder).arg("screenshots.js").arg(images).env("CHROMIUM", chromium);
    // By its name: browsers take no passkeys for an address.
    node.env("GATEWAY", at(stack.ports().gateway).replace("127.0.0.1", "localhost"));
    node.env("INBOX", at(stack.inbox().context("the stack has no inbox")?.page));
    tool::require(process::run(&mut node)?)
}

fn shrink(picture: &Path) -> Result<()> {
    let mut pngquant = Command::new(PNGQUANT);
    pngquant.args(["--force", "--strip", "--speed", "1", "--output"]).arg(picture).arg("--").arg(picture);
    process::output(&mut pngquant)?;
    let size = fs::read(picture)?.len();
    ensure!(size <= MAX_BYTES, "{} has {size} bytes, more than {MAX_BYTES}", picture.display());
    Ok(())
}
