//! The name of a device for people: "Firefox on Linux" for what a browser says of itself. It comes from the client, so no
//! decision depends on it.

use std::fmt;

use woothee::parser::{Parser, WootheeResult};

/// Maximum length of a text that is read, in bytes. Sessions store less.
const MAX_BYTES: usize = 1024;
/// Maximum length of a program's name, in bytes. Chosen: it fits on a line.
const MAX_PRODUCT_BYTES: usize = 40;
/// Value of woothee for what it does not know.
const UNKNOWN: &str = "UNKNOWN";

/// Name of a device: a program, its platform, or both. `Display` is English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceName {
    /// Program, such as `Firefox`.
    pub program: Option<String>,
    /// Platform, such as `Linux`.
    pub platform: Option<String>,
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.joined_by("on"))
    }
}

impl DeviceName {
    /// Returns both parts, with this word between them.
    #[must_use]
    pub fn joined_by(&self, word: &str) -> String {
        match (&self.program, &self.platform) {
            (Some(program), Some(platform)) => format!("{program} {word} {platform}"),
            (program, platform) => program.as_ref().or(platform.as_ref()).cloned().unwrap_or_default(),
        }
    }
}

/// Returns the name of the program and its platform, by a `User-Agent` (RFC 9110 §10.1.5). `None` if the text names neither.
#[must_use]
pub fn of(user_agent: &str) -> Option<DeviceName> {
    if user_agent.len() > MAX_BYTES {
        return None;
    }
    // 13 µs, and 1.4 MiB once the first text was read. `ua-parser` 0.2 with all patterns of uap-core: 8 µs, 12 MiB and 330 ms.
    let parsed = Parser::new().parse(user_agent).unwrap_or_default();
    let program = program(&parsed).or_else(|| product(user_agent)).map(str::to_owned);
    let platform = platform(parsed.os).map(str::to_owned);
    (program.is_some() || platform.is_some()).then_some(DeviceName { program, platform })
}

/// Returns the name of a browser or a crawler. Other programs are called by their product.
fn program<'a>(parsed: &WootheeResult<'a>) -> Option<&'a str> {
    match parsed.name {
        "" | UNKNOWN | "HTTP Library" => None,
        "SamsungBrowser" => Some("Samsung Internet"),
        name => Some(name),
    }
}

fn platform(os: &str) -> Option<&str> {
    match os {
        "" | UNKNOWN => None,
        "Mac OSX" => Some("macOS"),
        "ChromeOS" => Some("Chrome OS"),
        // Windows 11 says that it is 10.
        windows if windows.starts_with("Windows ") => Some("Windows"),
        os => Some(os),
    }
}

/// Returns the first product of a `User-Agent`: a token before a slash and the version. Every browser says that it is Mozilla.
fn product(user_agent: &str) -> Option<&str> {
    let (product, _) = user_agent.split_once('/')?;
    let is_token =
        product.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    (is_token && (1..=MAX_PRODUCT_BYTES).contains(&product.len()) && product != "Mozilla").then_some(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_is_named_by_its_program_and_platform() {
        fn check(user_agent: &str, expected: &str) {
            assert_eq!(of(user_agent).unwrap().to_string(), expected, "{user_agent}");
        }
        let mozilla = |rest: &str, expected| check(&format!("Mozilla/5.0 {rest}"), expected);
        mozilla("(X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux");
        mozilla("(Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows");
        mozilla("(Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox on Android");
        let webkit = |system: &str, rest: &str, expected| {
            check(&format!("Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) {rest}"), expected);
        };
        let (windows, mac) = ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7");
        let (iphone, ipad) = ("iPhone; CPU iPhone OS 18_5 like Mac OS X", "iPad; CPU OS 17_7 like Mac OS X");
        let android = "Linux; Android 10; K";
        webkit(windows, "Chrome/142.0.0.0 Safari/537.36", "Chrome on Windows");
        webkit(mac, "Chrome/142.0.0.0 Safari/537.36", "Chrome on macOS");
        webkit("X11; Linux x86_64", "HeadlessChrome/142.0.0.0 Safari/537.36", "Chrome on Linux");
        webkit("X11; CrOS x86_64 14541.0.0", "Chrome/142.0.0.0 Safari/537.36", "Chrome on Chrome OS");
        webkit(android, "Chrome/142.0.0.0 Mobile Safari/537.36", "Chrome on Android");
        webkit(iphone, "CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1", "Chrome on iPhone");
        webkit(windows, "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", "Edge on Windows");
        webkit(windows, "Chrome/142.0.0.0 Safari/537.36 OPR/125.0.0.0", "Opera on Windows");
        webkit(mac, "Version/18.5 Safari/605.1.15", "Safari on macOS");
        webkit(iphone, "Version/18.5 Mobile/15E148 Safari/604.1", "Safari on iPhone");
        webkit(iphone, "FxiOS/140.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone");
        webkit(ipad, "Version/17.7 Mobile/15E148 Safari/604.1", "Safari on iPad");
        webkit(
            android,
            "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        );
        check("curl/8.5.0", "curl");
        check("Wget/1.21.4", "Wget");
        check("PostmanRuntime/7.43.0", "PostmanRuntime");
        check("python-requests/2.32.3", "python-requests");
        check("Shop/1.0 CFNetwork/1568.200.51 Darwin/24.1.0", "Shop on iOS");
        mozilla("(compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot");
        webkit("X11; Linux x86_64", "", "Linux");
    }

    #[test]
    fn text_that_names_no_device_has_no_name() {
        let (control, long) = ("\u{1b}[31m/1", format!("{}/1", "x".repeat(41)));
        let junk = "a; b/1 (".repeat(1024);
        for text in ["", "-", "/", "/1", "Mozilla/5.0", "a b/1", "<b>/1", "\0/1", control, &long, &junk] {
            assert_eq!(of(text), None, "{text:?}");
        }
    }
}
