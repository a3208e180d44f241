//! The raw stream of changes.

use std::sync::Arc;

use etcd_client::proto::{PbEvent, PbWatchResponse};
use etcd_client::{GetOptions, WatchOptions, WatchStream};
use tokio::sync::mpsc;

use super::convert::{bounds, entry};
use super::failure::{Failure, Kind};
use super::link::{Effect, Link};
use super::live::{Live, Waiting};
use crate::backend::{Change, Range, RawWatch, Revision, WatchEnd, WatchItem};

/// What a reader may lag behind, in answers of the server, before the server is held up.
const BUFFER: usize = 64;
/// The number of the one watch of each stream. Answers with another number say nothing about its changes.
const WATCH: i64 = 1;

/// Opens a stream of changes: one of its own on the connection, so that a slow reader holds nobody else up. When it is dropped
/// the server is told.
pub(super) async fn open(link: &Link, range: &Range, from: Revision) -> Result<RawWatch, Failure> {
    let (live, stream, first) = create(link, range, from).await?;
    let (items, receiver) = mpsc::channel(BUFFER);
    if is_ahead(link, range, &first, from).await? {
        // A store that was restored from a backup. What is known of it is of another time.
        let _ = items.try_send(WatchItem::End(WatchEnd::Compacted));
        return Ok(RawWatch::new(receiver, None));
    }
    let task = tokio::spawn(run(live, stream, first, items));
    Ok(RawWatch::new(receiver, Some(task.abort_handle())))
}

/// A stream on which the server has confirmed the watch, and what it said.
async fn create(
    link: &Link,
    range: &Range,
    from: Revision,
) -> Result<(Arc<Live>, WatchStream, PbWatchResponse), Failure> {
    let (key, end) = bounds(range);
    let options = WatchOptions::new().with_start_revision(from).with_watch_id(WATCH).with_progress_notify();
    let mut options = options.with_fragment();
    if let Some(end) = end {
        options = options.with_range(end);
    }
    let ask = |live: Arc<Live>| {
        let (key, options) = (key.clone(), options.clone());
        async move {
            let mut stream = live.watches().watch(key, Some(options)).await?;
            let first = stream.message().await?;
            Ok((live, stream, first))
        }
    };
    let mut told = link.call(Effect::Reads, ask).await?;
    if refusal(&told.2).is_some() && link.settings().user.is_some() {
        // A token that has expired is told as a permission that is missing.
        told.0.authenticate().await?;
        told = link.call(Effect::Reads, ask).await?;
    }
    match (refusal(&told.2), told) {
        (Some(reason), _) => Err(Failure::new(Kind::Refused, reason)),
        (None, (live, stream, Some(first))) => Ok((live, stream, first.0)),
        (None, (_, _, None)) => Err(Failure::new(Kind::Broken, "the server ended the stream before it began")),
    }
}

/// Why the server will not open the watch.
fn refusal(first: &Option<etcd_client::WatchResponse>) -> Option<String> {
    let first = &first.as_ref()?.0;
    (first.canceled && first.compact_revision == 0).then(|| first.cancel_reason.clone())
}

/// Whether the changes that are asked for are further ahead than the next one.
async fn is_ahead(link: &Link, range: &Range, first: &PbWatchResponse, from: Revision) -> Result<bool, Failure> {
    let behind = |revision: Revision| revision + 1 < from;
    if !behind(first.header.as_ref().map_or(Revision::MAX - 1, |header| header.revision)) {
        return Ok(false);
    }
    // The member may itself be behind the others; this is answered by all of them.
    let (key, _) = bounds(range);
    let ask = |live: Arc<Live>| {
        let key = key.clone();
        async move { live.kv(async |kv| kv.get(key, Some(GetOptions::new().with_count_only())).await).await }
    };
    let counted = link.call(Effect::Reads, ask).await?;
    Ok(counted.header().is_some_and(|header| behind(header.revision())))
}

