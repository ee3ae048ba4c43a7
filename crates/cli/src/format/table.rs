//! Columns of text, aligned as Go's `tabwriter` does for Docker.

const PADDING: usize = 3;

/// Aligns tab-separated lines. The last cell of a line is not padded and does not widen a column.
pub(super) fn align(lines: &[String]) -> String {
    align_from(10, lines)
}

/// The same for `top`, whose columns are wider.
pub(crate) fn wide(lines: &[String]) -> String {
    align_from(20, lines)
}

fn align_from(minimum: usize, lines: &[String]) -> String {
    let rows: Vec<Vec<&str>> = lines
        .iter()
        .map(|line| line.split('\t').collect())
        .collect();
    let mut widths = Vec::new();
    for row in &rows {
        for (column, cell) in row.iter().take(row.len() - 1).enumerate() {
            if widths.len() == column {
                widths.push(minimum);
            }
            widths[column] = widths[column].max(cell.chars().count() + PADDING);
        }
    }
    let mut out = String::new();
    for row in rows {
        let last = row.len() - 1;
        for (column, cell) in row.into_iter().enumerate() {
            out.push_str(cell);
            if column < last {
                let padding = widths[column].saturating_sub(cell.chars().count());
                out.extend(std::iter::repeat_n(' ', padding));
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns() {
        let lines = ["ID\tNAME\tX", "1234567890ab\t\tlong last cell", "é\tb\tc"];
        let text = align(&lines.map(ToOwned::to_owned));
        insta::assert_snapshot!(text, @r"
        ID             NAME      X
        1234567890ab             long last cell
        é              b         c
        ");
    }
}
