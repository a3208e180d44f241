//! What an application says about its identifiers: defaults by profile, and the check of every value.

use std::time::Duration;

use gone_config::{Faults, Section, SectionFault};
use serde::{Deserialize, Serialize};

use crate::layout::{Epoch, LAST_INSTANCE};

/// Settings of one handle.
///
/// A section of a configuration file: keys are the field names, every one may be left out, an unknown one is refused.
/// Durations are text (`"5m"`, `"250ms"`) or an integer of milliseconds. A value out of bounds is an error of
/// [`validate`](Section::validate), never corrected in silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct UidConfig {
    /// Among whom instance ids are unique: all processes whose snowflakes must not collide have one name, and one epoch.
    /// 1 to 128 of the characters `a`-`z`, `A`-`Z`, `0`-`9`, `.`, `_`, `-`.
    ///
    /// Empty by default. It must be set where there is coordination; UUIDs alone need none.
    pub service_name: String,
    /// The highest instance id, 1 to 1023: how many processes there can be at once. Default 1023.
    pub max_instance_id: u16,
    /// The millisecond since 1970 that snowflakes count from, 0 to 4102444800000 (the year 2100). Ids last 69 years and a half
    /// from there. Default 1288834974657, which lasts until 2080-07-10.
    ///
    /// It must never change: ids made under another epoch collide with earlier ones.
    pub epoch_ms: u64,
    /// How far the wall clock may go back without there being no ids until it has caught up, 0 to 10 s. Meanwhile the time
    /// of the ids goes on at half the speed. Default 50 ms.
    #[serde(with = "gone_config::DurationText")]
    pub rollback_tolerance: Duration,
    /// How far ahead the floor of the instance id is written, 1 s to 1 h. It is raised three times within it, and is what
    /// ids stay below, also those of a process that stood still; the next holder begins there. Default 30 s.
    ///
    /// The longer, the longer an outage of coordination is bridged (but no longer than the lease lasts), and the longer the
    /// next holder of the id of a process that crashed may have to wait.
    #[serde(with = "gone_config::DurationText")]
    pub floor_period: Duration,
    /// How long a start waits for the floor of an instance id where no other is free, 0 to 10 min. Default 5 s.
    #[serde(with = "gone_config::DurationText")]
    pub floor_wait: Duration,
}

impl Section for UidConfig {
    const NAME: &'static str = "uid";

    fn check(&self, faults: &mut Faults) {
        const MS: fn(u64) -> Duration = Duration::from_millis;
        let name = &self.service_name;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.len() > 128 || !name.chars().all(plain) {
            let reason = "it must be at most 128 of the characters a-z, A-Z, 0-9, `.`, `_` and `-`";
            let value = format!("{:?}", name.chars().take(128).collect::<String>());
            faults.push(SectionFault::unfit("service_name", value, reason));
        }
        faults.within("max_instance_id", self.max_instance_id, 1..=LAST_INSTANCE);
        faults.within("epoch_ms", self.epoch_ms, 0..=4_102_444_800_000);
        faults.within("rollback_tolerance", self.rollback_tolerance, MS(0)..=MS(10_000));
        faults.within("floor_period", self.floor_period, MS(1_000)..=MS(3_600_000));
        faults.within("floor_wait", self.floor_wait, MS(0)..=MS(600_000));
    }
}

impl UidConfig {
    /// What the times of ids count from.
    pub fn epoch(&self) -> Epoch {
        Epoch::new(self.epoch_ms)
    }
}

/// The defaults of every profile.
impl Default for UidConfig {
    fn default() -> Self {
        Self {
            service_name: String::new(),
            max_instance_id: LAST_INSTANCE,
            epoch_ms: 1_288_834_974_657,
            rollback_tolerance: Duration::from_millis(50),
            floor_period: Duration::from_secs(30),
            floor_wait: Duration::from_secs(5),
        }
    }
}
