//! Metrics of mail.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use time::OffsetDateTime;

use super::Metrics;
use crate::domain::mail::MailKind;

pub(super) struct Mail {
    sent: Family<Kind, Counter>,
    failures: Family<Kind, Counter>,
    repeated: Family<Kind, Counter>,
    waiting: Gauge,
    oldest: Gauge,
    given_up: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

impl Mail {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let mail = Self {
            sent: Family::default(),
            failures: Family::default(),
            repeated: Family::default(),
            waiting: Gauge::default(),
            oldest: Gauge::default(),
            given_up: Gauge::default(),
        };
        // A counter that begins with its first failure would hide it: `increase` needs a value before.
        for kind in MailKind::ALL {
            let label = Kind { kind: kind.as_str() };
            for family in [&mail.sent, &mail.failures, &mail.repeated] {
                drop(family.get_or_create(&label));
            }
        }
        registry.register("mails_sent", "Mails that a mail server has accepted, by kind", mail.sent.clone());
        registry.register(
            "mail_failures",
            "Attempts to send a mail that failed, by kind",
            mail.failures.clone(),
        );
        registry.register(
            "mails_repeated",
            "Mails whose last attempt left no result, so that they may be sent twice, by kind",
            mail.repeated.clone(),
        );
        registry.register("mails_waiting", "Mails that wait to be sent", mail.waiting.clone());
        registry.register(
            "mails_given_up",
            "Mails that were given up, until a month later",
            mail.given_up.clone(),
        );
        registry.register_with_unit(
            "mail_oldest_timestamp",
            "Time of the oldest mail that waits to be sent; 0 if none does",
            Unit::Seconds,
            mail.oldest.clone(),
        );
        mail
    }
}

impl Metrics {
    /// Counts a mail that was sent.
    pub fn count_sent_mail(&self, kind: &'static str) {
        self.mail.sent.get_or_create(&Kind { kind }).inc();
    }

    /// Counts an attempt to send a mail that failed.
    pub fn count_failed_mail(&self, kind: &'static str) {
        self.mail.failures.get_or_create(&Kind { kind }).inc();
    }

    /// Counts a mail that may be sent twice.
    pub fn count_repeated_mail(&self, kind: &'static str) {
        self.mail.repeated.get_or_create(&Kind { kind }).inc();
    }

    /// Sets the numbers of mails that have not been sent, and the time of the oldest that waits.
    pub fn set_mails(&self, waiting: i64, oldest: Option<OffsetDateTime>, given_up: i64) {
        self.mail.waiting.set(waiting);
        self.mail.oldest.set(oldest.map_or(0, OffsetDateTime::unix_timestamp));
        self.mail.given_up.set(given_up);
    }
}
