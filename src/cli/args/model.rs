//! What a command's model is: a file, or a formula; and the tables that it joins.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};

use super::Cli;

/// The model of a command.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// The model file (see docs/language.md for the language), or a formula: "y ~ 1 + x + (1 + x | g)". Further lines of the
    /// formula's text are lines of the model, such as priors.
    #[arg(value_name = "MODEL")]
    pub(crate) path: PathBuf,
    /// The formula's family: gaussian, student, binomial, bernoulli, poisson, negbinomial, gamma or beta [default:
    /// gaussian].
    #[arg(long, value_name = "NAME")]
    pub(crate) family: Option<String>,
    /// The formula's link [default: the family's own: identity, logit or log].
    #[arg(long, value_name = "NAME")]
    pub(crate) link: Option<String>,
    /// The file of a second table that the model names (`table schools by school`): "schools=schools.csv". May be given
    /// several times.
    #[arg(long = "table", value_name = "NAME=CSV", value_parser = named_file)]
    pub(crate) tables: Vec<(String, PathBuf)>,
}

impl ModelArgs {
    /// Whether the model is a formula: it holds a `~` and names no file.
    pub(crate) fn is_formula(&self) -> bool {
        self.path.to_string_lossy().contains('~') && !self.path.exists()
    }

    /// Checks what no single flag can know.
    ///
    /// # Errors
    ///
    /// A usage error for a family or a link without a formula.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        let flag = match (&self.family, &self.link) {
            (Some(_), _) => "--family",
            (None, Some(_)) => "--link",
            (None, None) => return Ok(()),
        };
        if self.is_formula() {
            return Ok(());
        }
        Err(Cli::command().error(
            ErrorKind::ArgumentConflict,
            format!("{flag} belongs to a formula, and the model is a file; write it there: `glm y ~ x family binomial link logit`"),
        ))
    }

    /// The model's name: its file's without the extension, or for a formula `glm_` and its outcome.
    pub(crate) fn name(&self) -> String {
        if !self.is_formula() {
            return stem(&self.path).to_string_lossy().into_owned();
        }
        let text = self.path.to_string_lossy();
        let outcome = text.split(['~', '|']).next().unwrap_or_default();
        let outcome = outcome.trim().trim_start_matches("glm ");
        // Successes and failures: named after the successes.
        let outcome = match outcome.strip_prefix("cbind(") {
            Some(counts) => counts.split(',').next().unwrap_or_default(),
            None => outcome,
        };
        let parts: Vec<&str> = outcome
            .split(|c: char| !c.is_alphanumeric())
            .filter(|part| !part.is_empty())
            .collect();
        format!("glm_{}", parts.join("_"))
    }

    /// The text of the formula as a model, its family and link beside it.
    pub(crate) fn formula(&self) -> Option<String> {
        if !self.is_formula() {
            return None;
        }
        let given = self.path.to_string_lossy();
        let given = given.trim();
        let (formula, rest) = given.split_once('\n').unwrap_or((given, ""));
        let formula = formula.trim();
        let mut text = format!("glm {}", formula.strip_prefix("glm ").unwrap_or(formula));
        for (word, value) in [("family", &self.family), ("link", &self.link)] {
            if let Some(value) = value {
                text.push_str(&format!(" {word} {value}"));
            }
        }
        Some(format!("{text}\n{rest}"))
    }
}

fn stem(path: &Path) -> OsString {
    path.file_stem().unwrap_or_default().to_owned()
}

/// `NAME=CSV`.
pub(super) fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.trim().is_empty() && !path.is_empty() => {
            Ok((name.trim().to_owned(), PathBuf::from(path)))
        }
        Some(_) | None => Err("expected NAME=CSV, such as schools=schools.csv".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(path: &str, family: Option<&str>) -> ModelArgs {
        ModelArgs {
            path: path.into(),
            family: family.map(str::to_owned),
            link: None,
            tables: Vec::new(),
        }
    }

    #[test]
    fn a_formula_becomes_a_model_with_a_name() {
        let plain = model("surv | trials(density) ~ 1 + pred*size", Some("binomial"));
        assert_eq!(plain.name(), "glm_surv");
        assert_eq!(
            plain.formula().expect("a formula"),
            "glm surv | trials(density) ~ 1 + pred*size family binomial\n"
        );
        assert_eq!(model("cbind(k, n - k) ~ x", None).name(), "glm_k");
        let logged = model("log(y) ~ x\nb ~ Normal(0, 1)", None);
        assert_eq!(logged.name(), "glm_log_y");
        assert_eq!(
            logged.formula().expect("a formula"),
            "glm log(y) ~ x\nb ~ Normal(0, 1)"
        );
    }

    #[test]
    fn files_are_no_formulae_and_have_no_family() {
        assert!(model("Cargo.toml", None).formula().is_none());
        assert_eq!(model("data/reedfrogs/m12_2.tad", None).name(), "m12_2");
        assert_eq!(
            model("m.tad", Some("poisson")).check().unwrap_err().exit_code(),
            2
        );
        assert!(model("y ~ x", Some("poisson")).check().is_ok());
    }

    #[test]
    fn tables_have_names() {
        let given = named_file("schools=data/s=1.csv").expect("a name and a file");
        assert_eq!(given, ("schools".to_owned(), PathBuf::from("data/s=1.csv")));
        for bad in ["schools", "=x.csv", "schools="] {
            assert!(named_file(bad).is_err(), "{bad}");
        }
    }
}
