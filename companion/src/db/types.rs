//! Domain types as column types. Stored text is not validated again, except for roles.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

use crate::domain::account::email::Email;
use crate::domain::account::name::Name;
use crate::domain::account::password::PasswordHash;
use crate::domain::account::role::Role;
use crate::domain::factor::FactorKind;
use crate::domain::factor::user_handle::UserHandle;
use crate::domain::session::authentication::Methods;
use crate::domain::token::rotation::Phase;
use crate::domain::{FactorId, SessionId, UserId};

/// Implements a column type by way of another one.
macro_rules! column {
    ($type:ty, $column:ty, $decode:expr, $encode:expr) => {
        impl Type<Postgres> for $type {
            fn type_info() -> PgTypeInfo {
                <$column as Type<Postgres>>::type_info()
            }

            fn compatible(info: &PgTypeInfo) -> bool {
                <$column as Type<Postgres>>::compatible(info)
            }
        }

        impl Decode<'_, Postgres> for $type {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                let decode: fn($column) -> Result<Self, BoxDynError> = $decode;
                decode(<$column as Decode<Postgres>>::decode(value)?)
            }
        }

        impl Encode<'_, Postgres> for $type {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                let encode: fn(&Self) -> $column = $encode;
                Encode::<Postgres>::encode(encode(self), buffer)
            }
        }
    };
}

column!(UserId, i64, |id| Ok(Self(id)), |id| id.0);
column!(SessionId, i64, |id| Ok(Self(id)), |id| id.0);
column!(Email, String, |text| Ok(Self::stored(text)), |email| email.as_str().to_owned());
column!(FactorId, i64, |id| Ok(Self(id)), |id| id.0);
column!(
    FactorKind,
    String,
    |text| Self::parse(&text).ok_or_else(|| "not a kind of a factor".into()),
    |kind| { kind.as_str().to_owned() }
);
column!(Name, String, |text| Ok(Self::stored(text)), |name| name.as_str().to_owned());
column!(PasswordHash, String, |text| Ok(Self::stored(text)), |hash| hash.expose().to_owned());
column!(Phase, String, |text| Phase::parse(&text).ok_or_else(|| "not a phase of a key".into()), |phase| {
    phase.as_str().to_owned()
});
column!(Methods, Vec<String>, |names| Ok(Self::stored(names)), |methods| methods.names().to_vec());
column!(
    UserHandle,
    Vec<u8>,
    |bytes| Self::read(&bytes).ok_or_else(|| "not a handle of a user".into()),
    |handle| { handle.as_bytes().to_vec() }
);
column!(Role, String, |text| Ok(Self::parse(&text)?), |role| role.as_str().to_owned());

impl sqlx::postgres::PgHasArrayType for SessionId {
    fn array_type_info() -> PgTypeInfo {
        <i64 as sqlx::postgres::PgHasArrayType>::array_type_info()
    }
}
