//! The feed on a scripted backend.
