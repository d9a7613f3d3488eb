//! Settings of passwords: how they are hashed, which are accepted, and how often they may be guessed.

use super::{Reader, Section, settings};
use crate::domain::account::password_policy::PasswordPolicy;
use crate::domain::guard::{Limit, Limits};

/// Hashing of passwords, and rules for new ones.
pub struct Hashing {
    /// `BCRYPT_COST`.
    pub bcrypt_cost: u32,
    /// `PASSWORD_MIN_LENGTH` and `PASSWORD_MIN_SCORE`.
    pub policy: PasswordPolicy,
}

impl Section for Hashing {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let bcrypt_cost = reader.number(&settings::BCRYPT_COST);
        let min_chars = reader.number(&settings::PASSWORD_MIN_LENGTH);
        let min_score = reader.number(&settings::PASSWORD_MIN_SCORE);
        let policy = PasswordPolicy { min_chars: min_chars?, min_score: min_score? };
        Some(Self { bcrypt_cost: bcrypt_cost?, policy })
    }
}

impl Section for Limits {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let account = reader.parsed(&settings::LIMIT_ACCOUNT, Limit::parse);
        let address = reader.parsed(&settings::LIMIT_ADDRESS, Limit::parse);
        let registration = reader.parsed(&settings::LIMIT_REGISTRATION, Limit::parse);
        let mail = reader.parsed(&settings::LIMIT_MAIL, Limit::parse);
        Some(Self { account: account?, address: address?, registration: registration?, mail: mail? })
    }
}
