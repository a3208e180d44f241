//! What a log knows about its lines.

use gone_kit::Clock;

use crate::callsite::{self, Callsite};
use crate::config::ClogConfig;
use crate::kept::Kept;
use crate::sampling::Sampler;
use crate::secrets::Secrets;
use crate::style::{self, WrittenKey};

/// The least that a line may be limited to: the keys of every line fit into it whatever they hold.
pub(crate) const SHORTEST_LINE: usize = 4 * 1024;
/// The most.
pub(crate) const LONGEST_LINE: usize = 16 * 1024 * 1024;
/// The least that a value may be limited to.
pub(crate) const SHORTEST_FIELD: usize = 64;

/// The settings of the lines of a log, and what is kept from one line to the next.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) max_line: usize,
    pub(crate) max_field: usize,
    /// The most bytes of a namespace, a service or a file.
    pub(crate) max_name: usize,
    pub(crate) span_fields: bool,
    pub(crate) secrets: Secrets,
    pub(crate) sampler: Option<Sampler>,
    pub(crate) clock: Clock,
    pub(crate) callsites: Kept<Callsite>,
    /// The keys of fields that stand in the program.
    pub(crate) keys: Kept<WrittenKey>,
}

impl Lines {
    pub(crate) fn new(config: &ClogConfig, clock: Clock) -> Self {
        Self {
            max_line: config.max_line,
            max_field: config.max_field,
            // Three of these, each byte of them escaped, are little more than half of the line.
            max_name: config.max_line / 32,
            span_fields: config.span_fields,
            secrets: Secrets::new(&config.redaction),
            sampler: Sampler::new(&config.sampling),
            clock,
            callsites: Kept::new(callsite::MOST),
            keys: Kept::new(style::MOST_KEYS),
        }
    }
}
