//! What the posteriors are known to be: the reference values beside the data sets, or closed forms.

use serde_json::Value;

/// The moments of one number of a posterior.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// As in the table of a fit: `a`, `a_tank[1]`.
    pub(crate) name: String,
    pub(crate) mean: f64,
    pub(crate) sd: f64,
    /// Monte Carlo standard error of `mean`; 0 where it was not sampled.
    pub(crate) mcse_mean: f64,
}

impl Expected {
    pub(crate) fn exact(name: &str, mean: f64, sd: f64) -> Self {
        Self {
            name: name.into(),
            mean,
            sd,
            mcse_mean: 0.0,
        }
    }

    /// 1/ESS of the reference's own draws, 0 where it was not sampled.
    ///
    /// A sampled reference gives the error of its means alone. ESS is what that error says, (sd/mcse)², and stands for
    /// the ESS of its squared deviations too: the runs are so long that the difference is far below the fits' errors.
    pub(crate) fn inverse_ess(&self) -> f64 {
        (self.mcse_mean / self.sd).powi(2)
    }
}

/// A model over a data set, with what its posterior is known to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) table: &'static str,
    /// Reference values as JSON, see `data/README.md`.
    pub(crate) reference: &'static str,
    /// What R-hat must stay below under 4 × 1000 draws of NUTS.
    pub(crate) nuts_rhat: f64,
    /// Share of draws under NUTS that may diverge.
    pub(crate) nuts_divergent: f64,
}

macro_rules! case {
    ($name:literal, $folder:literal, $table:literal, $rhat:expr, $divergent:expr) => {
        Case {
            name: $name,
            text: include_str!(concat!("../../data/", $folder, "/", $name, ".tad")),
            table: include_str!(concat!("../../data/", $folder, "/", $table, ".csv")),
            reference: include_str!(concat!("../../data/", $folder, "/", $name, ".json")),
            nuts_rhat: $rhat,
            nuts_divergent: $divergent,
        }
    };
}

pub(crate) const CASES: [Case; 8] = [
    case!("m12_1", "reedfrogs", "reedfrogs", 1.01, 0.001),
    case!("m12_2", "reedfrogs", "reedfrogs", 1.01, 0.001),
    case!("m12_3", "ponds", "ponds", 1.01, 0.001),
    case!("m12_4", "chimpanzees", "chimpanzees", 1.02, 0.001),
    case!("m12_5", "chimpanzees", "chimpanzees", 1.02, 0.002),
    case!("cafe", "cafes", "cafes", 1.01, 0.001),
    case!("chimps_cross", "chimpanzees", "chimpanzees", 1.01, 0.001),
    case!("eight_schools", "eight_schools", "eight_schools", 1.01, 0.001),
];

impl Case {
    pub(crate) fn named(name: &str) -> Self {
        *CASES
            .iter()
            .find(|case| case.name == name)
            .expect("a case's name")
    }

    pub(crate) fn expected(&self) -> Vec<Expected> {
        let json: Value = serde_json::from_str(self.reference).expect("reference values are JSON");
        let params = json["params"].as_object().expect("`params` is an object");
        params
            .iter()
            .map(|(name, values)| Expected {
                name: name.clone(),
                mean: values["mean"].as_f64().expect("a mean"),
                sd: values["sd"].as_f64().expect("an sd"),
                mcse_mean: values
                    .get("mcse_mean")
                    .map_or(0.0, |error| error.as_f64().expect("a standard error")),
            })
            .collect()
    }
}
