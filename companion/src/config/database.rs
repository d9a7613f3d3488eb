//! The settings of the database: `DATABASE_URL`, or `DB_HOST`, `DB_PORT`, `DB_USERNAME`, `DB_PASSWORD` and `DB_NAME`.

use std::fmt;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;

use super::{Problem, Reader, Section, connection_string, settings};

/// Access to Postgres. It has no `Debug`: the options hold the password.
#[derive(Clone)]
pub struct Database {
    /// Host, port, user, password, database.
    pub options: PgConnectOptions,
    /// Number of connections that are kept.
    pub pool_size: u32,
    /// Maximum time that a start waits for a server that is not up yet.
    pub wait: Duration,
}

/// Access to the database of another system, whose users are imported.
pub struct ImportSource(pub Database);

impl Section for Database {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let pool_size = reader.number(&settings::DB_POOL_SIZE);
        let wait = reader.number(&settings::DB_WAIT_SECONDS).map(Duration::from_secs);
        let options = match reader.secret(&settings::DATABASE_URL)? {
            Some(url) => read_url(reader, url.expose_secret()),
            None => read_parts(reader),
        };
        // Poolers reject start-up parameters that they do not know (PgBouncer: `extra_float_digits`, which sqlx sends
        // by itself and only numbers that we have none of need).
        let options = options?.extra_float_digits(None);
        let options = match options.get_application_name() {
            None => options.application_name("edgeward"),
            Some(_) => options,
        };
        Some(Self { options, pool_size: pool_size?, wait: wait? })
    }
}

impl Section for ImportSource {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let setting = &settings::IMPORT_DATABASE_URL;
        let Some(url) = reader.secret(setting)? else { return reader.reject(setting.name, Problem::Missing) };
        let options = match connection_string::parse(url.expose_secret()) {
            Ok(options) => options.extra_float_digits(None).application_name("edgeward import"),
            Err(invalid) => return reader.reject(setting.name, Problem::ConnectionString(invalid)),
        };
        Some(Self(Database { options, pool_size: 1, wait: Duration::ZERO }))
    }
}

/// Reads the URL. Parts that are set as well must say the same, so that nobody changes one of them in vain.
fn read_url(reader: &mut Reader<'_>, url: &str) -> Option<PgConnectOptions> {
    let options = match connection_string::parse(url) {
        Ok(options) => options,
        Err(invalid) => {
            return reader.reject(settings::DATABASE_URL.name, Problem::ConnectionString(invalid));
        }
    };
    let socket = options.get_socket().map(|path| path.to_string_lossy().into_owned());
    let parts = [
        (&settings::DB_HOST, socket.unwrap_or_else(|| options.get_host().to_owned())),
        (&settings::DB_PORT, options.get_port().to_string()),
        (&settings::DB_USERNAME, options.get_username().to_owned()),
        (&settings::DB_NAME, options.get_database().unwrap_or_default().to_owned()),
    ];
    for (setting, in_url) in parts {
        if reader.given(setting).is_some_and(|part| part != in_url) {
            reader.reject::<()>(setting.name, Problem::Contradicts(settings::DATABASE_URL.name));
        }
    }
    // A URL's password cannot be looked at, so none is compared with it.
    if reader.secret(&settings::DB_PASSWORD)?.is_some() {
        let other = Problem::NotTogetherWith(settings::DATABASE_URL.name);
        return reader.reject(settings::DB_PASSWORD.name, other);
    }
    Some(options)
}

fn read_parts(reader: &mut Reader<'_>) -> Option<PgConnectOptions> {
    let required = [&settings::DB_HOST, &settings::DB_USERNAME, &settings::DB_NAME];
    let [host, username, name] = required.map(|setting| reader.given(setting));
    let port = reader.number(&settings::DB_PORT);
    let password = reader.secret(&settings::DB_PASSWORD);
    if host.is_none() && username.is_none() && name.is_none() {
        return reader.reject("DATABASE_URL (or DB_HOST, DB_USERNAME, DB_NAME)", Problem::Missing);
    }
    for (setting, value) in required.iter().zip([&host, &username, &name]) {
        if value.is_none() {
            reader.reject::<()>(setting.name, Problem::Missing);
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

/// As in messages: the database and its server, never the user.
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
