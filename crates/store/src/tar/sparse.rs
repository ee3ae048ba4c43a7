//! Sparse files in tar streams, in the four forms that GNU tar has written over time.

use std::io;

use super::header::{BLOCK, number};
use super::read::decimal;

/// More parts than this are refused.
pub(super) const MAX_PARTS: usize = 1 << 20;

/// Where the stored bytes of a file lie in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Map {
    /// Start and length, ascending.
    parts: Vec<(u64, u64)>,
    size: u64,
    position: u64,
    next: usize,
}

impl Map {
    fn new(parts: Vec<(u64, u64)>, size: u64) -> Self {
        Self {
            parts,
            size,
            ..Self::default()
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Parts must ascend, lie within the file and be what is stored.
    pub(super) fn check(&self, stored: u64) -> Result<(), &'static str> {
        let (mut end, mut sum) = (0u64, 0u64);
        for (start, length) in &self.parts {
            let behind = start.checked_add(*length).ok_or("sparse map")?;
            if *start < end || behind > self.size {
                return Err("sparse map");
            }
            end = behind;
            sum += length;
        }
        (sum == stored).then_some(()).ok_or("sparse map")
    }

    /// Reads on, from the stored bytes or as zeros.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        stored: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        while self
            .parts
            .get(self.next)
            .is_some_and(|(start, length)| start + length <= self.position)
        {
            self.next += 1;
        }
        let fit = |length: u64| {
            buffer
                .len()
                .min(usize::try_from(length).unwrap_or(usize::MAX))
        };
        let read = match self.parts.get(self.next) {
            Some((start, length)) if *start <= self.position => {
                let length = fit(start + length - self.position);
                stored(&mut buffer[..length])?
            }
            part => {
                let end = part.map_or(self.size, |(start, _)| *start);
                let length = fit(end - self.position);
                buffer[..length].fill(0);
                length
            }
        };
        self.position += read as u64;
        Ok(read)
    }
}

/// Pairs of 12-byte numbers; stops at an empty one.
fn gnu_parts(bytes: &[u8], map: &mut Map) -> Option<()> {
    for pair in bytes.chunks_exact(24) {
        if pair[0] == 0 || pair[12] == 0 {
            break;
        }
        let value = |field| number(field).and_then(|value| u64::try_from(value).ok());
        map.parts.push((value(&pair[..12])?, value(&pair[12..])?));
    }
    Some(())
}

/// The map in an old GNU header, and whether more blocks of it follow.
pub(super) fn gnu_header(block: &[u8; BLOCK]) -> Option<(Map, bool)> {
    let size = u64::try_from(number(&block[483..495])?).ok()?;
    let mut map = Map::new(Vec::new(), size);
    gnu_parts(&block[386..482], &mut map)?;
    Some((map, block[482] != 0))
}

/// One more block of the map, and whether more follow.
pub(super) fn gnu_block(block: &[u8; BLOCK], map: &mut Map) -> Option<bool> {
    gnu_parts(&block[..504], map)?;
    Some(block[504] != 0)
}

/// The PAX records of the forms 0.0, 0.1 and 1.0.
#[derive(Debug, Default)]
pub(super) struct Records {
    major: Option<i64>,
    name: Option<Vec<u8>>,
    real_size: Option<i64>,
    numbers: Vec<i64>,
    broken: bool,
}

impl Records {
    /// Takes the record if it is about sparse files.
    pub(super) fn take(&mut self, key: &[u8], value: &[u8]) -> bool {
        let Some(key) = key.strip_prefix(b"GNU.sparse.".as_slice()) else {
            return false;
        };
        match key {
            b"name" => self.name = Some(value.to_vec()),
            b"major" => self.major = decimal(value),
            b"size" | b"realsize" => self.real_size = decimal(value),
            b"offset" | b"numbytes" => self.push(value),
            b"map" => value
                .split(|byte| *byte == b',')
                .for_each(|text| self.push(text)),
            _ => {}
        }
        true
    }

    fn push(&mut self, text: &[u8]) {
        match decimal(text) {
            Some(value) if self.numbers.len() < 2 * MAX_PARTS => self.numbers.push(value),
            _ => self.broken = true,
        }
    }

    /// The file's true name, where the header has a made-up one.
    pub(super) fn name(&self) -> Option<Vec<u8>> {
        self.name.clone().filter(|name| !name.contains(&0))
    }

    pub(super) fn has_map_in_content(&self) -> bool {
        self.major == Some(1)
    }

    pub(super) fn real_size(&self) -> Option<u64> {
        u64::try_from(self.real_size?).ok()
    }

    /// The map of the forms 0.0 and 0.1.
    pub(super) fn map(&self) -> Result<Option<Map>, &'static str> {
        if self.real_size.is_none() && self.numbers.is_empty() && !self.broken {
            return Ok(None);
        }
        let size = self.real_size().ok_or("sparse size")?;
        let parts = pairs(&self.numbers)
            .filter(|_| !self.broken)
            .ok_or("sparse map")?;
        Ok(Some(Map::new(parts, size)))
    }
}

fn pairs(numbers: &[i64]) -> Option<Vec<(u64, u64)>> {
    let chunks = numbers.chunks_exact(2);
    if !chunks.remainder().is_empty() {
        return None;
    }
    let pair = |pair: &[i64]| Some((u64::try_from(pair[0]).ok()?, u64::try_from(pair[1]).ok()?));
    chunks.map(pair).collect()
}

/// Form 1.0: the number of parts, then start and length of each, a line each, in whole blocks.
pub(super) struct Lines {
    size: u64,
    text: Vec<u8>,
    numbers: Vec<i64>,
}

impl Lines {
    pub(super) fn new(size: u64) -> Self {
        Self {
            size,
            text: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// Takes one block; `Some(Some(map))` once the map is whole, `None` if it is no map.
    pub(super) fn push(&mut self, block: &[u8; BLOCK]) -> Option<Option<Map>> {
        for byte in block {
            if *byte != b'\n' {
                self.text.push(*byte);
                if self.text.len() > 20 {
                    return None;
                }
                continue;
            }
            self.numbers.push(decimal(&std::mem::take(&mut self.text))?);
            let count = usize::try_from(*self.numbers.first()?).ok()?;
            if count > MAX_PARTS {
                return None;
            }
            if self.numbers.len() == 1 + 2 * count {
                let parts = pairs(self.numbers.get(1..)?)?;
                return Some(Some(Map::new(parts, self.size)));
            }
        }
        Some(None)
    }
}
