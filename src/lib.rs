pub mod casework;
pub mod domain;
pub mod mail;
pub mod store;
