//! Requests as bytes, before and after their token.

use super::scenario::Shape;

/// Path of the usual request, for signed-in users by the last rule.
pub(super) const PATH: &str = "/orders/2046/items?page=2";
/// Path that only an administrator may request.
pub(super) const ADMIN_PATH: &str = "/admin/users";

const BARE: &str = "host: shop.example\r\nuser-agent: bench\r\naccept: */*\r\n";
/// Header fields that Chromium sends for a `fetch` from a page, its cookies aside, with what a single-page application adds.
const BROWSER: &str = "host: shop.example\r\n\
    sec-ch-ua: \"Chromium\";v=\"156\", \"Not)A;Brand\";v=\"24\", \"Google Chrome\";v=\"156\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    sec-ch-ua-arch: \"x86\"\r\n\
    user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r\n\
    accept: application/json, text/plain, */*\r\n\
    accept-language: en-GB,en;q=0.9,de;q=0.8,fr;q=0.7\r\n\
    accept-encoding: gzip, deflate, br, zstd\r\n\
    cache-control: no-cache\r\n\
    pragma: no-cache\r\n\
    priority: u=1, i\r\n\
    dnt: 1\r\n\
    referer: http://shop.example/orders?status=open&sort=date\r\n\
    origin: http://shop.example\r\n\
    sec-fetch-site: same-origin\r\n\
    sec-fetch-mode: cors\r\n\
    sec-fetch-dest: empty\r\n\
    x-requested-with: XMLHttpRequest\r\n\
    x-client-version: 2026.11.3-4f2a9c1\r\n\
    traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\
    if-none-match: \"33a64df551425fcc55e4d42a148795d9f25f89d4\"\r\n";

/// Request in which only the token changes.
pub(super) struct Template {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Template {
    /// Creates a request of this shape with additional header lines.
    pub(super) fn new(shape: Shape, path: &str, more: &str) -> Self {
        let headers = if shape.browser { BROWSER } else { BARE };
        let others = if shape.crowded {
            "basket=Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9v; ".repeat(23)
        } else {
            String::new()
        };
        let before =
            format!("GET {path} HTTP/1.1\r\n{headers}{more}cookie: {others}theme=dark; access_token=");
        let after = format!("; {others}lang=en\r\n\r\n");
        Self { before: before.into_bytes(), after: after.into_bytes() }
    }

    /// Replaces the contents of `buffer` by the request with this token.
    pub(super) fn render(&self, token: &str, buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.extend_from_slice(&self.before);
        buffer.extend_from_slice(token.as_bytes());
        buffer.extend_from_slice(&self.after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie_bytes(crowded: bool) -> usize {
        let mut request = Vec::new();
        let shape = Shape { browser: true, crowded };
        Template::new(shape, PATH, "").render(&"t".repeat(620), &mut request);
        let text = String::from_utf8(request).unwrap();
        assert!(text.lines().count() > 20, "a browser's headers");
        text.lines().find_map(|line| line.strip_prefix("cookie: ")).unwrap().len()
    }

    #[test]
    fn cookies_have_the_stated_length() {
        assert!((600..700).contains(&cookie_bytes(false)), "{}", cookie_bytes(false));
        assert!((2900..3100).contains(&cookie_bytes(true)), "{}", cookie_bytes(true));
    }
}
