//! The model: as mathematics, as text, its parameters with their priors.

use super::markup::{Align, Cell, Page};
use super::{Subject, mathematics, structure};

pub(super) fn section(page: &mut Page, depth: usize, subject: &Subject<'_>) {
    let run = &subject.fit().run;
    let lowered = subject.fitted.model().lowered();
    page.heading(depth, "Model");
    let columns: Vec<&str> = lowered
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    // The expansion is a model text by the lowering's promise; were it not, the text below would still say it all.
    if let Ok(equations) = mathematics::equations(&run.expansion, &columns) {
        page.raw(&equations);
    }
    let notes: Vec<String> = lowered
        .reports
        .reports
        .iter()
        .map(|report| report.title.clone())
        .collect();
    page.list("notes", &notes);

    page.part(depth, "Parameters and priors");
    let priors = structure::parameters(lowered);
    let rows: Vec<Vec<Cell>> = priors
        .iter()
        .map(|[name, size, support, prior]| {
            vec![
                Cell::code(name),
                Cell::text(size),
                Cell::text(support),
                Cell::code(prior),
            ]
        })
        .collect();
    let heads = [
        ("parameter", Align::Left),
        ("numbers", Align::Right),
        ("values", Align::Left),
        ("prior", Align::Left),
    ];
    page.table(&heads, &rows);

    let derived = structure::derived(lowered);
    if !derived.is_empty() {
        page.part(depth, "Derived quantities, from the draws");
        let rows: Vec<Vec<Cell>> = derived
            .iter()
            .map(|[name, size]| vec![Cell::code(name), Cell::text(size)])
            .collect();
        page.table(&[("quantity", Align::Left), ("numbers", Align::Right)], &rows);
    }

    page.part(depth, "As it was written");
    page.code(&run.model_text);
    page.part(depth, "With everything spelled out");
    page.code(&run.expansion);
}
