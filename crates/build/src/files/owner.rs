//! `--chown` and `USER`: names looked up in the root file system's own tables.

use std::io::{self, Read as _};

use sys::root::RootDir;

use crate::domain::StepError;

/// A passwd or group file is read up to here.
const MAX_TABLE: u64 = 4 << 20;

/// The user and group ids that `text` (`user[:group]`, names or ids) means in `root`.
pub(crate) fn look_up(text: &str, root: Option<&RootDir>) -> Result<(u32, u32), StepError> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
        None => (text, None),
    };
    let (uid, own) = match user.parse::<u32>() {
        Ok(uid) => (uid, uid),
        Err(_) if user.is_empty() => (0, 0),
        Err(_) => find_user(user, root)?,
    };
    let gid = match group {
        None => own,
        Some(group) => match group.parse::<u32>() {
            Ok(gid) => gid,
            Err(_) => find_group(group, root)?,
        },
    };
    Ok((uid, gid))
}

fn find_user(name: &str, root: Option<&RootDir>) -> Result<(u32, u32), StepError> {
    let ids = find(root, "/etc/passwd", name)?.and_then(|fields| {
        let uid = fields.get(2)?.parse().ok()?;
        Some((uid, fields.get(3)?.parse().ok()?))
    });
    ids.ok_or_else(|| StepError::Invalid(format!("no user \"{name}\" in /etc/passwd of the image")))
}

fn find_group(name: &str, root: Option<&RootDir>) -> Result<u32, StepError> {
    let id = find(root, "/etc/group", name)?.and_then(|fields| fields.get(2)?.parse().ok());
    id.ok_or_else(|| StepError::Invalid(format!("no group \"{name}\" in /etc/group of the image")))
}

/// The fields of the line of `name` in a colon-separated table.
fn find(root: Option<&RootDir>, table: &str, name: &str) -> Result<Option<Vec<String>>, StepError> {
    let Some(root) = root else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    match root.open_file(table) {
        Ok(file) => file.take(MAX_TABLE).read_to_end(&mut bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => Err(error),
    }
    .map_err(StepError::file(format!("read {table} of the image")))?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text
        .lines()
        .find(|line| line.split(':').next() == Some(name));
    Ok(line.map(|line| line.split(':').map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("etc/passwd", "root:x:0:0::/:\napp:x:1000:1001::/:/bin/sh\n");
        write("etc/group", "root:x:0:\nweb:x:33:app\n");
        let root = RootDir::open(folder.path()).unwrap();
        for (text, expected) in [
            ("app", (1000, 1001)),
            ("app:web", (1000, 33)),
            ("7", (7, 7)),
            ("7:8", (7, 8)),
            ("7:web", (7, 33)),
            ("", (0, 0)),
        ] {
            assert_eq!(look_up(text, Some(&root)).unwrap(), expected, "{text}");
        }
        assert!(look_up("nobody", Some(&root)).is_err());
        assert!(look_up("app", None).is_err());
    }
}
