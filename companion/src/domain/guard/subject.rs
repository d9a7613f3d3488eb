//! The subjects of buckets, which keep the counts of different authenticators apart.

/// Authenticator that is guessed at. Each has its own counts: whoever knows the password has as many guesses at the factor as
/// anybody, and the right password clears none of them (NIST SP 800-63B-4 §3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticator {
    /// Password.
    Password,
    /// Second factor: codes of apps, and recovery codes.
    Factor,
}

/// Subject of a bucket: the first byte of its key. Other versions of the companion share the rows, so a number keeps its
/// meaning.
#[derive(Clone, Copy)]
pub(super) enum Subject {
    LoginAddress = 1,
    LoginNetwork = 2,
    Account = 3,
    Device = 4,
    RegistrationAddress = 5,
    RegistrationNetwork = 6,
    Refresh = 7,
    DeviceLogins = 8,
    Reauthentication = 9,
    Reauthentications = 10,
    FactorAddress = 11,
    FactorNetwork = 12,
    FactorAccount = 13,
    FactorDevice = 14,
    FactorDeviceLogins = 15,
    FactorReauthentication = 16,
    FactorReauthentications = 17,
    MailAddress = 21,
    MailNetwork = 22,
    MailRecipient = 23,
    WrongCodes = 24,
    OneTimeAddress = 25,
    OneTimeNetwork = 26,
    PasskeyAddress = 31,
    PasskeyNetwork = 32,
    PasskeyDevice = 33,
    PasskeyPendingLogin = 34,
}

/// Subjects of an authenticator's buckets.
pub(super) struct Subjects {
    /// Address and network of the client.
    pub(super) client: [Subject; 2],
    /// Account, for all unknown devices together.
    pub(super) account: Subject,
    /// Known device: failures, and all logins.
    pub(super) device: [Subject; 2],
    /// Session: failures, and all attempts.
    pub(super) session: [Subject; 2],
}

impl Authenticator {
    /// Every authenticator.
    pub const ALL: [Self; 2] = [Self::Password, Self::Factor];

    pub(super) fn subjects(self) -> Subjects {
        use Subject as S;
        match self {
            Self::Password => Subjects {
                client: [S::LoginAddress, S::LoginNetwork],
                account: S::Account,
                device: [S::Device, S::DeviceLogins],
                session: [S::Reauthentication, S::Reauthentications],
            },
            Self::Factor => Subjects {
                client: [S::FactorAddress, S::FactorNetwork],
                account: S::FactorAccount,
                device: [S::FactorDevice, S::FactorDeviceLogins],
                session: [S::FactorReauthentication, S::FactorReauthentications],
            },
        }
    }

    /// Returns the first bytes of the keys of buckets that are a user's own.
    #[must_use]
    pub fn key_prefixes(self) -> [i32; 5] {
        let Subjects { account, device: [device, logins], session: [session, attempts], .. } =
            self.subjects();
        [account, device, logins, session, attempts].map(|subject| subject as i32)
    }
}
