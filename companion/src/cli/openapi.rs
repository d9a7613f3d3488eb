//! `edgeward openapi`: the OpenAPI document.

use std::collections::BTreeMap;

use time::Duration;

use super::print_line;
use crate::config::{self, Cookies, Http};
use crate::http::cookies::CookiePolicy;
use crate::http::routes;

/// Prints the document of a service with the default settings; the environment is not read.
pub(super) fn run() -> anyhow::Result<()> {
    let defaults = BTreeMap::<String, String>::new();
    let (http, cookies) = (config::read::<Http>(&defaults)?, config::read::<Cookies>(&defaults)?);
    // The lifetimes of the cookies are no part of the document.
    let cookies = CookiePolicy::new(&cookies, Duration::ZERO, Duration::ZERO);
    print_line(format_args!("{:#}", routes::document(&http.base_path, http.has_docs, &cookies)))
}
