//! What pictures are drawn from: fits, and the numbers chosen of them.

use crate::diag::{Chains, Interval, Prob, ess_bulk};
use crate::error::{Error, Result};
use crate::fit::layout::Quantity;
use crate::fit::{Fit, element_names, select};

/// A fit and what it is called in pictures.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The fit.
    pub fit: &'a Fit,
    /// Its name, the model's most often.
    pub name: &'a str,
}

/// How pictures are drawn.
#[derive(Debug, Clone)]
pub struct Options {
    /// Names and patterns of the numbers to show, as in [`crate::fit::select()`]; each kind has its own choice where there are
    /// none.
    pub vars: Vec<String>,
    /// Probability of intervals.
    pub prob: Prob,
    /// Their kind.
    pub interval: Interval,
    /// The outcome that predictions are of; the only one if none is named.
    pub outcome: Option<String>,
    /// Settings of covariates to predict, as [`crate::predict::Settings`] are written.
    pub grid: Option<String>,
    /// The group that `effects` draws a line for each level of.
    pub by: Option<String>,
    /// True values by the printed names of what has them.
    pub truth: Vec<(String, f64)>,
    /// Seed of new groups, new outcomes and draws from priors.
    pub seed: u64,
    /// The picture's width in SVG's pixels.
    pub width: f64,
    /// Pixels of the PNG for each of the SVG's.
    pub scale: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            vars: Vec::new(),
            prob: Prob::default(),
            interval: Interval::default(),
            outcome: None,
            grid: None,
            by: None,
            truth: Vec::new(),
            seed: 1,
            width: 760.0,
            scale: 2.0,
        }
    }
}

impl Options {
    /// `89 % HDI`.
    pub(super) fn interval_name(&self) -> String {
        let percent = 100.0 * self.prob.get();
        // Enough decimals for 0.999, without those that a product of floats leaves.
        let percent = format!("{percent:.4}");
        let percent = percent.trim_end_matches('0').trim_end_matches('.');
        match self.interval {
            Interval::Hdi => format!("{percent} % HDI"),
            Interval::Eti => format!("{percent} % interval (equal tails)"),
        }
    }
}

/// One number of a fit.
#[derive(Debug, Clone)]
pub(super) struct Element<'a> {
    /// With the data's own labels: `a_tank[1]`.
    pub(super) name: String,
    pub(super) quantity: &'a Quantity,
    place: usize,
    len: usize,
}

impl Element<'_> {
    /// The label of a number of a set with one axis.
    pub(super) fn label(&self) -> &str {
        let dim = self.quantity.dims.first();
        dim.and_then(|dim| dim.labels.get(self.place))
            .map_or("", String::as_str)
    }

    /// `[chain][draw]`.
    pub(super) fn draws(&self) -> Vec<f64> {
        self.quantity
            .values
            .iter()
            .skip(self.place)
            .step_by(self.len)
            .copied()
            .collect()
    }
}

/// The numbers of a quantity.
fn elements(quantity: &Quantity) -> impl Iterator<Item = Element<'_>> {
    let names = element_names(quantity);
    let len = names.len();
    names.into_iter().enumerate().map(move |(place, name)| Element {
        name,
        quantity,
        place,
        len,
    })
}

impl<'a> Source<'a> {
    /// Every number that the draws are kept of.
    pub(super) fn elements(&self) -> Vec<Element<'a>> {
        let quantities: &'a [Quantity] = &self.fit.posterior;
        quantities.iter().flat_map(elements).collect()
    }

    /// Whether a pattern chooses any number.
    pub fn knows(&self, pattern: &str) -> bool {
        self.chosen(&[pattern.to_owned()]).is_ok()
    }

    /// The numbers that `vars` choose; without any, those that are parameters.
    ///
    /// # Errors
    ///
    /// A user error for a pattern that chooses nothing.
    pub(super) fn chosen(&self, vars: &[String]) -> Result<Vec<Element<'a>>> {
        let all = self.elements();
        if vars.is_empty() {
            return Ok(all.into_iter().filter(|one| !one.quantity.derived).collect());
        }
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        let places = select(&names, vars).map_err(|error| {
            let fault = Error::user(format!("{} ({})", error.message(), self.name));
            match error.help() {
                Some(help) => fault.with_help(help),
                None => fault,
            }
        })?;
        Ok(places.into_iter().map(|place| all[place].clone()).collect())
    }

    /// The numbers that `vars` choose, `most` at most; without any, single parameters and of each set of them the one with
    /// the least effective draws, which says most about the sampling.
    ///
    /// # Errors
    ///
    /// A user error for a pattern that chooses nothing, and where they choose more than `most`.
    pub(super) fn telling(&self, vars: &[String], most: usize) -> Result<Vec<Element<'a>>> {
        if !vars.is_empty() {
            let chosen = self.chosen(vars)?;
            if chosen.len() > most {
                return Err(Error::user(format!(
                    "{} parameters of {} are chosen, and this picture has room for {most}",
                    chosen.len(),
                    self.name
                ))
                .with_help("choose fewer with --vars, such as --vars 'sigma*'"));
            }
            return Ok(chosen);
        }
        let mut kept: Vec<Element<'a>> = Vec::new();
        let quantities: &'a [Quantity] = &self.fit.posterior;
        for quantity in quantities.iter().filter(|quantity| !quantity.derived) {
            let mut worst: Option<(f64, Element<'a>)> = None;
            for one in elements(quantity) {
                let size = match one.len {
                    1 => 0.0,
                    _ => ess_bulk(Chains::new(&one.draws(), self.fit.run.chains)?),
                };
                // A number without an effective size never moved, and is the worst there is.
                let size = if size.is_nan() { f64::NEG_INFINITY } else { size };
                if worst.as_ref().is_none_or(|(least, _)| size < *least) {
                    worst = Some((size, one));
                }
            }
            kept.extend(worst.map(|(_, one)| one));
        }
        // Single parameters come first: they say more about a model than one of many effects.
        kept.sort_by_key(|one| one.len > 1);
        kept.truncate(most);
        Ok(kept)
    }

    /// The names of at most `most` numbers that say most about the sampling, if there are more such; else none.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub(crate) fn most_telling(&self, most: usize) -> Result<Vec<String>> {
        let sets = self.fit.posterior.iter().filter(|quantity| !quantity.derived);
        if sets.count() <= most {
            return Ok(Vec::new());
        }
        let telling = self.telling(&[], most)?;
        Ok(telling.into_iter().map(|one| one.name).collect())
    }

    /// What the defaults of [`Source::telling`] are, for captions.
    pub(super) fn telling_note(vars: &[String]) -> &'static str {
        if vars.is_empty() {
            "; of sets of parameters the one with the lowest ESS"
        } else {
            ""
        }
    }

    /// Every draw that diverged, by its place in `[chain][draw]`; none where the draws' statistics were not kept.
    pub(super) fn divergent(&self) -> Vec<usize> {
        self.fit.sample_stats.as_ref().map_or(Vec::new(), |stats| {
            (0..stats.diverging.len())
                .filter(|&place| stats.diverging[place])
                .collect()
        })
    }
}
