//! Names of containers and volumes.

use crate::Error;

/// `[a-zA-Z0-9][a-zA-Z0-9_.-]+`
pub(crate) fn is_valid(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest = bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    first && rest && name.len() > 1
}

/// Checks a container's name and takes the slash off that Docker allows in front.
pub(crate) fn check(name: &str) -> Result<&str, Error> {
    let bare = name.strip_prefix('/').unwrap_or(name);
    match is_valid(bare) {
        true => Ok(bare),
        false => Err(Error::ContainerName(bare.to_owned())),
    }
}

const QUALITIES: [&str; 32] = [
    "amber", "bold", "brisk", "bronze", "calm", "clear", "copper", "deep", "dusty", "early",
    "fair", "fresh", "gentle", "golden", "hardy", "keen", "kind", "light", "lucid", "mellow",
    "neat", "noble", "plain", "proud", "quiet", "rapid", "russet", "solid", "steady", "sunny",
    "warm", "wise",
];

const THINGS: [&str; 32] = [
    "anvil", "arch", "barge", "beacon", "beam", "bell", "bolt", "bridge", "cable", "chisel",
    "crane", "deck", "dock", "ferry", "forge", "girder", "hammer", "harbor", "hull", "keel",
    "ladle", "lathe", "mast", "mill", "pier", "pylon", "rivet", "sluice", "spire", "steel",
    "tower", "truss",
];

/// A name made of five random bits each; `attempt` puts a number behind it after a collision.
pub(crate) fn made_up(random: u64, attempt: u32) -> String {
    let pick = |shift: u32| usize::try_from((random >> shift) & 31).unwrap_or_default();
    let (quality, thing) = (QUALITIES[pick(0)], THINGS[pick(5)]);
    match attempt {
        0 => format!("{quality}_{thing}"),
        _ => format!("{quality}_{thing}{}", (random >> 10) % 10_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["ab", "a.b-c_d", "0x", "/web"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in ["", "a", "_a", "a b", "a/b", "//a", "ä1"] {
            assert!(check(name).is_err(), "{name}");
        }
        for random in 0..2000 {
            assert!(is_valid(&made_up(random, 0)));
            assert!(is_valid(&made_up(random << 7, 1)));
        }
    }
}
