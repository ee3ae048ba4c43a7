//! The table.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::sample::Sample;

/// Marks in the file between which the tables stand.
const BEGIN: &str = "<!-- tables: cargo xtask bench -->";
const END: &str = "<!-- end of tables -->";

/// Collects cases as Markdown.
pub(crate) struct Report {
    text: String,
    facts: String,
    missing: Vec<String>,
}

impl Report {
    pub(crate) fn new(docker: Option<String>) -> Self {
        let mut report = Self {
            text: String::new(),
            facts: String::new(),
            missing: Vec::new(),
        };
        match docker {
            Some(version) => report.text = format!("Peer: {version}.\n"),
            None => report.missing("dockerd"),
        }
        report
    }

    /// A peer that the machine does not have.
    pub(crate) fn missing(&mut self, peer: &str) {
        self.missing.push(peer.to_owned());
    }

    /// One case: the first sample is ours, the ratios are ours to each other one.
    pub(crate) fn add(&mut self, title: &str, samples: &[Sample]) {
        let ours = samples
            .first()
            .map(Sample::median)
            .unwrap_or_default()
            .as_secs_f64();
        let mut table =
            format!("\n{title}\n\n| | median ms | p90 ms | ours ÷ this |\n|---|---|---|---|\n");
        for sample in samples {
            let median = sample.median().as_secs_f64();
            // Writing into a String cannot fail.
            let _ = writeln!(
                table,
                "| {} | {:.1} | {:.1} | {:.2} |",
                sample.name,
                median * 1e3,
                sample.percentile(90).as_secs_f64() * 1e3,
                ours / median
            );
        }
        print(&table);
        self.text.push_str(&table);
    }

    /// One measured value without a peer.
    pub(crate) fn fact(&mut self, name: &str, value: &str) {
        print(&format!("{name}: {value}"));
        self.facts.push_str(&format!("| {name} | {value} |\n"));
    }

    /// Puts the tables into `file`, if there is one.
    pub(crate) fn finish(self, file: Option<&Path>) -> Result<()> {
        let Some(file) = file else { return Ok(()) };
        let mut tables = self.text;
        if !self.facts.is_empty() {
            tables.push_str(&format!("\n| | |\n|---|---|\n{}", self.facts));
        }
        if !self.missing.is_empty() {
            tables.push_str(&format!(
                "\nNot on this machine: {}.\n",
                self.missing.join(", ")
            ));
        }
        let old = fs::read_to_string(file)?;
        let (before, rest) = old.split_once(BEGIN).unwrap_or((&old, ""));
        let after = rest.split_once(END).map_or("\n", |(_, after)| after);
        fs::write(file, format!("{before}{BEGIN}\n\n{tables}\n{END}{after}"))?;
        Ok(())
    }
}

#[expect(clippy::print_stdout, reason = "a tool for the terminal")]
fn print(text: &str) {
    println!("{text}");
}
