//! How rows and documents become text: Go templates, tables, human sizes and times.
//!
//! Pure: the clock and the time zone are arguments, and nothing here writes to a stream.

mod functions;
pub(crate) mod json;
mod list;
pub(crate) mod size;
mod table;
mod template;
pub(crate) mod time;

pub(crate) use list::{List, Row, Style};
pub(crate) use table::wide as wide_table;
pub(crate) use template::Template;
