//! The draws as the CSV files of CmdStan, one for each chain: comments, names, rows, comments.
//!
//! The format is that of the CmdStan guide, chapter "Stan CSV file format", as CmdStanPy, cmdstanr, ArviZ and
//! `stansummary` read it. What tadpool does not know is left out (the version of Stan, initial values, times of single
//! chains), and where names or numbers differ in meaning it is said here:
//!
//! - `lp__` is tadpool's log density: with all normalising constants, over its own unconstrained coordinates. Stan's may
//!   differ by a constant, and more where an effect is not centred.
//! - `treedepth__` is the number of whole doublings that the steps amount to, ⌊log2(`n_leapfrog__` + 1)⌋; it is one more
//!   than Stan's where the last doubling was refused only at its last step.
//! - Ensemble HMC is Stan's `static` engine, with its column `int_time__` (steps times step size), and `divergent__`.
//! - The inverse mass matrix is the diagonal part of the metric over tadpool's coordinates.
//! - The elapsed times are those of all chains together.
//! - Elements are counted from 1 in the order of their labels, columns with the first index fastest.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::draws::{Column, Draws};
use crate::data::{is_pair_axis, number_label, printed_label};
use crate::error::{Error, Result};
use crate::fit::Fit;
use crate::fit::layout::{Quantity, SampleStats};
use crate::fit::netcdf::Values;
use crate::sampler::MAX_DEPTH;

/// What is written of a fit for CmdStan's readers.
#[derive(Debug)]
pub struct CmdStan<'a> {
    fit: &'a Fit,
    stats: &'a SampleStats,
    /// In Stan's order.
    columns: Vec<Column<'a>>,
    /// Stan's names of the columns.
    names: Vec<String>,
}

impl<'a> CmdStan<'a> {
    /// Checks that the chosen numbers can be named as Stan names its own.
    ///
    /// # Errors
    ///
    /// A user error where only some elements of an array are chosen, which readers take for a damaged file; where two
    /// names are the same in Stan's letters; and for a fit without the sampler's statistics.
    pub fn new(draws: &Draws<'a>) -> Result<Self> {
        let fit = draws.fit;
        let stats = fit.sample_stats.as_ref().ok_or_else(|| {
            Error::user("the fit holds no statistics of its draws, which CmdStan's format needs")
                .with_help("use `--to csv` or `--to parquet`, or fit again")
        })?;
        let (mut columns, mut names): (Vec<Column<'a>>, Vec<String>) = (Vec::new(), Vec::new());
        let mut rest = draws.columns.as_slice();
        while let Some(first) = rest.first() {
            let quantity = first.quantity;
            let chosen = rest
                .iter()
                .take_while(|column| std::ptr::eq(column.quantity, quantity))
                .count();
            if chosen != first.len {
                return Err(Error::user(format!(
                    "{chosen} of the {} elements of `{}` are chosen, and CmdStan's readers expect all of them",
                    first.len, quantity.name
                ))
                .with_help(format!(
                    "choose `{}`, or use `--to csv` or `--to parquet`",
                    quantity.name
                )));
            }
            for (element, subscripts) in column_major(quantity) {
                let mut name = stan_name(&quantity.name);
                for subscript in subscripts {
                    name.push_str(&format!(".{subscript}"));
                }
                names.push(name);
                columns.push(rest[element].clone());
            }
            rest = &rest[chosen..];
        }
        for (place, name) in names.iter().enumerate() {
            if let Some(other) = names[..place].iter().position(|other| other == name) {
                return Err(Error::user(format!(
                    "`{}` and `{}` would both be called `{name}` in Stan's letters",
                    columns[other].name, columns[place].name
                ))
                .with_help("choose one of them, or use `--to csv` or `--to parquet`"));
            }
        }
        Ok(Self {
            fit,
            stats,
            columns,
            names,
        })
    }

    /// The number of chains, each a file.
    pub fn chains(&self) -> usize {
        self.fit.run.chains
    }

    /// Writes the file of a chain, counted from 0.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn write(&self, chain: usize, to: &mut dyn Write) -> io::Result<()> {
        let is_nuts = self.fit.run.sampler == "nuts";
        to.write_all(self.head(chain, is_nuts).as_bytes())?;
        let steps: &[&str] = if is_nuts {
            &["treedepth__", "n_leapfrog__"]
        } else {
            &["int_time__"]
        };
        let names = ["lp__", "accept_stat__", "stepsize__"]
            .into_iter()
            .chain(steps.iter().copied())
            .chain(["divergent__", "energy__"])
            .chain(self.names.iter().map(String::as_str));
        writeln!(to, "{}", names.collect::<Vec<_>>().join(","))?;
        to.write_all(self.adaptation(chain).as_bytes())?;
        let draws = self.fit.run.draws;
        let stats = self.stats;
        for row in chain * draws..(chain + 1) * draws {
            for known in [stats.lp[row], stats.acceptance_rate[row], stats.step_size[row]] {
                write!(to, "{},", number_label(known))?;
            }
            let steps = stats.n_steps[row];
            if is_nuts {
                // At most 2^MAX_DEPTH − 1 steps, and one at least.
                write!(to, "{},{steps},", steps.saturating_add(1).max(1).ilog2())?;
            } else {
                write!(to, "{},", number_label(steps as f64 * stats.step_size[row]))?;
            }
            write!(
                to,
                "{},{}",
                u8::from(stats.diverging[row]),
                number_label(stats.energy[row])
            )?;
            for column in &self.columns {
                write!(to, ",{}", number_label(column.at(row)))?;
            }
            writeln!(to)?;
        }
        let seconds = |key: &str| self.fit.run.timing.get(key).and_then(serde_json::Value::as_f64);
        writeln!(to, "# ")?;
        if let (Some(warmup), Some(sampling)) = (seconds("warmup_seconds"), seconds("sampling_seconds")) {
            writeln!(to, "#  Elapsed Time: {warmup:.3} seconds (Warm-up)")?;
            writeln!(to, "#                {sampling:.3} seconds (Sampling)")?;
            writeln!(to, "#                {:.3} seconds (Total)", warmup + sampling)?;
            writeln!(to, "# ")?;
        }
        Ok(())
    }

