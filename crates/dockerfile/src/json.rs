//! JSON arrays of strings, with the place of each.
