//! The stories of the service, and the guards of the house. One binary; every test has a database of its own.
mod cast;
mod guards;
mod stories;
mod support;
