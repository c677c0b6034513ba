//! The ground floor: what Common Ground knows about mediation. Pure: no database, no HTTP, no mail, and the
//! time only behind `time::Clock`. Start with `procedure` (what may happen), then `decide` (what it does).
pub mod access;
pub mod action;
pub mod agreement;
pub mod answers;
pub mod case;
pub mod closure;
pub mod conversation;
pub mod deadline;
pub mod decide;
pub mod document;
pub mod event;
pub mod facts;
pub mod hash;
pub mod id;
pub mod meeting;
pub mod neutral;
pub mod notice;
pub mod people;
pub mod procedure;
pub mod reason;
pub mod register;
pub mod review;
pub mod room;
pub mod sight;
pub mod text;
pub mod time;
