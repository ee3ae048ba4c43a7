//! Ranges of user or group ids that stand for others (user namespaces, id-mapped mounts).

/// One range: `size` ids from `container` inside stand for those from `host` outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    container: u32,
    host: u32,
    size: u32,
}

/// Why ranges make no map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdMapError {
    /// A range runs over the end of the id space.
    #[error("the id range {container}:{host}:{size} is empty or runs past the largest id")]
    Range {
        /// First id inside.
        container: u32,
        /// First id outside.
        host: u32,
        /// How many.
        size: u32,
    },
}

/// A map between the ids of a container and those of the host. Empty means identity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdMap(Vec<Range>);

impl IdMap {
    /// A map of `(container, host, size)` ranges.
    pub fn new(ranges: impl IntoIterator<Item = (u32, u32, u32)>) -> Result<Self, IdMapError> {
        let range = |(container, host, size): (u32, u32, u32)| {
            let fits = |first: u32| size > 0 && first.checked_add(size - 1).is_some();
            match fits(container) && fits(host) {
                true => Ok(Range {
                    container,
                    host,
                    size,
                }),
                false => Err(IdMapError::Range {
                    container,
                    host,
                    size,
                }),
            }
        };
        ranges
            .into_iter()
            .map(range)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Does every id stand for itself?
    pub fn is_identity(&self) -> bool {
        self.0.iter().all(|range| range.container == range.host)
    }

    /// The host's id for `container`, if it has one.
    pub fn to_host(&self, container: u32) -> Option<u32> {
        self.translate(container, |range| (range.container, range.host))
    }

    /// The container's id for `host`, if it has one.
    pub fn to_container(&self, host: u32) -> Option<u32> {
        self.translate(host, |range| (range.host, range.container))
    }

    fn translate(&self, id: u32, ends: impl Fn(&Range) -> (u32, u32)) -> Option<u32> {
        if self.0.is_empty() {
            return Some(id);
        }
        self.0.iter().find_map(|range| {
            let (from, to) = ends(range);
            let offset = id.checked_sub(from)?;
            (offset < range.size).then(|| to + offset)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_both_ways() {
        let map = IdMap::new([(0, 100_000, 10), (10, 5, 1)]).unwrap();
        assert_eq!(map.to_host(9), Some(100_009));
        assert_eq!(map.to_host(10), Some(5));
        assert_eq!(map.to_host(11), None);
        assert_eq!(map.to_container(100_009), Some(9));
        assert_eq!(IdMap::default().to_host(7), Some(7));
    }

    #[test]
    fn refuses_ranges_past_the_end() {
        assert!(IdMap::new([(u32::MAX, 0, 2)]).is_err());
        assert!(IdMap::new([(0, 0, 0)]).is_err());
    }
}
