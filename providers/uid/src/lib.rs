//! Identifiers for Gone.