    /// The comments that say how the draws came about.
    fn head(&self, chain: usize, is_nuts: bool) -> String {
        let run = &self.fit.run;
        let stride = self.fit.streamed.as_ref().map_or(1, |streamed| streamed.stride);
        let thin = run.thin * stride;
        // Writing to a String cannot fail.
        let mut head = format!(
            "# written by tadpool {}\n# model = {}\n# method = sample\n#   sample\n",
            run.version,
            comment(&run.model_name)
        );
        head.push_str(&format!(
            "#     num_samples = {}\n#     num_warmup = {}\n#     save_warmup = 0\n#     thin = {thin}\n",
            run.draws * thin,
            run.warmup
        ));
        head.push_str("#     adapt\n#       engaged = 1\n#     algorithm = hmc\n#       hmc\n");
        if is_nuts {
            head.push_str("#         engine = nuts\n#           nuts\n");
            head.push_str(&format!("#             max_depth = {MAX_DEPTH}\n"));
        } else {
            head.push_str("#         engine = static\n");
        }
        head.push_str("#         metric = diag_e\n");
        let _ = writeln!(head, "# id = {}\n# random\n#   seed = {}", chain + 1, run.seed);
        for labels in self.labels() {
            let _ = writeln!(head, "# {labels}");
        }
        head
    }

