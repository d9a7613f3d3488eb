//! Where Postgres is: `DATABASE_URL`, or `DB_HOST`, `DB_PORT`, `DB_USERNAME`, `DB_PASSWORD` and `DB_NAME`.

use std::fmt;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;

use super::{Problem, Reader, Section, connection_string};

/// How to reach Postgres. It has no `Debug`: the options hold the password.
#[derive(Clone)]
pub struct Database {
    /// Host, port, user, password, database.
    pub options: PgConnectOptions,
    /// How many connections are kept at most.
    pub pool_size: u32,
    /// Maximum time that a start waits for a server that is not up yet.
    pub wait: Duration,
}

impl Section for Database {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // Commits at the same time share one write to the disk: with 20 there are enough of them, and a server that
        // takes 100 connections has room for several companions.
        let pool_size = reader.number("DB_POOL_SIZE", 20_u32, 1..=1000);
        // A container's Postgres makes its files first: some 10 s on a slow disk, a restore of a replica longer.
        let wait = reader.number("DB_WAIT_SECONDS", 60_u32, 0..=3600);
        let url = reader.secret("DATABASE_URL")?;
        let options = match url {
            Some(url) => read_url(reader, url.expose_secret()),
            None => read_parts(reader),
        };
        // Poolers refuse start-up parameters that they do not know (PgBouncer: `extra_float_digits`, which sqlx sends
        // by itself and only numbers that we have none of need).
        let options = options?.extra_float_digits(None);
        let options = match options.get_application_name() {
            None => options.application_name("edgeward"),
            Some(_) => options,
        };
        let wait = Duration::from_secs(wait?.into());
        Some(Self { options, pool_size: pool_size?, wait })
    }
}

/// The URL holds. Parts that are set as well must say the same, so that nobody changes one of them in vain.
fn read_url(reader: &mut Reader<'_>, url: &str) -> Option<PgConnectOptions> {
    let options = match connection_string::parse(url) {
        Ok(options) => options,
        Err(invalid) => return reader.refuse("DATABASE_URL", Problem::ConnectionString(invalid)),
    };
    let socket = options.get_socket().map(|path| path.to_string_lossy().into_owned());
    let said = [
        ("DB_HOST", socket.unwrap_or_else(|| options.get_host().to_owned())),
        ("DB_PORT", options.get_port().to_string()),
        ("DB_USERNAME", options.get_username().to_owned()),
        ("DB_NAME", options.get_database().unwrap_or_default().to_owned()),
    ];
    for (name, said) in said {
        if reader.text(name).is_some_and(|part| part != said) {
            reader.refuse::<()>(name, Problem::Contradicts("DATABASE_URL"));
        }
    }
    // A URL's password cannot be looked at, so none is compared with it.
    if reader.secret("DB_PASSWORD")?.is_some() {
        return reader.refuse("DB_PASSWORD", Problem::NotTogetherWith("DATABASE_URL"));
    }
    Some(options)
}

fn read_parts(reader: &mut Reader<'_>) -> Option<PgConnectOptions> {
    let host = reader.text("DB_HOST");
    let port = reader.number("DB_PORT", 5432_u16, 1..=u16::MAX);
    let username = reader.text("DB_USERNAME");
    let password = reader.secret("DB_PASSWORD");
    let name = reader.text("DB_NAME");
    if host.is_none() && username.is_none() && name.is_none() {
        return reader.refuse("DATABASE_URL (or DB_HOST, DB_USERNAME, DB_NAME)", Problem::Missing);
    }
    for (setting, value) in [("DB_HOST", &host), ("DB_USERNAME", &username), ("DB_NAME", &name)] {
        if value.is_none() {
            reader.refuse::<()>(setting, Problem::Missing);
        }
    }
    // A password left out is none, and not one that libpq's files have.
    let options =
        PgConnectOptions::new_without_pgpass().host(&host?).port(port?).username(&username?).database(&name?);
    Some(match password? {
        Some(password) => options.password(password.expose_secret()),
        None => options,
    })
}

/// For messages: which server and database, and never as whom.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.options.get_database().unwrap_or_default();
        match self.options.get_socket() {
            Some(socket) => write!(f, "database \"{database}\" at {}", socket.display()),
            None => {
                write!(
                    f,
                    "database \"{database}\" at {}:{}",
                    self.options.get_host(),
                    self.options.get_port()
                )
            }
        }
    }
}
