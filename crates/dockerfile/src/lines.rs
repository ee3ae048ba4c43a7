//! Logical lines: continuations joined, comments dropped, every byte still mapped to the file.
