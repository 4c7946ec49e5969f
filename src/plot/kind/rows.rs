//! The rows of a fit, predicted, and what was observed in them.

use super::super::chart::groups::{Group, Measure, Panel};
use super::super::source::{Options, Source};
use crate::error::{Error, Result};
use crate::fit::netcdf::Values;
use crate::predict::{self, Fitted, Grouping, Groups, Nature, Rows, Spread, Told};

/// A fit that predicts, with its outcome.
pub(super) struct Predicted<'f> {
    pub(super) fitted: Fitted<'f>,
    pub(super) nature: Nature,
    /// `[row]`.
    pub(super) observed: Vec<f64>,
    /// Trials of each row; 1 where nothing is counted.
    pub(super) sizes: Vec<f64>,
    /// What is measured: `surv / density` has no name in the data, so `share of surv`.
    pub(super) measured: String,
    outcome: Option<String>,
    seed: u64,
}

impl<'f> Predicted<'f> {
    pub(super) fn of(fit: &Source<'f>, options: &Options) -> Result<Self> {
        let fitted = Fitted::new(fit.fit)?;
        let asked = predict::Options {
            kind: predict::Kind::Mean,
            groups: Groups::Sample,
            outcome: options.outcome.clone(),
            seed: options.seed,
        };
        let nature = fitted.nature(&asked)?;
        let observed = fit
            .fit
            .observed
            .iter()
            .find(|array| array.name == nature.name)
            .and_then(|array| numbers(&array.values))
            .filter(|values| nature.is_by_row && values.len() == fitted.observed().rows())
            .ok_or_else(|| {
                Error::user(format!(
                    "{}: rows share values of the outcome `{}`, and this picture needs one for each row",
                    fit.name, nature.name
                ))
                .with_help("repeat the outcome in a column of rows")
            })?;
        let sizes = match &nature.trials {
            Some(trials) => trials.clone(),
            None => vec![1.0; observed.len()],
        };
        let measured = match nature.is_share {
            true => format!("share of {}", nature.name),
            false => nature.name.clone(),
        };
        Ok(Self {
            fitted,
            nature,
            observed,
            sizes,
            measured,
            outcome: options.outcome.clone(),
            seed: options.seed,
        })
    }

