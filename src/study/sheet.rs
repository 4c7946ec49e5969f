//! What a study shows, for people: sections of sentences, tables and pictures, printed or as one page of HTML.

use crate::plot::Picture;
use crate::report::digits::{Places, number, places};
use crate::report::markup::{Align, Cell, Page, escaped};

/// A table: the first column holds names, the others numbers as they are printed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grid {
    /// The columns' titles.
    pub heads: Vec<String>,
    /// The cells.
    pub rows: Vec<Vec<String>>,
}

/// A picture with the stem of its file and a sentence about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The file's name without its ending.
    pub stem: String,
    /// What it shows.
    pub caption: String,
    /// The picture.
    pub picture: Picture,
}

/// A part of a sheet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// Sentences before the table, code between backticks.
    pub text: Vec<String>,
    /// The table; none without columns.
    pub grid: Grid,
    /// How many rows a terminal shows; the page has all.
    pub most: usize,
    /// Pictures, on the page alone.
    pub pictures: Vec<Shown>,
}

/// What a study shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    /// What the study is: `m12_2: calibration, 1000 replicates`.
    pub title: String,
    /// Whether nothing speaks against it.
    pub ok: bool,
    /// The verdict in a sentence.
    pub verdict: String,
    /// What speaks against it, and what else is to be known, each a sentence.
    pub messages: Vec<String>,
    /// The parts.
    pub sections: Vec<Section>,
}

impl Sheet {
    /// For a terminal.
    pub fn printed(&self) -> String {
        let mut text = format!("{}\n\n{}\n", self.title, self.verdict);
        for message in &self.messages {
            text.push_str(&format!("  - {message}\n"));
        }
        for section in &self.sections {
            if section.grid.heads.is_empty() && section.text.is_empty() {
                continue;
            }
            text.push_str(&format!("\n{}\n", section.title));
            for sentence in &section.text {
                text.push_str(&format!("{}\n", sentence.replace('`', "")));
            }
            text.push_str(&section.grid.aligned(section.most));
        }
        text
    }

    /// One page; `facts` are named facts about the run, `model` the text that was fitted.
    pub fn page(&self, facts: &[(String, String)], model: &str) -> String {
        let mut page = Page::new();
        page.paragraph("verdict", &self.verdict);
        page.list("notes", &self.messages);
        for section in &self.sections {
            page.heading(1, &section.title);
            for sentence in &section.text {
                page.paragraph("", sentence);
            }
            for shown in &section.pictures {
                page.raw(&format!(
                    "<figure>\n{}\n<figcaption>{}</figcaption>\n</figure>\n",
                    shown.picture.svg,
                    escaped(&shown.caption)
                ));
            }
            if !section.grid.heads.is_empty() {
                section.grid.on(&mut page);
            }
        }
        page.heading(1, "How it was run");
        let rows: Vec<Vec<Cell>> = facts
            .iter()
            .map(|(name, value)| vec![Cell::text(name), Cell::text(value)])
            .collect();
        page.table(&[("what", Align::Left), ("value", Align::Left)], &rows);
        page.heading(1, "The model");
        page.code(model);
        page.finish(&escaped(&self.title))
    }

    /// All pictures.
    pub fn pictures(&self) -> impl Iterator<Item = &Shown> {
        self.sections.iter().flat_map(|section| &section.pictures)
    }
}

impl Grid {
    fn aligned(&self, most: usize) -> String {
        let columns = self.heads.len();
        let shown = self.rows.len().min(most.max(1));
        let lines = || std::iter::once(&self.heads).chain(self.rows.iter().take(shown));
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                lines()
                    .map(|line| line[column].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for line in lines() {
            let cells: Vec<String> = line
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, &width))| {
                    let blanks = " ".repeat(width - cell.chars().count());
                    match column {
                        0 => format!("{cell}{blanks}"),
                        _ => format!("{blanks}{cell}"),
                    }
                })
                .collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        if shown < self.rows.len() {
            text.push_str(&format!(
                "… {} more rows in the tables\n",
                self.rows.len() - shown
            ));
        }
        text
    }

    fn on(&self, page: &mut Page) {
        let heads: Vec<(&str, Align)> = self
            .heads
            .iter()
            .enumerate()
            .map(|(column, head)| {
                (
                    head.as_str(),
                    if column == 0 { Align::Left } else { Align::Right },
                )
            })
            .collect();
        let rows: Vec<Vec<Cell>> = self
            .rows
            .iter()
            .map(|row| {
                let cells = row.iter().enumerate();
                cells
                    .map(|(column, cell)| match column {
                        0 => Cell::code(cell),
                        _ => Cell::number(cell, cell.parse().unwrap_or(f64::NAN)),
                    })
                    .collect()
            })
            .collect();
        page.table(&heads, &rows);
    }
}

/// A number with the digits that its Monte Carlo error leaves.
pub(super) fn measured(value: f64, mcse: f64) -> String {
    let places = match places(mcse, 2) {
        Places::Any => places(value.abs(), 3),
        known => known,
    };
    number(value, places)
}

/// A number with three significant digits.
pub(super) fn plain(value: f64) -> String {
    number(value, places(value.abs(), 3))
}
