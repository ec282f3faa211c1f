//! Owns what is remembered of the last verification of a journal: a small file beside it, for whoever asks how the journal
//! is. Nothing is ever decided by it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

const RESULT_FILE: &str = "verified.json";

/// A verification's result, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LastVerification {
    pub at: String,
    pub seq: u64,
    pub hash: String,
    pub ok: bool,
    pub findings: u64,
}

impl LastVerification {
    /// The last one, if it is known.
    #[must_use]
    pub fn read(dir: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(dir.join(RESULT_FILE)).ok()?).ok()
    }

    /// Remembers this one instead.
    ///
    /// # Errors
    /// What the system refused.
    pub fn write(&self, dir: &Path) -> std::io::Result<()> {
        let aside = dir.join(format!(".{RESULT_FILE}.part"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(serde_json::to_string(self)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, dir.join(RESULT_FILE))
    }
}
