//! `user[:group]` against the container's own `/etc/passwd` and `/etc/group`.
//!
//! The texts come from an image and are not trusted: a line that does not parse is not there.

use crate::Error;

/// Who a process runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Supplementary groups, the main one first.
    pub(crate) groups: Vec<u32>,
    /// Home folder.
    pub(crate) home: String,
}

impl Identity {
    /// Finds `user[:group]` and the further groups.
    pub(crate) fn resolve(
        user: &str,
        groups: &[String],
        passwd: &str,
        group: &str,
    ) -> Result<Self, Error> {
        let (user, main) = match user.split_once(':') {
            Some((user, main)) => (user, Some(main).filter(|main| !main.is_empty())),
            None => (user, None),
        };
        let user = if user.is_empty() { "0" } else { user };
        let entry = find_user(user, passwd);
        let uid = match (&entry, user.parse::<u32>()) {
            (Some(entry), _) => entry.uid,
            (None, Ok(uid)) if i32::try_from(uid).is_ok() => uid,
            _ => return Err(no_such("user", user, "passwd")),
        };
        let (gid, mut list) = match main {
            Some(main) => (find_group(main, group)?, Vec::new()),
            None => {
                let name = entry.as_ref().map(|entry| entry.name);
                (
                    entry.as_ref().map_or(0, |entry| entry.gid),
                    memberships(name, group),
                )
            }
        };
        list.insert(0, gid);
        for name in groups {
            list.push(find_group(name, group)?);
        }
        let mut seen = std::collections::BTreeSet::new();
        list.retain(|gid| seen.insert(*gid));
        Ok(Self {
            uid,
            gid,
            groups: list,
            home: entry.map_or("/", |entry| entry.home).to_owned(),
        })
    }
}

struct Entry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// By name first: a user may be called `1000`.
fn find_user<'a>(user: &str, passwd: &'a str) -> Option<Entry<'a>> {
    let entries = || {
        passwd.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            let home = fields.nth(1).filter(|home| !home.is_empty()).unwrap_or("/");
            Some(Entry {
                name,
                uid,
                gid,
                home,
            })
        })
    };
    let number = user.parse::<u32>().ok();
    entries()
        .find(|entry| entry.name == user)
        .or_else(|| entries().find(|entry| Some(entry.uid) == number))
}

fn groups(group: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    group.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let gid = fields.nth(1)?.parse().ok()?;
        Some((name, gid, fields.next().unwrap_or_default()))
    })
}

fn find_group(name: &str, group: &str) -> Result<u32, Error> {
    let named = groups(group)
        .find(|(known, ..)| *known == name)
        .map(|(_, gid, _)| gid);
    let number = || {
        name.parse::<u32>()
            .ok()
            .filter(|gid| i32::try_from(*gid).is_ok())
    };
    named
        .or_else(number)
        .ok_or_else(|| no_such("group", name, "group"))
}

fn memberships(user: Option<&str>, group: &str) -> Vec<u32> {
    let Some(user) = user else {
        return Vec::new();
    };
    groups(group)
        .filter(|(_, _, members)| members.split(',').any(|member| member == user))
        .map(|(_, gid, _)| gid)
        .collect()
}

fn no_such(kind: &'static str, name: &str, table: &'static str) -> Error {
    Error::NoSuchUser {
        kind,
        name: name.to_owned(),
        table,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:1000:1001::/home/app:\nn:x:x:1\n7:x:70:70::/seven:";
    const GROUP: &str = "root:x:0:\nwheel:x:10:root,app\napp:x:1001:\naudio:x:29:app\n";

    fn resolve(user: &str, more: &[&str]) -> Result<(u32, u32, Vec<u32>, String), Error> {
        let more: Vec<String> = more.iter().map(|&name| name.to_owned()).collect();
        let found = Identity::resolve(user, &more, PASSWD, GROUP)?;
        Ok((found.uid, found.gid, found.groups, found.home))
    }

    #[test]
    fn finds_users() {
        for (user, uid, gid, groups, home) in [
            ("", 0, 0, vec![0, 10], "/root"),
            ("root", 0, 0, vec![0, 10], "/root"),
            ("app", 1000, 1001, vec![1001, 10, 29], "/home/app"),
            ("1000", 1000, 1001, vec![1001, 10, 29], "/home/app"),
            ("1234", 1234, 0, vec![0], "/"),
            ("app:audio", 1000, 29, vec![29], "/home/app"),
            ("5:6", 5, 6, vec![6], "/"),
            ("7", 70, 70, vec![70], "/seven"),
            (":29", 0, 29, vec![29], "/root"),
        ] {
            assert_eq!(
                resolve(user, &[]).unwrap(),
                (uid, gid, groups, home.into()),
                "{user}"
            );
        }
        assert_eq!(
            resolve("app", &["wheel", "50"]).unwrap().2,
            [1001, 10, 29, 50]
        );
    }

    #[test]
    fn says_what_is_missing() {
        let text = |user: &str| resolve(user, &[]).unwrap_err().to_string();
        assert_eq!(
            text("who"),
            "unable to find user who: no matching entries in passwd file"
        );
        assert_eq!(
            text("app:who"),
            "unable to find group who: no matching entries in group file"
        );
        assert!(resolve("4294967295", &[]).is_err());
        assert!(resolve("-1", &[]).is_err());
    }
}