async fn run(live: Arc<Live>, mut stream: WatchStream, first: PbWatchResponse, items: mpsc::Sender<WatchItem>) {
    let waiting = live.waiting();
    let mut changes = Fragments::default();
    let mut told = Ok(Some(first));
    loop {
        let item = match told {
            Ok(Some(response)) => match read(response, &mut changes) {
                Some(item) => item,
                None => {
                    told = next(&mut stream, &waiting).await;
                    continue;
                }
            },
            Ok(None) => broken(Failure::new(Kind::Broken, "the server ended the stream")),
            Err(failure) => broken(failure),
        };
        let last = matches!(item, WatchItem::End(_));
        if items.send(item).await.is_err() || last {
            return;
        }
        told = next(&mut stream, &waiting).await;
    }
}

async fn next(stream: &mut WatchStream, waiting: &Waiting) -> Result<Option<PbWatchResponse>, Failure> {
    tokio::select! {
        response = stream.message() => Ok(response?.map(|response| response.0)),
        () = waiting.broken() => Err(Failure::unanswered()),
    }
}

fn broken(failure: Failure) -> WatchItem {
    WatchItem::End(match failure.kind {
        Kind::Compacted => WatchEnd::Compacted,
        _ => WatchEnd::Broken(failure.into_error("watch")),
    })
}

/// What an answer has to tell.
fn read(response: PbWatchResponse, changes: &mut Fragments) -> Option<WatchItem> {
    if response.canceled {
        return Some(match response.compact_revision {
            0 => broken(Failure::new(Kind::Broken, response.cancel_reason)),
            _ => WatchItem::End(WatchEnd::Compacted),
        });
    }
    if response.events.is_empty() && !response.fragment {
        // Progress that somebody asked for has no number, and etcd 3.4 answers it before changes that are still to come.
        let told = !response.created && response.watch_id == WATCH && changes.pending.is_empty();
        let revision = response.header.map(|header| header.revision)?;
        return told.then_some(WatchItem::Progress(revision));
    }
    let whole = changes.add(response.events, response.fragment);
    (!whole.is_empty()).then_some(WatchItem::Changes(whole))
}

/// Changes of a large answer, which comes in parts.
#[derive(Default)]
struct Fragments {
    /// Those of the last revision so far: it may go on in the next part.
    pending: Vec<Change>,
}

impl Fragments {
    /// The changes of whole revisions.
    fn add(&mut self, events: Vec<PbEvent>, more: bool) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.pending);
        changes.extend(events.into_iter().filter_map(change));
        if more && let Some(last) = changes.last().map(revision) {
            let begin = changes.partition_point(|change| revision(change) < last);
            self.pending = changes.split_off(begin);
        }
        changes
    }
}

fn revision(change: &Change) -> Revision {
    match change {
        Change::Put(entry) => entry.modified,
        Change::Delete { revision, .. } => *revision,
    }
}

fn change(event: PbEvent) -> Option<Change> {
    const DELETE: i32 = etcd_client::EventType::Delete as i32;
    let entry = entry(event.kv?)?;
    Some(match event.r#type {
        DELETE => Change::Delete { key: entry.key, revision: entry.modified },
        _ => Change::Put(entry),
    })
}

#[cfg(test)]
mod tests {
    use etcd_client::proto::PbKeyValue;

    use super::*;
    use crate::backend::Entry;

    fn event(key: &str, revision: i64) -> PbEvent {
        let kv = PbKeyValue { key: key.into(), mod_revision: revision, ..PbKeyValue::default() };
        PbEvent { r#type: 0, kv: Some(kv), prev_kv: None }
    }

    fn keys(changes: &[Change]) -> Vec<&str> {
        changes
            .iter()
            .map(|change| match change {
                Change::Put(Entry { key, .. }) | Change::Delete { key, .. } => key.as_str(),
            })
            .collect()
    }

    #[test]
    fn the_changes_of_one_revision_stay_together_when_an_answer_comes_in_parts() {
        let mut fragments = Fragments::default();
        let whole = fragments.add(vec![event("a", 5), event("b", 6), event("c", 6)], true);
        assert_eq!(keys(&whole), ["a"]);
        assert!(fragments.add(vec![event("d", 6)], true).is_empty());
        assert_eq!(keys(&fragments.add(vec![event("e", 6), event("f", 7)], false)), ["b", "c", "d", "e", "f"]);
        assert_eq!(keys(&fragments.add(vec![event("g", 8)], false)), ["g"]);
    }
}
