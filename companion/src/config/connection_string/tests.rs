//! Connection strings that are accepted, and the fault of those that are not.

use super::*;

#[test]
fn connection_strings_of_libpq_are_taken() {
    let check = |text: &str, place: &str, port: u16, user: &str, database: &str| {
        let parsed = parse(text).unwrap_or_else(|invalid| panic!("{text}: {invalid}"));
        let [options] = parsed.servers.as_slice() else { panic!("{text}: several servers") };
        let socket = options.get_socket().map(|path| path.display().to_string());
        let told = socket.unwrap_or_else(|| options.get_host().to_owned());
        assert_eq!((told.as_str(), options.get_port()), (place, port), "{text}");
        assert_eq!((options.get_username(), options.get_database()), (user, Some(database)), "{text}");
    };
    check("postgres://ada:pw@db.example:5433/edgeward", "db.example", 5433, "ada", "edgeward");
    check("postgresql://ada@[::1]/d?sslmode=disable", "::1", 5432, "ada", "d");
    check("postgres:///d?host=/var/run/postgresql&user=ada", "/var/run/postgresql", 5432, "ada", "d");
    check("postgres://ada@%2Fvar%2Frun/d", "/var/run", 5432, "ada", "d");
    check(
        "postgres://a%40b:p%2F%25@h/d%20e?connect_timeout=3&target_session_attrs=read-write",
        "h",
        5432,
        "a@b",
        "d e",
    );
    check("postgres://ada:p?#@x@h/d", "h", 5432, "ada", "d");
    check("postgres://h?dbname=d&user=ada&port=6543&ssl=true", "h", 6543, "ada", "d");
    check("host=h port=1 dbname=d user=ada password='it\\'s a = \\\\'", "h", 1, "ada", "d");
    check(" host = /tmp dbname = 'd e' user=ada\n", "/tmp", 5432, "ada", "d e");
    check("hostaddr=127.0.0.1 dbname=d user=ada", "127.0.0.1", 5432, "ada", "d");
    check("postgres://ada@/d?hostaddr=127.0.0.1", "127.0.0.1", 5432, "ada", "d");
}

#[test]
fn invalid_connection_string_is_named_without_its_parts() {
    let check = |text: &str, expected| {
        let found = parse(text).map(|_| ()).err();
        assert_eq!(found, Some(expected), "{text}");
        assert!(!expected.to_string().contains("hunter2"));
    };
    check("mysql://a:hunter2@h/d", Invalid::Form);
    check("postgresql+psycopg2://a:hunter2@h/d", Invalid::Form);
    check("jdbc:postgresql://h/d?user=a&password=hunter2", Invalid::Form);
    check("", Invalid::NoDatabase);
    check("hunter2", Invalid::Form);
    check("host=h dbname='d", Invalid::Form);
    check("\"postgres://a:hunter2@h/d\"", Invalid::Quoted);
    check("postgres://a:hunter2@h,,i/d", Invalid::EmptyHost);
    check("host=h, dbname=d", Invalid::EmptyHost);
    check("host=h,i,j port=1,2 dbname=d", Invalid::PortCount { hosts: 3, ports: 2 });
    check("host=h port=1,2 dbname=d", Invalid::PortCount { hosts: 1, ports: 2 });
    check("postgres://a:hunter2@h:1,i:x/d", Invalid::Port);
    check("hostaddr=10.0.0.1,h dbname=d", Invalid::Value("hostaddr"));
    check(&format!("host={} dbname=d", ["h"; MAX_HOSTS + 1].join(",")), Invalid::TooManyHosts);
    check("host=h hostaddr=10.0.0.1 dbname=d", Invalid::HostAndAddress);
    check("postgres://a:hunter2@h/d?hostaddr=10.0.0.1", Invalid::HostAndAddress);
    check("postgres://10.0.0.1/d?hostaddr=10.0.0.1", Invalid::HostAndAddress);
    check("postgres://a:hunter2/x@h/d", Invalid::Port);
    check("postgres://h:0/d", Invalid::Port);
    check("postgres://a:hunter2%@h/d", Invalid::Escape);
    check("postgres://a:%ff@h/d", Invalid::Escape);
    check("postgres://a:hunter2@h", Invalid::NoDatabase);
    check("postgres://h/d?hunter2=x", Invalid::UnknownKeyword);
    check("postgres://h/d?hunter2", Invalid::UnknownKeyword);
    check("postgres://h/d?sslmode=hunter2", Invalid::Value("sslmode"));
    check("postgres://h/d?target_session_attrs=standby", Invalid::Value("target_session_attrs"));
    check("postgres://h/d?channel_binding=require", Invalid::Value("channel_binding"));
    check("service=hunter2 dbname=d", Invalid::Unsupported("service"));
}

#[test]
fn several_hosts_are_taken_in_their_order() {
    let check = |text: &str, expected: &[(&str, u16)]| {
        let parsed = parse(text).unwrap_or_else(|invalid| panic!("{text}: {invalid}"));
        let found: Vec<_> =
            parsed.servers.iter().map(|server| (server.get_host(), server.get_port())).collect();
        assert_eq!(found, expected, "{text}");
        assert!(parsed.servers.iter().all(|server| server.get_database() == Some("d")), "{text}");
        assert!(parsed.servers.iter().all(|server| server.get_username() == "ada"), "{text}");
    };
    check("postgres://ada:pw@a:1,b:2,c/d", &[("a", 1), ("b", 2), ("c", 5432)]);
    check("postgres://ada:pw@[::1]:1,b/d", &[("::1", 1), ("b", 5432)]);
    check("postgres://ada@/d?host=a,b&port=6", &[("a", 6), ("b", 6)]);
    check("host=a,b port=1,2 dbname=d user=ada", &[("a", 1), ("b", 2)]);
    check("hostaddr=10.0.0.1,10.0.0.2 dbname=d user=ada", &[("10.0.0.1", 5432), ("10.0.0.2", 5432)]);
}

#[test]
fn target_session_attrs_is_read_as_libpq_does() {
    let check = |text: &str, expected| {
        let parsed = parse(&format!("postgres://ada@a,b/d{text}"));
        assert_eq!(parsed.map(|parsed| parsed.target).ok(), Some(expected), "{text}");
    };
    check("", None);
    check("?target_session_attrs=any", Some(TargetSessionAttrs::Any));
    check("?target_session_attrs=read-write", Some(TargetSessionAttrs::ReadWrite));
    check("?target_session_attrs=primary", Some(TargetSessionAttrs::Primary));
}
