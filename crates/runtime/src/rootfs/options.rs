//! Mount options of the spec, sorted into what the kernel calls them.

use rustix::mount::{MountAttrFlags as Attr, MountPropagationFlags as Propagation};

/// What the options of one mount say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Attributes to set and to clear on the mount.
    pub(crate) own: Change,
    /// The same on it and all mounts below.
    pub(crate) recursive: Change,
    /// `bind`, and whether the mounts below the source come along.
    pub(crate) bind: Option<Recursive>,
    /// Kinds of propagation to set, in order.
    pub(crate) propagation: Vec<(Propagation, Recursive)>,
    /// Copy what the target holds into the new tmpfs.
    pub(crate) copy_up: bool,
    /// Wear an id map.
    pub(crate) id_map: Option<Recursive>,
    /// A source that is a link is made as a link.
    pub(crate) copy_symlink: bool,
    /// Do not follow a link as source.
    pub(crate) source_nofollow: bool,
    /// Do not follow a link as target.
    pub(crate) target_nofollow: bool,
    /// Flags of the filesystem, not of the mount.
    pub(crate) flags: Vec<&'static str>,
    /// Everything else goes to the filesystem as it is.
    pub(crate) data: Vec<(String, Option<String>)>,
}

/// Whether something goes for the mounts below, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recursive {
    No,
    Yes,
}

/// Attributes to set and to clear. The later word wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) set: Attr,
    pub(crate) clear: Attr,
}

impl Change {
    const NONE: Self = Self {
        set: Attr::empty(),
        clear: Attr::empty(),
    };

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }

    fn apply(&mut self, flag: Attr, on: bool) {
        // The access time is one field of three values, not a set of bits.
        let is_time = flag == Attr::MOUNT_ATTR_NOATIME || flag == Attr::MOUNT_ATTR_STRICTATIME;
        if is_time {
            self.set.remove(Attr::MOUNT_ATTR__ATIME);
            self.clear.insert(Attr::MOUNT_ATTR__ATIME);
            if on {
                self.set.insert(flag);
            }
            return;
        }
        self.set.set(flag, on);
        self.clear.set(flag, !on);
    }
}

/// Words for attributes; with an `r` before them they are recursive.
const ATTRIBUTES: &[(&str, Attr, bool)] = &[
    ("ro", Attr::MOUNT_ATTR_RDONLY, true),
    ("rw", Attr::MOUNT_ATTR_RDONLY, false),
    ("nosuid", Attr::MOUNT_ATTR_NOSUID, true),
    ("suid", Attr::MOUNT_ATTR_NOSUID, false),
    ("nodev", Attr::MOUNT_ATTR_NODEV, true),
    ("dev", Attr::MOUNT_ATTR_NODEV, false),
    ("noexec", Attr::MOUNT_ATTR_NOEXEC, true),
    ("exec", Attr::MOUNT_ATTR_NOEXEC, false),
    ("noatime", Attr::MOUNT_ATTR_NOATIME, true),
    ("atime", Attr::MOUNT_ATTR_NOATIME, false),
    ("strictatime", Attr::MOUNT_ATTR_STRICTATIME, true),
    ("nostrictatime", Attr::MOUNT_ATTR_STRICTATIME, false),
    ("relatime", Attr::MOUNT_ATTR_NOATIME, false),
    ("norelatime", Attr::MOUNT_ATTR_STRICTATIME, true),
    ("nodiratime", Attr::MOUNT_ATTR_NODIRATIME, true),
    ("diratime", Attr::MOUNT_ATTR_NODIRATIME, false),
    ("nosymfollow", Attr::MOUNT_ATTR_NOSYMFOLLOW, true),
    ("symfollow", Attr::MOUNT_ATTR_NOSYMFOLLOW, false),
];

const PROPAGATION: &[(&str, Propagation)] = &[
    ("private", Propagation::PRIVATE),
    ("shared", Propagation::SHARED),
    ("slave", Propagation::DOWNSTREAM),
    ("unbindable", Propagation::UNBINDABLE),
];

const FLAGS: &[&str] = &["sync", "dirsync", "mand", "lazytime", "iversion", "silent"];

/// Words that ask for what is so anyway.
const NO_OPERATION: &[&str] = &[
    "defaults",
    "async",
    "nomand",
    "nolazytime",
    "noiversion",
    "loud",
    "nofail",
    "remount",
];

