//! Messages, and the rules for what a client may say.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize, Serializer};

/// The most characters that a session name or a user id may have.
pub const NAME_MAX: usize = 128;
/// The most characters that a message's content may have.
pub const CONTENT_MAX: usize = 8_192;
/// The most messages that one listing returns, unless the config says otherwise.
pub const LIMIT_MAX: u16 = 200;
/// The number of messages that a listing returns when neither the client nor the config says.
pub const LIMIT_DEFAULT: u16 = 50;
/// The most messages in one listing that the config may allow.
pub const LIMIT_BOUND: u16 = 1_000;

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

/// How many messages a listing returns: how many it may, and how many when the client does not say.
///
/// In the config it is a table with the numbers `max`, from 1 to 1,000, and `default`, from 1 to `max`. Left out, they are
/// 200, and 50 or `max` where that is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PageTable")]
pub struct PageLimits {
    default: u16,
    max: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageTable {
    default: Option<u16>,
    max: Option<u16>,
}

impl TryFrom<PageTable> for PageLimits {
    type Error = Invalid;

    fn try_from(table: PageTable) -> Result<Self, Invalid> {
        let max = table.max.unwrap_or(LIMIT_MAX);
        Self::new(table.default.unwrap_or(LIMIT_DEFAULT.min(max)), max)
    }
}

impl PageLimits {
    /// Checks both numbers.
    ///
    /// # Errors
    /// [`Invalid`] with the field `max` or `default`.
    pub fn new(default: u16, max: u16) -> Result<Self, Invalid> {
        if !(1..=LIMIT_BOUND).contains(&max) {
            return Err(Invalid::new("max", format!("must be a whole number from 1 to {LIMIT_BOUND}")));
        }
        if !(1..=max).contains(&default) {
            return Err(Invalid::new("default", format!("must be a whole number from 1 to `max`, {max}")));
        }
        Ok(Self { default, max })
    }

    /// The limit of a client that does not say any.
    pub fn unsaid(&self) -> Limit {
        Limit(self.default)
    }

    /// Checks a limit.
    ///
    /// # Errors
    /// [`Invalid`] with the field `limit`.
    pub fn limit(&self, limit: u16) -> Result<Limit, Invalid> {
        if (1..=self.max).contains(&limit) { Ok(Limit(limit)) } else { Err(self.out_of_bounds()) }
    }

    /// Reads a limit written in decimal digits, without sign or blanks.
    ///
    /// # Errors
    /// [`Invalid`] with the field `limit`.
    pub fn parse(&self, text: &str) -> Result<Limit, Invalid> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.out_of_bounds());
        }
        // The digits alone leave two ways to fail, none or too many of them, and both break the same rule.
        text.parse().map_err(|_| self.out_of_bounds()).and_then(|limit| self.limit(limit))
    }

    fn out_of_bounds(&self) -> Invalid {
        Invalid::new("limit", format!("must be a whole number from 1 to {}", self.max))
    }
}

impl Default for PageLimits {
    fn default() -> Self {
        Self { default: LIMIT_DEFAULT, max: LIMIT_MAX }
    }
}

/// How many messages a listing returns at most, as [`PageLimits`] allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u16);

impl Limit {
    /// The number.
    pub fn get(self) -> usize {
        usize::from(self.0)
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
        let page = PageLimits::default();
        assert_eq!(page.parse("1").map(Limit::get), Ok(1));
        assert_eq!(page.parse("200").map(Limit::get), Ok(200));
        for text in ["", "0", "201", "-1", "+1", " 1", "1.0", "0x1", "65537", "99999999999999999999"] {
            assert!(page.parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn page_limits_hold_together() {
        let read = |json| serde_json::from_str::<PageLimits>(json).map_err(|error| error.to_string());
        for (json, default, max) in [
            ("{}", 50, 200),
            (r#"{"max":20}"#, 20, 20),
            (r#"{"default":200}"#, 200, 200),
            (r#"{"default":1,"max":1000}"#, 1, 1_000),
        ] {
            assert_eq!(read(json), Ok(PageLimits { default, max }), "{json}");
        }
        for (json, says) in [
            (r#"{"max":0}"#, "max must be a whole number from 1 to 1000"),
            (r#"{"max":1001}"#, "max must be a whole number from 1 to 1000"),
            (r#"{"default":0}"#, "default must be a whole number from 1 to `max`, 200"),
            (r#"{"default":21,"max":20}"#, "default must be a whole number from 1 to `max`, 20"),
            (r#"{"least":1}"#, "unknown field `least`"),
        ] {
            assert!(read(json).is_err_and(|error| error.contains(says)), "{json}: {:?}", read(json));
        }
    }
}
