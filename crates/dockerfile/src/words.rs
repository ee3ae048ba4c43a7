//! Splitting an instruction into flags and words.
