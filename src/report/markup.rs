//! Pieces of HTML. The page is well-formed XML too, so that a test can read it.

/// How every page begins.
pub(crate) const BEGIN: &str = "<!DOCTYPE html>";

/// What the page may load: nothing; what stands in it is allowed.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

/// Text that cannot end its element or its attribute; signs that XML 1.0 forbids are replaced.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(sign),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ if sign.is_control() => out.push('\u{fffd}'),
            _ => out.push(sign),
        }
    }
    out
}

/// A sentence in which what stands between backticks is code.
pub(crate) fn prose(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    let mut out = String::new();
    for (place, piece) in pieces.iter().enumerate() {
        match place % 2 {
            // An odd backtick at the end opens nothing.
            1 if place + 1 < pieces.len() => out.push_str(&format!("<code>{}</code>", escaped(piece))),
            1 => out.push_str(&format!("`{}", escaped(piece))),
            _ => out.push_str(&escaped(piece)),
        }
    }
    out
}

/// How the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A cell: its HTML, and what it is sorted by if not by that.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    pub(crate) html: String,
    pub(crate) value: Option<f64>,
}

impl Cell {
    /// Of a plain text.
    pub(crate) fn text(text: &str) -> Self {
        Self {
            html: escaped(text),
            value: None,
        }
    }

    /// Of a name or a piece of a model.
    pub(crate) fn code(text: &str) -> Self {
        let html = match text {
            "" => String::new(),
            text => format!("<code>{}</code>", escaped(text)),
        };
        Self { html, value: None }
    }

    /// Of a number as it is printed, sorted by all its digits.
    pub(crate) fn number(text: &str, value: f64) -> Self {
        Self {
            html: escaped(&text.replace('-', "\u{2212}").replace("e\u{2212}", "e-")),
            value: value.is_finite().then_some(value),
        }
    }

    /// Of a sentence with code between backticks.
    pub(crate) fn prose(text: &str) -> Self {
        Self {
            html: prose(text),
            value: None,
        }
    }
}

/// A table, scrolled sideways where it is too wide; `sortable` by a click where scripts run.
pub(crate) fn table(heads: &[(&str, Align)], rows: &[Vec<Cell>], sortable: bool) -> String {
    let class = |align: Align| match align {
        Align::Left => "",
        Align::Right => " class=\"n\"",
    };
    let mut out = format!(
        "<div class=\"wide\"><table{}><thead><tr>",
        if sortable { " class=\"sortable\"" } else { "" }
    );
    for (head, align) in heads {
        out.push_str(&format!(
            "<th scope=\"col\"{}>{}</th>",
            class(*align),
            escaped(head)
        ));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (cell, (_, align)) in row.iter().zip(heads) {
            let value = cell
                .value
                .map_or(String::new(), |value| format!(" data-value=\"{value}\""));
            out.push_str(&format!("<td{}{value}>{}</td>", class(*align), cell.html));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// A page that is being written.
pub(crate) struct Page {
    body: String,
    /// Depth, anchor and title, escaped, of every section.
    contents: Vec<(usize, String, String)>,
}

impl Page {
    pub(crate) fn new() -> Self {
        Self {
            body: String::new(),
            contents: Vec::new(),
        }
    }

    /// Adds HTML as it stands.
    pub(crate) fn raw(&mut self, html: &str) {
        self.body.push_str(html);
    }

    /// Adds a heading of depth 1 or 2, which the contents list.
    pub(crate) fn heading(&mut self, depth: usize, title: &str) {
        let level = depth + 1;
        let title = escaped(title);
        let anchor = format!("s{}", self.contents.len() + 1);
        self.body
            .push_str(&format!("<h{level} id=\"{anchor}\">{title}</h{level}>\n"));
        self.contents.push((depth, anchor, title));
    }

    /// Adds the heading of a part of a section of that depth.
    pub(crate) fn part(&mut self, depth: usize, title: &str) {
        let level = depth + 2;
        self.body
            .push_str(&format!("<h{level}>{}</h{level}>\n", escaped(title)));
    }

    /// Adds a paragraph of a class (or of none) whose text has code between backticks.
    pub(crate) fn paragraph(&mut self, class: &str, text: &str) {
        let class = match class {
            "" => String::new(),
            class => format!(" class=\"{class}\""),
        };
        self.body.push_str(&format!("<p{class}>{}</p>\n", prose(text)));
    }

    /// Adds sentences as a list; nothing if there are none.
    pub(crate) fn list(&mut self, class: &str, sentences: &[String]) {
        if sentences.is_empty() {
            return;
        }
        self.body.push_str(&format!("<ul class=\"{class}\">\n"));
        for sentence in sentences {
            self.body.push_str(&format!("<li>{}</li>\n", prose(sentence)));
        }
        self.body.push_str("</ul>\n");
    }

    /// Adds a table.
    pub(crate) fn table(&mut self, heads: &[(&str, Align)], rows: &[Vec<Cell>]) {
        self.body.push_str(&table(heads, rows, false));
    }

    /// Adds lines of code.
    pub(crate) fn code(&mut self, text: &str) {
        self.body
            .push_str(&format!("<pre><code>{}</code></pre>\n", escaped(text.trim_end())));
    }

    /// The whole file; the title is escaped already.
    pub(crate) fn finish(self, title: &str) -> String {
        let mut contents = String::new();
        for (depth, anchor, title) in &self.contents {
            contents.push_str(&format!("<a class=\"d{depth}\" href=\"#{anchor}\">{title}</a>\n"));
        }
        format!(
            "{BEGIN}\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta http-equiv=\"Content-Security-Policy\" \
             content=\"{POLICY}\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta \
             name=\"color-scheme\" content=\"light dark\"/>\n<meta name=\"generator\" content=\"tadpool {}\"/>\n<link \
             rel=\"icon\" href=\"data:,\"/>\n<title>{title}: report</title>\n<style>\n{}</style>\n</head>\n<body>\n<nav \
             aria-label=\"Contents\">\n{contents}</nav>\n<main>\n<h1>{title}</h1>\n{}</main>\n<script>\n{}</script>\n\
             </body>\n</html>\n",
            env!("CARGO_PKG_VERSION"),
            include_str!("page.css"),
            self.body,
            include_str!("page.js"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(
            escaped("<script>\"a\" & 'b'\u{1}"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;\u{fffd}"
        );
        assert_eq!(prose("use `--by <x>` now"), "use <code>--by &lt;x&gt;</code> now");
        assert_eq!(prose("an odd ` tick"), "an odd ` tick");
    }

    #[test]
    fn cells_are_sorted_by_all_their_digits() {
        let html = table(
            &[("x", Align::Right)],
            &[
                vec![Cell::number("-1.5", -1.52)],
                vec![Cell::number("-", f64::NAN)],
            ],
            true,
        );
        assert!(
            html.contains("<td class=\"n\" data-value=\"-1.52\">\u{2212}1.5</td>"),
            "{html}"
        );
        assert!(html.contains("<td class=\"n\">\u{2212}</td>"), "{html}");
    }

    #[test]
    fn script_and_style_are_free_of_what_xml_reads() {
        for text in [include_str!("page.js"), include_str!("page.css")] {
            assert!(!text.contains(['<', '&']), "{text}");
        }
    }
}
