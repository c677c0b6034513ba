//! One file a story.
mod agreement;
mod conversation;
mod documents;
mod intake;
mod leaving;
mod meetings;
mod neutrals;
mod once;
mod pages_places;
mod people;
mod review;
mod revocation;
mod rooms;
mod signin;
mod time;
mod whole_case;