impl Options {
    pub(crate) fn parse<'a>(words: impl IntoIterator<Item = &'a String>) -> Self {
        let mut options = Self {
            own: Change::NONE,
            recursive: Change::NONE,
            bind: None,
            propagation: Vec::new(),
            copy_up: false,
            id_map: None,
            copy_symlink: false,
            source_nofollow: false,
            target_nofollow: false,
            flags: Vec::new(),
            data: Vec::new(),
        };
        for word in words {
            options.word(word);
        }
        options
    }

    fn word(&mut self, word: &str) {
        match word {
            "bind" => self.bind = self.bind.or(Some(Recursive::No)),
            "rbind" => self.bind = Some(Recursive::Yes),
            "tmpcopyup" => self.copy_up = true,
            "idmap" => self.id_map = Some(Recursive::No),
            "ridmap" => self.id_map = Some(Recursive::Yes),
            "copy-symlink" => self.copy_symlink = true,
            "src-nofollow" => self.source_nofollow = true,
            "dest-nofollow" => self.target_nofollow = true,
            _ if NO_OPERATION.contains(&word) => {}
            _ if self.attribute(word) || self.propagation(word) => {}
            _ => self.filesystem(word),
        }
    }

    fn attribute(&mut self, word: &str) -> bool {
        let find = |word: &str| ATTRIBUTES.iter().find(|(name, ..)| *name == word);
        if let Some((_, flag, on)) = find(word) {
            self.own.apply(*flag, *on);
            return true;
        }
        match word.strip_prefix('r').and_then(find) {
            Some((_, flag, on)) => {
                self.recursive.apply(*flag, *on);
                true
            }
            None => false,
        }
    }

    fn propagation(&mut self, word: &str) -> bool {
        let find = |word: &str| PROPAGATION.iter().find(|(name, _)| *name == word);
        let found = find(word).map(|(_, kind)| (*kind, Recursive::No));
        let below = |word| find(word).map(|(_, kind)| (*kind, Recursive::Yes));
        match found.or_else(|| word.strip_prefix('r').and_then(below)) {
            Some(kind) => {
                self.propagation.push(kind);
                true
            }
            None => false,
        }
    }

    fn filesystem(&mut self, word: &str) {
        if let Some(flag) = FLAGS.iter().find(|flag| **flag == word) {
            self.flags.push(flag);
            return;
        }
        self.data.push(match word.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => (word.to_owned(), None),
        });
    }
}

/// The words that [`Options`] understands by itself, for `features`.
pub(crate) fn known() -> Vec<String> {
    let attributes = ATTRIBUTES
        .iter()
        .flat_map(|(name, ..)| [(*name).to_owned(), format!("r{name}")]);
    let kinds = PROPAGATION
        .iter()
        .flat_map(|(name, _)| [(*name).to_owned(), format!("r{name}")]);
    let others = [
        "bind",
        "rbind",
        "tmpcopyup",
        "idmap",
        "ridmap",
        "copy-symlink",
        "src-nofollow",
        "dest-nofollow",
    ];
    let mut all: Vec<String> = attributes
        .chain(kinds)
        .chain(
            others
                .iter()
                .chain(FLAGS)
                .chain(NO_OPERATION)
                .map(|word| (*word).to_owned()),
        )
        .collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Options {
        Options::parse(&text.split(',').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn later_words_win() {
        let options = parse("ro,nosuid,rw");
        assert_eq!(options.own.set, Attr::MOUNT_ATTR_NOSUID);
        assert_eq!(options.own.clear, Attr::MOUNT_ATTR_RDONLY);
    }

    #[test]
    fn recursive_words_are_kept_apart() {
        let options = parse("rbind,rro,rslave,ro");
        assert_eq!(options.bind, Some(Recursive::Yes));
        assert_eq!(options.recursive.set, Attr::MOUNT_ATTR_RDONLY);
        assert_eq!(options.own.set, Attr::MOUNT_ATTR_RDONLY);
        assert_eq!(
            options.propagation,
            [(Propagation::DOWNSTREAM, Recursive::Yes)]
        );
    }

    #[test]
    fn access_time_is_one_field() {
        let options = parse("noatime,strictatime");
        assert_eq!(options.own.set, Attr::MOUNT_ATTR_STRICTATIME);
        assert_eq!(parse("noatime,relatime").own.set, Attr::MOUNT_ATTR_RELATIME);
        assert!(parse("rw").data.is_empty());
    }

    #[test]
    fn the_rest_is_for_the_filesystem() {
        let options = parse("mode=755,size=64k,newinstance,sync");
        assert_eq!(options.flags, ["sync"]);
        assert_eq!(options.data[0], ("mode".to_owned(), Some("755".to_owned())));
        assert_eq!(options.data[2], ("newinstance".to_owned(), None));
    }
}
