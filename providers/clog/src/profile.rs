//! The defaults of a profile, also of one that nobody here knows.

use gone_config::Settings;
use gone_core::{Code, Error, Result};

use crate::ClogConfig;

/// What the known profiles differ in and a section has to say itself.
const DECLARED: [&str; 2] = ["level", "format"];

/// The defaults of the profile. One of another name has those of `development`, provided that the
/// section says itself what the known profiles differ in: a misspelt name is an error.
pub(crate) fn defaults(settings: &Settings, section: &str) -> Result<ClogConfig> {
    ClogConfig::for_profile(settings.profile()).or_else(|error| {
        let keys = DECLARED.iter().map(|key| format!("{section}.{key}"));
        let missing: Vec<String> = keys.filter(|key| settings.origin(key).is_none()).collect();
        if missing.is_empty() {
            return Ok(ClogConfig::default());
        }
        let missing = missing.join("` and `");
        let text = format!("{error}. A profile of another name has to set `{missing}` in the config");
        Err(Error::new(Code::Config, text))
    })
}

#[cfg(test)]
mod tests {
    use gone_config::ConfigSource;

    use super::*;
    use crate::{Format, Level};

    fn settings(profile: &str, set: &[(&'static str, &'static str)]) -> Settings {
        let folder = std::env::temp_dir().join("gone-tests-without-config");
        ConfigSource::new().folder(folder).profile(profile).environment(set.iter().copied()).read().unwrap()
    }

    #[test]
    fn a_known_profile_needs_no_section() {
        assert_eq!(defaults(&settings("production", &[]), "clog").unwrap().format, Format::Json);
        assert_eq!(defaults(&settings("development", &[]), "clog").unwrap().level, Level::Debug);
    }

    #[test]
    fn another_profile_is_fine_when_the_section_says_what_profiles_differ_in() {
        let both = [("GONE_CLOG__LEVEL", "info"), ("GONE_CLOG__FORMAT", "json")];
        assert_eq!(defaults(&settings("staging", &both), "clog").unwrap(), ClogConfig::default());
        let error = defaults(&settings("prodution", &both[..1]), "clog").unwrap_err().to_string();
        assert!(error.contains("unknown profile \"prodution\", did you mean `production`?"), "{error}");
        assert!(error.contains("has to set `clog.format` in the config"), "{error}");
        let error = defaults(&settings("staging", &[]), "clog").unwrap_err().to_string();
        assert!(error.contains("`clog.level` and `clog.format`"), "{error}");
    }

    #[test]
    fn every_setting_of_a_line_can_stand_in_the_section() {
        let section = [
            ("GONE_CLOG__FILTER", "info,hyper=warn"),
            ("GONE_CLOG__MAX_LINE", "8192"),
            ("GONE_CLOG__REDACTION__KEYS", r#"["iban"]"#),
            ("GONE_CLOG__SAMPLING__FIRST", "100"),
        ];
        let settings = settings("production", &section);
        let defaults = defaults(&settings, "clog").unwrap();
        let config: ClogConfig = settings.component("clog", "", &defaults).unwrap();
        assert_eq!(
            (config.filter.as_deref(), config.max_line, config.max_field),
            (Some("info,hyper=warn"), 8_192, 8_192)
        );
        assert_eq!((config.redaction.keys.as_slice(), config.sampling.first), (&["iban".to_owned()][..], 100));
        config.validate().unwrap();
    }
}
