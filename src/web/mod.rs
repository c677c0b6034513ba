//! The third floor's front: HTTP, the only home of actix. It turns requests into use cases and answers into the wire;
//! it never sees the store or the mail, so no handler can pass by the access rules.
pub mod api;
pub mod ask;
pub mod browser;
pub mod cookies;
pub mod form;
pub mod guard;
pub mod json;
pub mod openapi;
pub mod pages;
pub mod problem;
pub mod routes;
pub mod shape;