    /// The labels of the axes whose labels are not 1, 2, 3, …, each axis once.
    fn labels(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for dimension in self.columns.iter().flat_map(|column| &column.quantity.dims) {
            let counted = dimension
                .labels
                .iter()
                .enumerate()
                .all(|(place, label)| *label == (place + 1).to_string());
            if counted {
                continue;
            }
            let labels: Vec<_> = dimension
                .labels
                .iter()
                .map(|label| printed_label(label))
                .collect();
            let line = comment(&format!("levels of {}: {}", dimension.name, labels.join(", ")));
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    /// The comments between the names and the draws.
    fn adaptation(&self, chain: usize) -> String {
        let of_chain = |name: &str| {
            let array = self.fit.state.arrays.iter().find(|array| array.name == name)?;
            let Values::F64(values) = &array.values else {
                return None;
            };
            let units = *array.shape.first()?;
            // Chains of an ensemble are neighbours, and share what was learned.
            let unit = chain * units / self.fit.run.chains;
            let len = values.len().checked_div(units)?;
            values.get(unit * len..(unit + 1) * len)
        };
        let (Some([step_size]), Some(mass)) = (of_chain("step_size"), of_chain("inv_mass_diag")) else {
            return String::new();
        };
        let mass: Vec<String> = mass.iter().copied().map(number_label).collect();
        format!(
            "# Adaptation terminated\n# Step size = {}\n# Diagonal elements of inverse mass matrix:\n# {}\n",
            number_label(*step_size),
            mass.join(", ")
        )
    }
}

/// The elements of a quantity in Stan's order, the first index fastest: place in tadpool's order, and subscripts from 1.
/// Correlations have those of their matrix.
fn column_major(quantity: &Quantity) -> Vec<(usize, Vec<usize>)> {
    if let [dim] = quantity.dims.as_slice()
        && is_pair_axis(&dim.name)
    {
        let pair = |label: &String| label.split(',').filter_map(|place| place.parse().ok()).collect();
        return dim.labels.iter().map(pair).enumerate().collect();
    }
    let sizes: Vec<usize> = quantity.dims.iter().map(|dim| dim.labels.len()).collect();
    let len: usize = sizes.iter().product();
    (0..len)
        .map(|place| {
            let (mut rest, mut element) = (place, 0);
            let mut subscripts = Vec::with_capacity(sizes.len());
            let mut stride = len;
            for size in &sizes {
                stride /= size;
                element += rest % size * stride;
                subscripts.push(rest % size + 1);
                rest /= size;
            }
            (element, subscripts)
        })
        .collect()
}

/// A name in the letters of Stan, which allows A to Z, digits and underscores; readers split names at points.
fn stan_name(name: &str) -> String {
    let mut plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    // Names that end so are taken for the sampler's.
    while plain.ends_with("__") {
        plain.pop();
    }
    plain
}

/// A text that readers take for no setting and that stays on its line.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c == '=' || c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::layout::Dimension;

    fn quantity(sizes: &[usize]) -> Quantity {
        let dim = |&size: &usize| Dimension {
            name: "d".to_owned(),
            labels: (1..=size).map(|label| label.to_string()).collect(),
        };
        Quantity {
            name: "x".to_owned(),
            dims: sizes.iter().map(dim).collect(),
            derived: false,
            values: Vec::new(),
        }
    }

    #[test]
    fn the_first_index_is_the_fastest() {
        assert_eq!(column_major(&quantity(&[])), [(0, vec![])]);
        assert_eq!(column_major(&quantity(&[2])), [(0, vec![1]), (1, vec![2])]);
        assert_eq!(
            column_major(&quantity(&[2, 3])),
            [
                (0, vec![1, 1]),
                (3, vec![2, 1]),
                (1, vec![1, 2]),
                (4, vec![2, 2]),
                (2, vec![1, 3]),
                (5, vec![2, 3])
            ]
        );
        let three = column_major(&quantity(&[2, 3, 4]));
        assert_eq!(three[1], (12, vec![2, 1, 1]));
        assert_eq!(three[2], (4, vec![1, 2, 1]));
        assert_eq!(three[6], (1, vec![1, 1, 2]));
    }

    #[test]
    fn names_are_in_stans_letters() {
        assert_eq!(stan_name("a_tank"), "a_tank");
        assert_eq!(stan_name("b.size"), "b_size");
        assert_eq!(stan_name("σ"), "_");
        assert_eq!(stan_name("end__"), "end_");
    }
}
