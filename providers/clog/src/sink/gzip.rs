//! Compresses an old log file.

use std::fs::{self, File};
use std::io;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::backups::{Backup, Backups, Form};

/// Puts the compressed file in the place of the plain one. Until it is complete it has another name,
/// and the plain one stays, so that an end in between loses nothing: the next run begins anew.
pub(super) fn compress(backups: &Backups, backup: Backup) -> io::Result<()> {
    let [plain, compressed, unfinished] =
        [Form::Plain, Form::Compressed, Form::Unfinished].map(|form| backups.path_in(backup, form));
    let result = (|| {
        let mut from = File::open(&plain)?;
        let to = File::create(&unfinished)?;
        to.set_permissions(from.metadata()?.permissions())?;
        let mut encoder = GzEncoder::new(to, Compression::default());
        io::copy(&mut from, &mut encoder)?;
        encoder.finish()?.sync_all()?;
        fs::rename(&unfinished, &compressed)
    })();
    match result {
        Ok(()) => fs::remove_file(&plain),
        Err(error) => {
            let _ = fs::remove_file(&unfinished);
            Err(error)
        }
    }
}
