//! Between the words of the backends and those of etcd.

use etcd_client::proto::{PbKeyValue, PbResponseOp, PbTxnOpResponse};
use etcd_client::{Compare as EtcdCompare, CompareOp, DeleteOptions, GetOptions, PutOptions, SortOrder, SortTarget};
use etcd_client::{TxnOp, TxnResponse};

use crate::backend::{Committed, Compare, Entry, Range, Step, Txn};

/// An entry, unless its key is no text. Such a key was written by somebody else, and cannot be named here.
pub(super) fn entry(pair: PbKeyValue) -> Option<Entry> {
    let key = match String::from_utf8(pair.key) {
        Ok(key) => key,
        Err(error) => {
            let key = String::from_utf8_lossy(error.as_bytes()).into_owned();
            tracing::debug!(target: "gone_coord", key, "passed over: a key that is no UTF-8");
            return None;
        }
    };
    Some(Entry {
        key,
        value: pair.value.into(),
        created: pair.create_revision,
        modified: pair.mod_revision,
        session: pair.lease,
    })
}

fn entries(pairs: Vec<PbKeyValue>) -> Vec<Entry> {
    pairs.into_iter().filter_map(entry).collect()
}

/// Where a range begins and, unless it is one key, before which key it ends.
pub(super) fn bounds(range: &Range) -> (Vec<u8>, Option<Vec<u8>>) {
    match range {
        Range::Key(key) => (key.as_bytes().to_vec(), None),
        // etcd's words for all keys.
        Range::Prefix(prefix) if prefix.is_empty() => (vec![0], Some(vec![0])),
        Range::Prefix(prefix) => {
            let mut end = prefix.as_bytes().to_vec();
            // No byte of a text is the highest one.
            if let Some(last) = end.last_mut() {
                *last += 1;
            }
            (prefix.as_bytes().to_vec(), Some(end))
        }
    }
}

fn get(range: &Range, options: GetOptions) -> TxnOp {
    match bounds(range) {
        (key, None) => TxnOp::get(key, Some(options)),
        (key, Some(end)) => TxnOp::get(key, Some(options.with_range(end))),
    }
}

fn operation(step: &Step) -> TxnOp {
    match step {
        Step::Put { key, value, session } => {
            TxnOp::put(key.as_str(), &value[..], Some(PutOptions::new().with_lease(*session)))
        }
        Step::Delete(key) => TxnOp::delete(key.as_str(), Some(DeleteOptions::new().with_prev_key())),
        Step::Read(range) => get(range, GetOptions::new()),
        Step::Neighbour { prefix, before } => {
            let options = GetOptions::new().with_limit(1);
            let options = match before {
                None => options.with_sort(SortTarget::Create, SortOrder::Ascend),
                // 0 would mean no bound, and nothing was created before 1.
                Some(before) => options
                    .with_sort(SortTarget::Create, SortOrder::Descend)
                    .with_max_create_revision(if *before > 1 { before - 1 } else { -1 }),
            };
            get(&Range::Prefix(prefix.clone()), options)
        }
    }
}

fn condition(compare: &Compare) -> EtcdCompare {
    match compare {
        Compare::Created(key, revision) => EtcdCompare::create_revision(key.as_str(), CompareOp::Equal, *revision),
        Compare::Modified(key, revision) => EtcdCompare::mod_revision(key.as_str(), CompareOp::Equal, *revision),
        // It must hold for each key of the prefix, and no key that is there was created at 0.
        Compare::NoneUnder(prefix) => EtcdCompare::create_revision(prefix.as_str(), CompareOp::Equal, 0).with_prefix(),
    }
}

pub(super) fn transaction(txn: &Txn) -> etcd_client::Txn {
    etcd_client::Txn::new()
        .when(txn.compares.iter().map(condition).collect::<Vec<_>>())
        .and_then(txn.then.iter().map(operation).collect::<Vec<_>>())
        .or_else(txn.otherwise.iter().map(operation).collect::<Vec<_>>())
}

pub(super) fn committed(response: TxnResponse) -> Committed {
    let found = |response: PbResponseOp| match response.response {
        Some(PbTxnOpResponse::ResponseRange(range)) => entries(range.kvs),
        Some(PbTxnOpResponse::ResponseDeleteRange(deleted)) => entries(deleted.prev_kvs),
        // A put finds nothing, and there are no transactions within.
        _ => Vec::new(),
    };
    Committed {
        succeeded: response.0.succeeded,
        revision: response.0.header.as_ref().map_or(0, |header| header.revision),
        found: response.0.responses.into_iter().map(found).collect(),
    }
}
