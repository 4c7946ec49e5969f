//! Separation: outcomes of success and failure that a column, or the levels of an index, predict without a fault.
//!
//! The likelihood then rises for ever with the coefficient (Albert, Anderson 1984, "On the existence of maximum
//! likelihood estimates in logistic regression models"), and the prior alone says how large it is. Effects whose sd is
//! learned are drawn to the other groups, and are not looked at.

use super::super::Lowering;
use super::Predictor;
use super::product::{Product, Width, joined};
use crate::data::short_number;
use crate::dist::Family;
use crate::lang::ast::{Expr, ExprKind};
use crate::lang::report::{Report, quoted};

/// A scale from which on the prior holds changes of the log odds beyond ±10 for likely, two sds: a probability of 0.99995.
const WIDE: f64 = 5.0;

/// The outcomes of a row.
#[derive(Debug, Clone, Copy)]
struct Row {
    successes: bool,
    failures: bool,
}

/// How a column splits successes from failures.
struct Split {
    /// The end of the mixed part, beyond which outcomes are all alike.
    at: f64,
    /// Whether it is the values above that are alike.
    above: bool,
    /// Whether those are successes.
    success: bool,
    /// Whether all others are alike too.
    complete: bool,
    /// Rows beyond.
    rows: usize,
}

impl<'a> Lowering<'a, '_> {
    /// Coefficients and levels that nothing but their prior bounds.
    pub(super) fn separations(&mut self, predictor: &Predictor<'a>) -> Vec<Report> {
        let Some(rows) = self.success_and_failure(predictor) else {
            return Vec::new();
        };
        let target = predictor.relation.target;
        let name = quoted(&target.name.text);
        if let Some(only) = alike(rows.iter()) {
            let word = if only { "success" } else { "failure" };
            return vec![
                Report::warning(
                    format!("every outcome of {name} is a {word}"),
                    target.span,
                    format!("{} rows, all alike", rows.len()),
                )
                .with_note("the data bound the probability on one side; the priors alone bound the other")
                .with_help("look whether this is the column that was meant"),
            ];
        }
        let mut reports = Vec::new();
        for product in &predictor.products {
            let Some(width) = self.width(product) else {
                continue;
            };
            if product.has_column {
                reports.extend(self.separated_column(predictor, product, width, &rows));
            } else {
                reports.extend(self.separated_levels(predictor, product, width, &rows));
            }
        }
        reports
    }

    fn success_and_failure(&mut self, predictor: &Predictor<'a>) -> Option<Vec<Row>> {
        let y = predictor.y.iter();
        let row = |y: f64, n: f64| Row {
            successes: y > 0.0,
            failures: y < n,
        };
        match predictor.relation.family {
            Family::Bernoulli => Some(y.map(|y| row(*y, 1.0)).collect()),
            Family::Binomial => {
                let trials: &'a Expr = predictor.relation.arguments[0];
                let n = self.multiplier(&[trials], predictor.plate, predictor.y.len())?;
                Some(y.zip(n).map(|(y, n)| row(*y, n)).collect())
            }
            Family::Normal
            | Family::HalfNormal
            | Family::Cauchy
            | Family::HalfCauchy
            | Family::StudentT
            | Family::HalfStudentT
            | Family::Exponential
            | Family::Gamma
            | Family::InvGamma
            | Family::Beta
            | Family::Uniform
            | Family::LogNormal
            | Family::Logistic
            | Family::Laplace
            | Family::Weibull
            | Family::Poisson
            | Family::NegBinomial
            | Family::Geometric
            | Family::BetaBinomial => None,
        }
    }

    /// A coefficient whose column splits successes from failures.
    fn separated_column(
        &mut self,
        predictor: &Predictor<'a>,
        product: &Product<'a>,
        width: Width,
        rows: &[Row],
    ) -> Option<Report> {
        // Slopes of groups are one column for each.
        if product.groups.is_some() {
            return None;
        }
        let plain: Vec<&'a Expr> = product.data.iter().map(|expr| uncentred(expr)).collect();
        let x = self.multiplier(&plain, predictor.plate, rows.len())?;
        let split = split(&x, rows)?;
        let name = joined(&plain, self.text);
        let low = x.iter().copied().fold(f64::INFINITY, f64::min);
        let high = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let two_values = x.iter().all(|x| *x == low || *x == high);
        let beyond = match (two_values, split.above) {
            (true, true) => format!("{name} is {}", short_number(high)),
            (true, false) => format!("{name} is {}", short_number(low)),
            (false, true) => format!("{name} is above {}", short_number(split.at)),
            (false, false) => format!("{name} is below {}", short_number(split.at)),
        };
        let span = product.column_span();
        let (ours, theirs) = if split.success {
            ("successes", "failures")
        } else {
            ("failures", "successes")
        };
        let others = if split.complete {
            format!(", and all others are {theirs}")
        } else {
            String::new()
        };
        let title = format!(
            "{} predicts {} without a fault",
            quoted(&name),
            quoted(&predictor.relation.target.name.text)
        );
        let label = match split.rows {
            1 => format!(
                "the one row where {beyond} is a {}{others}",
                if split.success { "success" } else { "failure" }
            ),
            rows => format!("where {beyond}, {rows} rows, all are {ours}{others}"),
        };
        let report = if width.scale * (high - low) > WIDE {
            Report::warning(title, span, label)
        } else {
            Report::note(title, span, label)
        };
        Some(self.bounded(report, product, width))
    }

    /// Levels whose outcomes are all alike.
    fn separated_levels(
        &mut self,
        predictor: &Predictor<'a>,
        product: &Product<'a>,
        width: Width,
        rows: &[Row],
    ) -> Option<Report> {
        let (plate, groups) = product.groups.as_ref()?;
        let mut levels = vec![
            Row {
                successes: false,
                failures: false
            };
            self.plates[*plate].len
        ];
        for (row, group) in rows.iter().zip(groups) {
            let level = &mut levels[*group as usize];
            level.successes |= row.successes;
            level.failures |= row.failures;
        }
        let alike: Vec<usize> = (0..levels.len())
            .filter(|level| levels[*level].successes != levels[*level].failures)
            .collect();
        let first = *alike.first()?;
        let name = &self.plates[*plate].name;
        let outcome = quoted(&predictor.relation.target.name.text);
        let ours = if levels[first].successes {
            "successes"
        } else {
            "failures"
        };
        let example = self.element_label(*plate, first);
        let title = format!(
            "{} of {} levels of {} predict {outcome} without a fault",
            alike.len(),
            levels.len(),
            quoted(name)
        );
        let label = format!("where {name} is {example}, all are {ours}");
        let report = if width.scale > WIDE {
            Report::warning(title, product.factor.span, label)
        } else {
            Report::note(title, product.factor.span, label)
        };
        Some(self.bounded(report, product, width))
    }

    fn bounded(&self, report: Report, product: &Product<'a>, width: Width) -> Report {
        let target = self.analysis.relations[product.parameter].target;
        let scale = short_number(width.scale);
        let help = if product.has_column {
            "choose that prior with care, and look how the result changes with another: Normal(0, 2.5) for a standardized \
             column already allows odds 150 times as high for each sd"
        } else {
            "choose that prior with care, or learn its scale from all levels, as in `a[g] ~ Normal(a_bar, sigma)`"
        };
        report
            .with_label(target.span, format!("its prior has a scale of {scale}"))
            .with_note("the likelihood has no maximum there: how large the effect is, the prior alone says")
            .with_help(help)
    }
}

