//! The first floor, the only home of diesel: plain functions over `&mut Conn` that take and give domain values.
//! It knows what is kept and where, never what is allowed.
pub mod cases;
pub mod challenges;
pub mod columns;
pub mod credentials;
pub mod db;
pub mod documents;
pub mod events;
pub mod keys;
pub mod looks;
pub mod meetings;
pub mod messages;
pub mod notices;
pub mod once;
pub mod outbox;
pub mod passkeys;
pub mod passwords;
pub mod people;
mod plain;
pub mod readings;
pub mod register;
#[rustfmt::skip]
mod schema;
pub mod sessions;
pub mod tries;