    pub(super) fn measure(&self) -> Measure<'_> {
        Measure {
            name: &self.measured,
            is_share: self.nature.is_share,
        }
    }

    pub(super) fn asked(&self, kind: predict::Kind, groups: Groups) -> predict::Options {
        predict::Options {
            kind,
            groups,
            outcome: self.outcome.clone(),
            seed: self.seed,
        }
    }

    /// The rows' predictions, each handed to `each` with its draws.
    pub(super) fn predict(
        &self,
        rows: Rows<'_>,
        options: &predict::Options,
        each: &mut dyn FnMut(usize, &[f64]),
    ) -> Result<()> {
        self.fitted
            .predict(rows, options, 0, &mut Told::default(), &mut |row, draws| {
                each(row, draws);
                Ok(())
            })
    }

    /// For each grouping and each of its levels the draws of what is predicted, for each trial; `each` sees every row.
    pub(super) fn by_group(
        &self,
        groupings: &[Grouping],
        kind: predict::Kind,
        each: &mut dyn FnMut(usize, &[f64]),
    ) -> Result<Vec<Vec<Vec<f64>>>> {
        let draws = self.fitted.draws();
        let mut sums: Vec<Vec<Vec<f64>>> = groupings
            .iter()
            .map(|grouping| vec![vec![0.0; draws]; grouping.labels.len()])
            .collect();
        let table = self.fitted.observed();
        self.predict(
            Rows::Observed(table),
            &self.asked(kind, Groups::Sample),
            &mut |row, values| {
                for (grouping, sums) in groupings.iter().zip(&mut sums) {
                    for (sum, x) in sums[grouping.codes[row]].iter_mut().zip(values) {
                        *sum += x;
                    }
                }
                each(row, values);
            },
        )?;
        for (grouping, sums) in groupings.iter().zip(&mut sums) {
            for (level, sum) in sums.iter_mut().enumerate() {
                let size = self.total(grouping, level, &self.sizes);
                sum.iter_mut().for_each(|x| *x /= size);
            }
        }
        Ok(sums)
    }

    /// The sum of rows' numbers over a level.
    fn total(&self, grouping: &Grouping, level: usize, of_rows: &[f64]) -> f64 {
        let rows = grouping.codes.iter().zip(of_rows);
        rows.filter(|(code, _)| **code == level).map(|(_, x)| x).sum()
    }

    /// What was observed in each level beside the draws of what the model says, `[level][draw]`; levels without rows
    /// are left out.
    pub(super) fn panel(&self, grouping: &Grouping, says: &[Vec<f64>], options: &Options) -> Panel {
        let groups = (0..grouping.labels.len())
            .filter_map(|level| {
                let size = self.total(grouping, level, &self.sizes);
                if !(size > 0.0) {
                    return None;
                }
                let spread = Spread::of(&says[level], options.interval, options.prob);
                Some(Group {
                    label: grouping.labels[level].clone(),
                    size,
                    observed: self.total(grouping, level, &self.observed) / size,
                    mean: spread.mean,
                    interval: (spread.lower, spread.upper),
                })
            })
            .collect();
        Panel {
            index: grouping.index.clone(),
            groups,
            overall: None,
        }
    }

    /// The groups of the rows.
    ///
    /// # Errors
    ///
    /// A user error if there are none, or too many to draw.
    pub(super) fn groupings(&self, name: &str) -> Result<Vec<Grouping>> {
        const MOST: usize = 2000;
        let mut found = self.fitted.groupings();
        if found.is_empty() {
            return Err(Error::user(format!(
                "{name} has no groups: no parameter is indexed by a column"
            ))
            .with_help("this picture is of models such as `logit(p) = a[tank]`"));
        }
        found.retain(|grouping| grouping.labels.len() <= MOST);
        if found.is_empty() {
            return Err(Error::user(format!(
                "the groups of {name} are more than the {MOST} that can be drawn"
            )));
        }
        Ok(found)
    }

    /// A label that no level has, of the kind that the others are.
    pub(super) fn new_label(grouping: &Grouping) -> String {
        let numbers: Option<Vec<f64>> = grouping.labels.iter().map(|label| label.parse().ok()).collect();
        match numbers {
            Some(numbers) => format!("{}", numbers.iter().copied().fold(0.0, f64::max).floor() + 1.0),
            None => {
                let mut label = "new".to_owned();
                while grouping.labels.contains(&label) {
                    label.push('_');
                }
                label
            }
        }
    }
}

/// Observed and predicted means of an outcome, over all rows and level by level.
pub(crate) struct Means {
    /// What is measured: the outcome, or its share of the trials.
    pub(crate) measured: String,
    /// All rows together.
    pub(crate) all: Panel,
    /// Each grouping of the rows that has parameters.
    pub(crate) by_group: Vec<Panel>,
}

/// Observed and predicted means of the outcome, where groupings have at most `most` levels.
///
/// # Errors
///
/// A user error where the rows share values of the outcome, or where its mean does not exist.
pub(crate) fn means(fit: &Source<'_>, options: &Options, most: usize) -> Result<Means> {
    let predicted = Predicted::of(fit, options)?;
    let rows = predicted.observed.len();
    let mut groupings = vec![Grouping {
        index: String::new(),
        labels: vec![String::new()],
        codes: vec![0; rows],
    }];
    let of_rows = predicted.fitted.groupings().into_iter();
    groupings.extend(of_rows.filter(|grouping| grouping.labels.len() <= most));
    let says = predicted.by_group(&groupings, predict::Kind::Mean, &mut |_, _| {})?;
    let mut panels = groupings
        .iter()
        .zip(&says)
        .map(|(grouping, says)| predicted.panel(grouping, says, options));
    let all = panels
        .next()
        .ok_or_else(|| Error::bug("the grouping of all rows was lost"))?;
    let by_group = panels.collect();
    Ok(Means {
        measured: predicted.measured,
        all,
        by_group,
    })
}

/// An array of numbers.
fn numbers(values: &Values<'_>) -> Option<Vec<f64>> {
    match values {
        Values::F64(values) => Some(values.to_vec()),
        Values::F32(values) => Some(values.iter().map(|x| f64::from(*x)).collect()),
        Values::I64(values) => Some(values.iter().map(|x| *x as f64).collect()),
        Values::Bool(_) | Values::Text(_) => None,
    }
}