/// What stands inside `center(…)` and `standardize(…)`, which move no row past another.
fn uncentred(expr: &Expr) -> &Expr {
    let ExprKind::Call(call) = &expr.kind else {
        return expr;
    };
    match call.args.as_slice() {
        [only] if ["center", "standardize"].contains(&call.name.text.as_str()) => &only.value,
        _ => expr,
    }
}

/// Whether all of the rows are successes (true) or failures (false); none for both.
fn alike<'r>(mut rows: impl Iterator<Item = &'r Row> + Clone) -> Option<bool> {
    if rows.clone().all(|row| !row.failures) {
        return Some(true);
    }
    rows.all(|row| !row.successes).then_some(false)
}

/// The split of successes from failures at one value of `x`, if there is one; none for a constant.
fn split(x: &[f64], rows: &[Row]) -> Option<Split> {
    let ends = |wanted: &dyn Fn(&Row) -> bool| {
        let own = || x.iter().zip(rows).filter(|(_, row)| wanted(row)).map(|(x, _)| *x);
        (
            own().fold(f64::INFINITY, f64::min),
            own().fold(f64::NEG_INFINITY, f64::max),
        )
    };
    let (low_success, high_success) = ends(&|row| row.successes);
    let (low_failure, high_failure) = ends(&|row| row.failures);
    // Rising: all failures at or below all successes. What is mixed shares one value.
    let (rising, falling) = (high_failure <= low_success, high_success <= low_failure);
    if !rising && !falling {
        return None;
    }
    let (low, high) = if rising {
        (high_failure, low_success)
    } else {
        (high_success, low_failure)
    };
    let complete = low < high;
    let above = x.iter().filter(|x| **x > low).count();
    let below = x.iter().filter(|x| **x < high).count();
    if above == 0 && below == 0 {
        return None;
    }
    let upper = above > 0;
    Some(Split {
        at: if upper { low } else { high },
        above: upper,
        success: rising == upper,
        complete,
        rows: if upper { above } else { below },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(x: &[f64], y: &[(bool, bool)]) -> Option<(f64, bool, bool, bool, usize)> {
        let rows: Vec<Row> = y
            .iter()
            .map(|(successes, failures)| Row {
                successes: *successes,
                failures: *failures,
            })
            .collect();
        split(x, &rows).map(|split| (split.at, split.above, split.success, split.complete, split.rows))
    }

    const SUCCESS: (bool, bool) = (true, false);
    const FAILURE: (bool, bool) = (false, true);
    const MIXED: (bool, bool) = (true, true);

    #[test]
    fn a_threshold_splits_rising_and_falling() {
        let x = [1.0, 4.0, 2.0, 3.0];
        let rising = of(&x, &[FAILURE, SUCCESS, FAILURE, SUCCESS]);
        assert_eq!(rising, Some((2.0, true, true, true, 2)));
        let falling = of(&x, &[SUCCESS, FAILURE, SUCCESS, SUCCESS]);
        assert_eq!(falling, Some((3.0, true, false, true, 1)));
        assert_eq!(of(&x, &[SUCCESS, SUCCESS, FAILURE, FAILURE]), None);
    }

    #[test]
    fn ties_at_the_threshold_are_quasi_separation() {
        // Successes alone where x is 1, both where it is 0.
        let quasi = of(&[0.0, 0.0, 1.0, 1.0], &[SUCCESS, FAILURE, SUCCESS, SUCCESS]);
        assert_eq!(quasi, Some((0.0, true, true, false, 2)));
        // Failures alone where x is 0, both where it is 1.
        let below = of(&[0.0, 0.0, 1.0], &[FAILURE, FAILURE, MIXED]);
        assert_eq!(below, Some((1.0, false, false, false, 2)));
        assert_eq!(of(&[0.0, 1.0], &[MIXED, MIXED]), None);
        assert_eq!(of(&[1.0, 1.0], &[SUCCESS, FAILURE]), None);
    }
}
