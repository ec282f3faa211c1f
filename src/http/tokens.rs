//! Owns the tokens of a journal: random, shown once, kept as hashes in `tokens.json`, which is private and replaced as a
//! whole. What a scope allows is decided where it is asked for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use projections::moment::Moment;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::log::lock::Lock;
use crate::log::{self, OpenError};

/// The file in a journal's folder.
pub const TOKENS_FILE: &str = "tokens.json";

/// Held by whoever changes the file, so that no two changes overwrite each other.
const LOCK_FILE: &str = "tokens.lock";

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Read tables, events, metrics and streams.
    Read,
    /// Append events.
    Append,
    /// Both, and whatever else there will be.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Append, Self::Admin];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Append => "append",
            Self::Admin => "admin",
        }
    }

    /// The scope of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// What is kept of a token: all but itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TokenEntry {
    pub id: String,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// SHA-256 of the token, in hex. A random token needs no slow hash.
    sha256: String,
}

impl TokenEntry {
    /// Whether it may do this.
    #[must_use]
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|has| *has == scope || *has == Scope::Admin)
    }

    pub(super) fn is_expired(&self, now: Moment) -> bool {
        // A time that can't be read is no reason to let somebody in.
        self.expires_at.as_ref().is_some_and(|at| Moment::parse(at).map_or(true, |at| now >= at))
    }
}

/// Why tokens could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The file is not one of ours.
    #[error("{} cannot be read as tokens ({detail}); mend it, or delete it and make new ones", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// There is no token with this id.
    #[error("there is no token {id}; tradefold token list shows them")]
    Unknown {
        /// The id.
        id: String,
    },
    /// The system gave no random bits.
    #[error("no random bits: {0}")]
    Random(getrandom::Error),
    /// The system refused a file.
    #[error(transparent)]
    File(#[from] OpenError),
}

/// The tokens of a journal, as they were when they were read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tokens {
    tokens: Vec<TokenEntry>,
}

impl Tokens {
    /// Reads a journal's tokens; none where there is no file yet.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read(dir: &Path) -> Result<Self, TokenError> {
        let path = dir.join(TOKENS_FILE);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(OpenError::File { action: "read", path, source }.into()),
            Ok(text) => {
                log::file::tighten(&path)?;
                serde_json::from_str(&text).map_err(|error| TokenError::Damaged { path, detail: error.to_string() })
            }
        }
    }

    /// All of them.
    #[must_use]
    pub fn list(&self) -> &[TokenEntry] {
        &self.tokens
    }

    /// Whose token this is, if it is a good one. Hashes are compared, in constant time, so that how long it takes says
    /// nothing about how near a guess was; an unknown id is compared like a known one.
    #[must_use]
    pub fn find(&self, token: &str, now: Moment) -> Option<&TokenEntry> {
        let id = token.strip_prefix("tf_")?.split('_').next()?;
        let hash = hash(token);
        let known = self.tokens.iter().find(|entry| entry.id == id);
        let expected = known.map_or_else(|| "0".repeat(hash.len()), |entry| entry.sha256.clone());
        let same = bool::from(expected.as_bytes().ct_eq(hash.as_bytes()));
        known.filter(|entry| same && !entry.is_expired(now))
    }
}

/// Makes a token and keeps its hash. This is the only time that the token itself is there to be seen.
///
/// # Errors
/// [`TokenError`].
pub fn add(
    dir: &Path,
    name: &str,
    scopes: &[Scope],
    expires_at: Option<Moment>,
) -> Result<(String, TokenEntry), TokenError> {
    let (id, secret) = (random_hex(4)?, random_hex(32)?);
    let token = format!("tf_{id}_{secret}");
    let mut scopes = scopes.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    let entry = TokenEntry {
        id,
        name: name.to_owned(),
        scopes,
        created_at: log::now().to_string(),
        expires_at: expires_at.map(|at| at.to_string()),
        sha256: hash(&token),
    };
    change(dir, |tokens| {
        tokens.tokens.push(entry.clone());
        Ok(())
    })?;
    Ok((token, entry))
}

/// Takes a token's right away, from the next request on.
///
/// # Errors
/// [`TokenError::Unknown`].
pub fn revoke(dir: &Path, id: &str) -> Result<(), TokenError> {
    change(dir, |tokens| {
        let before = tokens.tokens.len();
        tokens.tokens.retain(|entry| entry.id != id);
        if tokens.tokens.len() < before { Ok(()) } else { Err(TokenError::Unknown { id: id.to_owned() }) }
    })
}

/// Makes the first token, with every scope, where there is no file yet; `None` where there is.
///
/// # Errors
/// [`TokenError`].
pub fn first(dir: &Path) -> Result<Option<String>, TokenError> {
    if fs::exists(dir.join(TOKENS_FILE)).unwrap_or(false) {
        return Ok(None);
    }
    add(dir, "first", &Scope::ALL, None).map(|(token, _)| Some(token))
}

fn change(dir: &Path, make: impl FnOnce(&mut Tokens) -> Result<(), TokenError>) -> Result<(), TokenError> {
    let _lock = Lock::take_file(&dir.join(LOCK_FILE), Duration::from_secs(5))?;
    let mut tokens = Tokens::read(dir)?;
    make(&mut tokens)?;
    let (path, side) = (dir.join(TOKENS_FILE), dir.join(".tokens.json.new"));
    let text = serde_json::to_string_pretty(&tokens).unwrap_or_default() + "\n";
    let written = write_new(&side, text.as_bytes()).and_then(|()| fs::rename(&side, &path));
    written.map_err(log::file::failed("write", &path))?;
    Ok(log::file::sync_dir(dir)?)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What is left of an attempt that died is in nobody's hands: the lock is ours.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(log::file::FILE_MODE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn hash(token: &str) -> String {
    log::hex(&Sha256::digest(token.as_bytes()).into())
}

fn random_hex(bytes: usize) -> Result<String, TokenError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(TokenError::Random)?;
    Ok(log::hex(&random)[..2 * bytes].to_owned())
}
