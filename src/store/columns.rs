//! How a domain value lies in a column. One SQL type of ours for each kind, native on each database:
//!
//! | ours    | PostgreSQL    | SQLite                               |
//! |---------|---------------|--------------------------------------|
//! | `Id`    | `uuid`        | 16-byte blob                         |
//! | `Stamp` | `timestamptz` | RFC 3339 text of fixed width, micros |
//! | `Doc`   | `jsonb`       | JSON text                            |
use std::io::Write;

use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Binary, HasSqlType, SqlType, Text, Timestamptz, Uuid as SqlUuid};
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::db::AnyBackend;
use crate::domain::id::{
    AffiliationId, BrowserId, CaseId, ChallengeId, DocumentId, EventId, InvitationId, KeyId,
    LeaseId, LetterId, LookId, MeetingId, MembershipId, MessageId, NoticeId, OrganisationId,
    PasskeyId, PersonId, PresenceId, RecoveryCodeId, RecoveryId, SessionId, TokenId,
};
use crate::domain::time::Moment;

#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(
    postgres_type(oid = 2950, array_oid = 2951),
    sqlite_type(name = "Binary")
)]
pub struct Id;

#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(
    postgres_type(oid = 1184, array_oid = 1185),
    sqlite_type(name = "Text")
)]
pub struct Stamp;

#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(
    postgres_type(oid = 3802, array_oid = 3807),
    sqlite_type(name = "Text")
)]
pub struct Doc;

impl diesel::sql_types::SqlOrd for Stamp {}

macro_rules! known { ($($sql:ty),+) => { $(
    impl HasSqlType<$sql> for AnyBackend {
        fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata { AnyBackend::lookup_sql_type::<$sql>(lookup) }
    }
)+ } }
known!(Id, Stamp, Doc);

/// The column's Rust side: an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Stamp)]
pub struct At(pub Moment);

/// The column's Rust side: a document of some domain value.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Doc)]
pub struct Json<T: std::fmt::Debug>(pub T);

/// The column's Rust side: any of the domain's ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Id)]
pub struct Key(pub Uuid);

macro_rules! keys { ($($id:ident),+) => { $(
    impl From<$id> for Key { fn from(id: $id) -> Self { Self(id.0) } }
    impl From<Key> for $id { fn from(key: Key) -> Self { Self(key.0) } }
)+ } }
keys!(
    AffiliationId,
    BrowserId,
    CaseId,
    ChallengeId,
    DocumentId,
    EventId,
    InvitationId,
    KeyId,
    LeaseId,
    LetterId,
    LookId,
    MeetingId,
    MembershipId,
    MessageId,
    NoticeId,
    OrganisationId,
    PasskeyId,
    PersonId,
    PresenceId,
    RecoveryCodeId,
    RecoveryId,
    SessionId,
    TokenId
);

impl FromSql<Id, Pg> for Key {
    fn from_sql(raw: PgValue<'_>) -> deserialize::Result<Self> {
        <Uuid as FromSql<SqlUuid, Pg>>::from_sql(raw).map(Self)
    }
}
impl ToSql<Id, Pg> for Key {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<SqlUuid, Pg>::to_sql(&self.0, &mut out.reborrow())
    }
}
impl FromSql<Id, Sqlite> for Key {
    fn from_sql(raw: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(Uuid::from_slice(&<Vec<u8> as FromSql<
            Binary,
            Sqlite,
        >>::from_sql(raw)?)?))
    }
}
impl ToSql<Id, Sqlite> for Key {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<Stamp, Pg> for At {
    fn from_sql(raw: PgValue<'_>) -> deserialize::Result<Self> {
        <DateTime<Utc> as FromSql<Timestamptz, Pg>>::from_sql(raw).map(|at| Self(Moment::new(at)))
    }
}
impl ToSql<Stamp, Pg> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Timestamptz, Pg>::to_sql(&self.0.0, &mut out.reborrow())
    }
}
impl FromSql<Stamp, Sqlite> for At {
    fn from_sql(raw: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(raw)?;
        Ok(Self(Moment::new(
            DateTime::parse_from_rfc3339(&text)?.to_utc(),
        )))
    }
}
impl ToSql<Stamp, Sqlite> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.written());
        Ok(IsNull::No)
    }
}

impl<T: std::fmt::Debug + DeserializeOwned> FromSql<Doc, Pg> for Json<T> {
    fn from_sql(raw: PgValue<'_>) -> deserialize::Result<Self> {
        // jsonb has one octet for its version before the text.
        Ok(Self(serde_json::from_slice(
            raw.as_bytes().get(1..).unwrap_or_default(),
        )?))
    }
}
impl<T: std::fmt::Debug + Serialize> ToSql<Doc, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[1])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}
impl<T: std::fmt::Debug + DeserializeOwned> FromSql<Doc, Sqlite> for Json<T> {
    fn from_sql(raw: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_str(&<String as FromSql<
            Text,
            Sqlite,
        >>::from_sql(raw)?)?))
    }
}
impl<T: std::fmt::Debug + Serialize> ToSql<Doc, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

macro_rules! either { ($rust:ty as $sql:ident $(, $t:ident)?) => {
    impl$(<$t: std::fmt::Debug + DeserializeOwned + Send + Sync + 'static>)? FromSql<$sql, AnyBackend> for $rust {
        fn from_sql(raw: <AnyBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> { raw.from_sql::<Self, $sql>() }
    }
    impl$(<$t: std::fmt::Debug + Serialize + Send + Sync + 'static>)? ToSql<$sql, AnyBackend> for $rust {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, AnyBackend>) -> serialize::Result {
            out.set_value(($sql, self));
            Ok(IsNull::No)
        }
    }
} }
either!(Key as Id);
either!(At as Stamp);
either!(Json<T> as Doc, T);
