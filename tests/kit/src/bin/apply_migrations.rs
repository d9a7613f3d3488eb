//! Applies `migrations/` to `DATABASE_URL` for `cargo xtask sqlx-prepare`. Users run `edgeward migrate run`.

use anyhow::{Context as _, Result};
use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;

#[tokio::main]
async fn main() -> Result<()> {
    let url = edgeward_stack::variable("DATABASE_URL").context("DATABASE_URL is not set")?;
    let migrator = Migrator::new(edgeward_stack::paths::root().join("migrations")).await?;
    migrator.run(&mut PgConnection::connect(&url).await?).await?;
    Ok(())
}
