//! Searching files and memory for what must not be there.

use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};
use memchr::memmem::Finder;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

use crate::key::Key;

/// How much memory is read at once.
const CHUNK_BYTES: usize = 4 << 20;

/// The shortest text that is worth a search: anything shorter is found by accident.
const SPELLING_BYTES_MIN: usize = 12;

/// How much of a secret is a fragment of it.
const FRAGMENT_BYTES: usize = 16;

/// From one fragment to the next.
const FRAGMENT_STEP: usize = 8;

/// The base64 of what stands before an Ed25519 key in its PKCS#8 (RFC 8410), as far as it is whole bytes.
const ED25519_PKCS8: &str = "MC4CAQAwBQYDK2VwBCIEI";

/// Something to search for, in all its spellings.
#[derive(Debug)]
pub struct Needle {
    name: String,
    spellings: Vec<Spelling>,
}

#[derive(Debug)]
struct Spelling {
    name: &'static str,
    finder: Finder<'static>,
}

/// What a search came to.
#[derive(Clone, Debug, Default)]
pub struct Searched {
    /// Where something was found.
    pub found: Vec<Found>,
    /// How much was looked at.
    pub bytes: u64,
}

/// A needle that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The needle.
    pub needle: String,
    /// How it was spelled.
    pub spelling: &'static str,
    /// Where.
    pub place: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) in {}", self.needle, self.spelling, self.place)
    }
}

impl Needle {
    /// Bytes, as they are, in hexadecimal, in base64 and URL-encoded.
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let mut needle = Self { name: name.to_owned(), spellings: Vec::new() };
        needle.spell("raw", bytes);
        needle.spell("hex", HEXLOWER.encode(bytes).as_bytes());
        needle.spell("HEX", HEXUPPER.encode(bytes).as_bytes());
        for ahead in 0..3 {
            needle.spell("base64", &within_base64(&BASE64_NOPAD, bytes, ahead));
            needle.spell("base64url", &within_base64(&BASE64URL_NOPAD, bytes, ahead));
        }
        needle.spell("URL-encoded", percent_encode(bytes, NON_ALPHANUMERIC).to_string().as_bytes());
        needle
    }

    /// Also in part: any `FRAGMENT_BYTES` of it that begin at a multiple of `FRAGMENT_STEP`, so that 23 bytes in a row
    /// are always found.
    #[must_use]
    pub fn in_fragments(mut self, bytes: &[u8]) -> Self {
        for fragment in bytes.windows(FRAGMENT_BYTES).step_by(FRAGMENT_STEP) {
            self.spell("a fragment", fragment);
        }
        self
    }

    /// A key's secret: the text that the owner pastes, the bytes that sign, and for a PEM the base64 in it.
    pub fn of_secret(key: &Key) -> Vec<Self> {
        let mut needles = vec![Self::new(&format!("secret of {}", key.label), key.secret.as_bytes())];
        if key.secret_bytes() != key.secret.as_bytes() {
            needles.push(Self::new(&format!("secret bytes of {}", key.label), key.secret_bytes()));
        }
        let body: String = key.secret.lines().filter(|line| !line.starts_with("-----")).collect();
        if body != key.secret {
            needles.push(Self::new(&format!("PEM body of {}", key.label), body.as_bytes()));
        }
        needles
    }

    /// The same, also in part.
    pub fn of_secret_in_fragments(key: &Key) -> Vec<Self> {
        let body: String = key.secret.lines().filter(|line| !line.starts_with("-----")).collect();
        // What every Ed25519 key begins with in its DER is no secret.
        let text = body.strip_prefix(ED25519_PKCS8).unwrap_or(&body);
        let parts = [text.as_bytes(), key.secret_bytes()];
        let fragments = parts.map(|part| Self::new(&format!("part of {}", key.label), part).in_fragments(part));
        Self::of_secret(key).into_iter().chain(fragments).collect()
    }

    /// Where it is in some bytes.
    pub fn found_in(&self, bytes: &[u8], place: &str) -> Vec<Found> {
        let spelled = self.spellings.iter().filter(|spelling| spelling.finder.find(bytes).is_some());
        let found =
            |spelling: &Spelling| Found { needle: self.name.clone(), spelling: spelling.name, place: place.to_owned() };
        spelled.map(found).collect()
    }

    /// A spelling that is another one's equal says nothing new.
    fn spell(&mut self, name: &'static str, bytes: &[u8]) {
        let known = self.spellings.iter().any(|spelling| spelling.finder.needle() == bytes);
        if !known && bytes.len() >= SPELLING_BYTES_MIN {
            self.spellings.push(Spelling { name, finder: Finder::new(bytes).into_owned() });
        }
    }
}

