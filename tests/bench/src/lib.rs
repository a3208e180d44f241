//! Real servers, broken networks and dropped futures, for the tests of Gone.
