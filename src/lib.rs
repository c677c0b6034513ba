//! Common Ground: mediation and arbitration case management for LEROs, as a REST service. It brings people together;
//! it never decides who is right.
//!
//! The house has four floors, with stairs only downwards, and the same rooms by the same names on every floor:
//!
//! | floor | module | what lives there |
//! |---|---|---|
//! | third | [`web`] | HTTP, the only home of actix |
//! | third | [`jobs`] | what happens without a caller: couriers and clocks |
//! | second | [`casework`] | what people come to do; `casework::act` is the one way a case changes |
//! | first | [`store`] | what is kept, the only home of diesel |
//! | first | [`mail`] | letters and how they leave, the only home of lettre |
//! | ground | [`domain`] | what may happen and what it means: pure |
//!
//! Whoever has read `domain/procedure.rs` (what may happen), `casework/act.rs` (how it happens) and `web/routes.rs`
//! (how it is reached) knows the service. [`app`] is the one place where all floors meet.
pub mod app;
pub mod casework;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod jobs;
pub mod mail;
pub mod store;
pub mod telemetry;
pub mod web;
