//! Messages, and the rules for what a client may say.

use std::fmt;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

/// The most characters that a session name or a user id may have.
pub const NAME_MAX: usize = 128;
/// The most characters that a message's content may have.
pub const CONTENT_MAX: usize = 8_192;
/// The most messages that one listing returns.
pub const LIMIT_MAX: u16 = 200;
/// The number of messages that a listing returns when the client does not say.
pub const LIMIT_DEFAULT: u16 = 50;

/// A value that breaks a rule: which field, and which rule.
///
/// Its text names both and never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule}")]
#[non_exhaustive]
pub struct Invalid {
    /// The field's name, as the client writes it.
    pub field: &'static str,
    /// The rule, as the end of a sentence that begins with the field.
    pub rule: String,
}

impl Invalid {
    pub(crate) fn new(field: &'static str, rule: impl Into<String>) -> Self {
        Self { field, rule: rule.into() }
    }
}

/// The name of a session: 1 to 128 characters, not only white space, no control characters.
///
/// Kept exactly as the client gave it; two names that differ in one character are two sessions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Session(String);

impl Session {
    /// Checks a session's name.
    ///
    /// # Errors
    /// [`Invalid`] with the field `session`.
    pub fn new(name: impl Into<String>) -> Result<Self, Invalid> {
        name_in_bounds("session", name.into()).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message that was checked and is not stored yet.
///
/// The texts are kept exactly as the client gave them: trimming serves only to tell that a text is blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    session: Session,
    user_id: String,
    content: String,
}

impl NewMessage {
    /// Checks what a client wants to post.
    ///
    /// `user_id` has 1 to 128 characters and no control characters; `content` has 1 to 8,192 characters and no NUL,
    /// which some databases cannot keep. Neither may be only white space.
    ///
    /// # Errors
    /// [`Invalid`] with the field `user_id` or `content`; the first that is wrong, in this order.
    pub fn new(session: Session, user_id: impl Into<String>, content: impl Into<String>) -> Result<Self, Invalid> {
        let user_id = name_in_bounds("user_id", user_id.into())?;
        let content = text_in_bounds("content", content.into(), CONTENT_MAX)?;
        if content.contains('\0') {
            return Err(Invalid::new("content", "must not contain NUL (U+0000)"));
        }
        Ok(Self { session, user_id, content })
    }

    /// Makes the message that will be stored.
    pub fn into_message(self, id: i64, created_at: SystemTime) -> Message {
        Message { id, session: self.session, user_id: self.user_id, content: self.content, created_at }
    }
}

/// A stored message, serialised as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// A snowflake: ids sort by time, and within one millisecond in the order in which they were made. Text in JSON,
    /// because JavaScript's numbers lose the last digits.
    #[serde(with = "gone::uid::text")]
    pub id: i64,
    /// The session that it was posted to.
    pub session: Session,
    /// Who posted it, as the client said.
    pub user_id: String,
    /// The text.
    pub content: String,
    /// When it was accepted; RFC 3339 in UTC with milliseconds in JSON.
    #[serde(serialize_with = "as_rfc3339")]
    pub created_at: SystemTime,
}

/// How many messages a listing may return: 1 to 200, 50 by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u16);

impl Limit {
    /// Checks a limit.
    ///
    /// # Errors
    /// [`Invalid`] with the field `limit`.
    pub fn new(limit: u16) -> Result<Self, Invalid> {
        if (1..=LIMIT_MAX).contains(&limit) { Ok(Self(limit)) } else { Err(Self::out_of_bounds()) }
    }

    /// Reads a limit written in decimal digits, without sign or blanks.
    ///
    /// # Errors
    /// [`Invalid`] with the field `limit`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Self::out_of_bounds());
        }
        // The digits alone leave two ways to fail, none or too many of them, and both break the same rule.
        text.parse().map_err(|_| Self::out_of_bounds()).and_then(Self::new)
    }

    /// The number.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }

    fn out_of_bounds() -> Invalid {
        Invalid::new("limit", format!("must be a whole number from 1 to {LIMIT_MAX}"))
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(LIMIT_DEFAULT)
    }
}

fn name_in_bounds(field: &'static str, text: String) -> Result<String, Invalid> {
    let text = text_in_bounds(field, text, NAME_MAX)?;
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(field, "must not contain control characters"));
    }
    Ok(text)
}

fn text_in_bounds(field: &'static str, text: String, max: usize) -> Result<String, Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(field, "must not be empty or only white space"));
    }
    // Stops at the first character too many, so a huge text costs no more than a long one.
    if text.chars().nth(max).is_some() {
        return Err(Invalid::new(field, format!("must have at most {max} characters")));
    }
    Ok(text)
}

fn as_rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(*time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::new("room").expect("a valid name")
    }

    #[test]
    fn lengths_are_counted_in_characters_not_bytes() {
        assert!(Session::new("é".repeat(NAME_MAX)).is_ok());
        assert!(Session::new("é".repeat(NAME_MAX + 1)).is_err());
        assert!(NewMessage::new(session(), "u", "🦀".repeat(CONTENT_MAX)).is_ok());
        let long = NewMessage::new(session(), "u", "🦀".repeat(CONTENT_MAX + 1));
        assert_eq!(long.expect_err("one too many").to_string(), "content must have at most 8192 characters");
    }

    #[test]
    fn texts_are_kept_as_given() {
        let message = NewMessage::new(session(), " u ", "\n hello\t")
            .expect("blanks around a text are allowed")
            .into_message(1, SystemTime::UNIX_EPOCH);
        assert_eq!(message.user_id, " u ");
        assert_eq!(message.content, "\n hello\t");
    }

    #[test]
    fn a_message_serialises_as_clients_see_it() {
        let message = NewMessage::new(session(), "u", "hi").expect("valid").into_message(7, SystemTime::UNIX_EPOCH);
        assert_eq!(
            serde_json::to_string(&message).expect("serialises"),
            r#"{"id":"7","session":"room","user_id":"u","content":"hi","created_at":"1970-01-01T00:00:00.000Z"}"#
        );
    }

    #[test]
    fn a_limit_is_one_to_two_hundred_in_digits() {
        assert_eq!(Limit::parse("1").map(Limit::get), Ok(1));
        assert_eq!(Limit::parse("200").map(Limit::get), Ok(200));
        for text in ["", "0", "201", "-1", "+1", " 1", "1.0", "0x1", "65537", "99999999999999999999"] {
            assert!(Limit::parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
