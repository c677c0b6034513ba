//! The first floor's other room: letters and the ways they leave the house. Knows words and SMTP, not the database.
pub mod calendar;
pub mod letter;
pub mod mailer;
