//! One file a story.
mod agreement;
mod conversation;
mod documents;
mod intake;
mod leaving;
mod meetings;
mod neutrals;
mod once;
mod pages_account;
mod pages_staff;
mod people;
mod review;
mod revocation;
mod rooms;
mod signin;
mod time;
mod whole_case;
