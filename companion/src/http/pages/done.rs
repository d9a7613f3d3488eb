//! Page that says that something is done, and leads on.

use askama::Template;

use super::view::View;

#[derive(Template)]
#[template(path = "done.html")]
pub(super) struct DonePage<'a> {
    view: &'a View,
    title: &'a str,
    text: &'a str,
    label: &'a str,
    address: String,
}

impl<'a> DonePage<'a> {
    /// Makes a page that leads to the page that signs in, or to the front page of a site that has another one.
    pub(super) fn signing_in(view: &'a View, title: &'a str, text: &'a str) -> Self {
        let (label, address) = if view.site.served.sign_in {
            (view.text.sign_in, format!("{}/sign-in", view.site.path))
        } else {
            (view.text.front_page, "/".to_owned())
        };
        Self { view, title, text, label, address }
    }

    /// Makes a page that leads to the one that sends a mail for a new password, or where [`Self::signing_in`] does.
    pub(super) fn setting_password(view: &'a View, title: &'a str, text: &'a str) -> Self {
        if !view.site.mails.password_reset {
            return Self::signing_in(view, title, text);
        }
        let address = format!("{}/forgot-password", view.site.path);
        Self { view, title, text, label: view.text.mail.new_password_title, address }
    }
}
