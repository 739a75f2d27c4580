//! Credentials: issue, hold, present, verify, and tell whether one has been revoked.
//!
//! Pure: time and randomness are arguments. Knows keys and JOSE, nothing of ledgers or messages.