/// What `bytes` look like inside a longer base64 text, when `ahead` bytes of its last group of three came before: only
/// the digits that they alone decide.
fn within_base64(encoding: &Encoding, bytes: &[u8], ahead: usize) -> Vec<u8> {
    let text = encoding.encode(&[[0; 3].get(..ahead).unwrap_or_default(), bytes].concat());
    let shared_before = if ahead == 0 { 0 } else { ahead.saturating_add(1) };
    let shared_after = usize::from(!ahead.saturating_add(bytes.len()).is_multiple_of(3));
    let whole = shared_before..text.len().saturating_sub(shared_after);
    text.get(whole).unwrap_or_default().as_bytes().to_vec()
}

impl Searched {
    /// Whether a needle of that name was found, in any spelling.
    pub fn has(&self, needle: &str) -> bool {
        self.found.iter().any(|found| found.needle == needle)
    }

    fn look(&mut self, needles: &[Needle], bytes: &[u8], place: &str) {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.found.extend(needles.iter().flat_map(|needle| needle.found_in(bytes, place)));
    }

    fn add(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.found.extend(other.found);
    }
}

/// Searches every file of a folder, and every name.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn search_files(folder: &Path, needles: &[Needle]) -> Result<Searched> {
    let mut searched = Searched::default();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let place = path.to_string_lossy();
        searched.look(needles, entry.file_name().as_encoded_bytes(), &place);
        if kind.is_dir() {
            searched.add(search_files(&path, needles)?);
        } else if kind.is_file() {
            let bytes = fs::read(&path).with_context(|| format!("cannot read {place}"))?;
            searched.look(needles, &bytes, &place);
        }
    }
    Ok(searched)
}

/// Searches all memory of a process that can be read.
///
/// # Errors
/// When none can: the caller has no right to.
pub fn search_memory(pid: u32, needles: &[Needle]) -> Result<Searched> {
    let overlap = needles.iter().flat_map(|n| &n.spellings).map(|s| s.finder.needle().len()).max().unwrap_or(0);
    let memory = File::open(format!("/proc/{pid}/mem")).with_context(|| format!("no right to the memory of {pid}"))?;
    let maps = BufReader::new(File::open(format!("/proc/{pid}/maps"))?);
    let mut buffer = vec![0; CHUNK_BYTES.saturating_add(overlap)];
    let mut searched = Searched::default();
    for line in maps.lines() {
        let line = line?;
        let Some((mut at, end)) = readable(&line) else { continue };
        let place = format!("memory of {pid}: {line}");
        while at < end {
            let left = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
            let Some(part) = buffer.get_mut(..left.min(CHUNK_BYTES.saturating_add(overlap))) else { break };
            // Secret memory, device memory and guard pages are in the list and cannot be read by anybody.
            let Ok(count) = memory.read_at(part, at) else { break };
            let Some(part) = part.get(..count).filter(|part| !part.is_empty()) else { break };
            searched.look(needles, part, &place);
            at = at.saturating_add(u64::try_from(count.min(CHUNK_BYTES)).unwrap_or(u64::MAX));
        }
    }
    anyhow::ensure!(searched.bytes > 0, "nothing of the memory of {pid} can be read");
    Ok(searched)
}

/// Start and end of a line of `/proc/pid/maps`, if it can be read at all.
fn readable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let hex = |text| u64::from_str_radix(text, 16).ok();
    rest.starts_with('r').then_some((hex(start)?, hex(end)?))
}
