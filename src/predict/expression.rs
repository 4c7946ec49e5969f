//! Expressions over the parameters, in the model's own language: `inv_logit(a)`, `total[actor] = a + a_actor[actor]`.

use super::fitted::{Fitted, Options, Told};
use super::forward::Values;
use super::groups::{Groups, positions};
use super::kind::Kind;
use crate::error::{Error, Result};
use crate::fit::layout::{Dimension, Quantity};
use crate::lang::ast::StatementKind;
use crate::lang::{self, View};

/// The values of each expression at every draw, as derived quantities of the fit.
///
/// An expression goes by its own text, one with a name in front (`NAME = …`, `NAME[index] = …`) by that.
///
/// # Errors
///
/// A user error with all findings about an expression, at their places.
pub fn expressions(fitted: &Fitted<'_>, texts: &[String]) -> Result<Vec<Quantity>> {
    texts.iter().map(|text| expression(fitted, text)).collect()
}

fn expression(fitted: &Fitted<'_>, text: &str) -> Result<Quantity> {
    let fit = fitted.fit();
    let model = &fit.run.model_text;
    let named = has_name(text);
    let mut line = text.trim().to_owned();
    if !named {
        let mut name = "expression".to_owned();
        while model.contains(&name) || text.contains(&name) {
            name.push('_');
        }
        line = format!("{name} = {line}");
    }
    // The line stands behind the model's end, so that places in the model stay what they are.
    let blank: String = model
        .bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect();
    let source = format!("{model}\n{line}\n");
    let parsed = lang::parse("--expr", &format!("{blank}\n{line}\n"))?;
    let statement = match parsed.statements.as_slice() {
        [one] if matches!(one.kind, StatementKind::Definition(_)) => one.clone(),
        [..] => {
            return Err(Error::user(format!("`{text}` is no expression"))
                .with_help("write `inv_logit(a)`, or with a name `total[actor] = a + a_actor[actor]`"));
        }
    };
    let name = match &statement.kind {
        StatementKind::Definition(definition) => definition.target.name.text.clone(),
        StatementKind::Stochastic(_)
        | StatementKind::Index(_)
        | StatementKind::Table(_)
        | StatementKind::DropMissing(_)
        | StatementKind::Setting(_)
        | StatementKind::Glm(_) => return Err(Error::bug("a definition was lost")),
    };
    let mut tree = fitted.tree.clone();
    tree.statements.push(statement);
    let known = &fitted.model.lowered().known;
    let columns: Vec<&str> = fitted.observed().names().collect();
    let view = View::Observed { known, before: 0 };
    let forward = lang::lower_forward(
        &tree,
        ("--expr", &source),
        fitted.observed(),
        &columns,
        view,
        Some(&[&name]),
    )
    .map_err(Error::from)?;
    let Some(definition) = forward.definitions.first() else {
        return Err(Error::bug("a definition was lost"));
    };
    // Every level is known, so nothing is drawn.
    let options = Options {
        kind: Kind::Link,
        groups: Groups::Sample,
        outcome: None,
        seed: 0,
    };
    let positions = positions(fit, &forward, &options, &mut Told::default())?;
    let values = Values::of(&forward.graph, &[definition.value], &positions)?;
    let elements: usize = definition.dims.iter().map(|dim| dim.labels.len()).product();
    let mut all = vec![0.0; elements * fitted.draws()];
    for draw in 0..fitted.draws() {
        for element in 0..elements {
            values.read(0, draw, element, &mut all[draw * elements + element..][..1]);
        }
    }
    Ok(Quantity {
        name: match (named, definition.dims.is_empty()) {
            (true, _) => name,
            (false, true) => text.trim().to_owned(),
            (false, false) => format!("({})", text.trim()),
        },
        dims: definition
            .dims
            .iter()
            .map(|dim| Dimension {
                name: dim.name.clone(),
                labels: dim.labels.clone(),
            })
            .collect(),
        derived: true,
        values: all,
    })
}

/// Whether the text is `NAME = …` rather than an expression that compares.
fn has_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut depth = 0;
    (0..bytes.len()).any(|at| {
        match bytes[at] {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'=' if depth == 0 => {
                let before = at.checked_sub(1).map(|before| bytes[before]);
                let compares = matches!(before, Some(b'=' | b'<' | b'>' | b'!'));
                return !compares && bytes.get(at + 1) != Some(&b'=');
            }
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_no_names() {
        for (text, named) in [
            ("inv_logit(a)", false),
            ("x = a", true),
            ("x[g] = a == 1", true),
            ("a == 1", false),
            ("a >= 1", false),
            ("a != b", false),
            ("logit(p) = a", true),
        ] {
            assert_eq!(has_name(text), named, "{text}");
        }
    }
}
