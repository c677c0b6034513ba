//! The walk of the README works as it is written.
