//! What names a study: everything that its numbers depend on, and that whoever finishes it needs.

use serde_json::{Map, Value};

use super::fields::Fields;
use crate::data::text_key;
use crate::diag::{Interval, Prob};
use crate::error::{Error, Result};

/// Of the file; raised when what is written here changes its meaning.
const FORMAT: u64 = 1;

/// What a study is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Whether known parameters are recovered.
    Recover,
    /// Simulation-based calibration.
    Sbc,
    /// How often a criterion is met, by design.
    Power,
    /// Cross-validation.
    Kfold,
}

impl Aim {
    /// All.
    pub const ALL: [Self; 4] = [Self::Recover, Self::Sbc, Self::Power, Self::Kfold];

    /// The word on the command line and in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Recover => "recover",
            Self::Sbc => "sbc",
            Self::Power => "power",
            Self::Kfold => "kfold",
        }
    }

    /// The aim of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|aim| aim.word() == word)
    }
}

/// Everything that names a study. Two runs whose manifests are equal make the same numbers, replicate by replicate.
///
/// What does not touch the numbers (threads, waves, shards, folders) is not in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Version of tadpool.
    pub version: String,
    /// What the study is for.
    pub aim: Aim,
    /// Name of the model.
    pub model_name: String,
    /// Text of the model, whole.
    pub model_text: String,
    /// Name of the data.
    pub data_name: String,
    /// The table that the model was compiled over, as CSV with a line of names.
    pub design: String,
    /// Seed.
    pub seed: u64,
    /// Replicates of the whole study.
    pub replicates: u32,
    /// Chains per replicate.
    pub chains: u32,
    /// Iterations of warm-up at the first try.
    pub warmup: u32,
    /// Draws kept of each chain.
    pub draws: u32,
    /// Bulk effective draws that every quantity needs.
    pub min_ess: f64,
    /// Probability of the intervals.
    pub prob: Prob,
    /// Kind of the intervals.
    pub interval: Interval,
    /// Back end, `cpu` or `gpu`.
    pub backend: String,
    /// What the numbers are the same on to the last bit: the vector instructions of a processor, the name of a GPU's
    /// adapter.
    pub device: String,
    /// The aim's own options by name, in the order in which they were given.
    pub options: Vec<(String, String)>,
}

/// The first field in which two studies differ, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Name of the field; of a text with the line.
    pub field: String,
    /// Its value in the one.
    pub mine: String,
    /// Its value in the other.
    pub theirs: String,
}

impl Manifest {
    /// The manifest as JSON.
    ///
    /// # Errors
    ///
    /// A fault of tadpool if `min_ess` is not finite.
    pub fn to_json(&self) -> Result<Value> {
        let number = |x: f64| {
            serde_json::Number::from_f64(x)
                .map(Value::Number)
                .ok_or_else(|| Error::bug(format!("a manifest cannot hold the number {x}")))
        };
        let options = self.options.iter().map(|(name, value)| {
            let pair = [("name", name), ("value", value)];
            Value::Object(
                pair.map(|(key, text)| (key.to_owned(), text.as_str().into()))
                    .into_iter()
                    .collect(),
            )
        });
        let fields: [(&str, Value); 18] = [
            ("format", FORMAT.into()),
            ("tadpool", self.version.as_str().into()),
            ("study", self.aim.word().into()),
            ("model", self.model_name.as_str().into()),
            ("model_text", self.model_text.as_str().into()),
            ("data", self.data_name.as_str().into()),
            ("design", self.design.as_str().into()),
            ("seed", self.seed.into()),
            ("replicates", self.replicates.into()),
            ("chains", self.chains.into()),
            ("warmup", self.warmup.into()),
            ("draws", self.draws.into()),
            ("min_ess", number(self.min_ess)?),
            ("prob", number(self.prob.get())?),
            ("interval", self.interval.name().into()),
            ("backend", self.backend.as_str().into()),
            ("device", self.device.as_str().into()),
            ("options", options.collect()),
        ];
        Ok(fields
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect::<Map<_, _>>()
            .into())
    }

    /// The text of the file.
    ///
    /// # Errors
    ///
    /// As [`Self::to_json`].
    pub fn to_text(&self) -> Result<String> {
        Ok(format!("{:#}\n", self.to_json()?))
    }

    /// The manifest in the text of a file.
    ///
    /// # Errors
    ///
    /// A user error that says what is missing or wrong in it; the file's name is the caller's to add.
    pub fn from_text(text: &str) -> Result<Self> {
        let json: Value =
            serde_json::from_str(text).map_err(|fault| Error::user(format!("it is not JSON: {fault}")))?;
        Self::from_json(&json)
    }

    fn from_json(json: &Value) -> Result<Self> {
        let of = Fields(json);
        let format = of.count("format")?;
        if format != FORMAT {
            return Err(Error::user(format!(
                "its format is {format}, and this version of tadpool reads {FORMAT}"
            ))
            .with_help("use the version of tadpool that wrote it"));
        }
        let (aim, interval) = (of.text("study")?, of.text("interval")?);
        let options = of
            .get("options")?
            .as_array()
            .ok_or_else(|| of.wrong("options", "a list"))?;
        Ok(Self {
            version: of.text("tadpool")?,
            aim: Aim::from_word(&aim).ok_or_else(|| of.wrong("study", "a kind of study"))?,
            model_name: of.text("model")?,
            model_text: of.text("model_text")?,
            data_name: of.text("data")?,
            design: of.text("design")?,
            seed: of.count("seed")?,
            replicates: of.small("replicates")?,
            chains: of.small("chains")?,
            warmup: of.small("warmup")?,
            draws: of.small("draws")?,
            min_ess: of.number("min_ess")?,
            prob: Prob::new(of.number("prob")?)?,
            interval: [Interval::Hdi, Interval::Eti]
                .into_iter()
                .find(|known| known.name() == interval)
                .ok_or_else(|| of.wrong("interval", "hdi or eti"))?,
            backend: of.text("backend")?,
            device: of.text("device")?,
            options: options
                .iter()
                .map(|pair| Ok((Fields(pair).text("name")?, Fields(pair).text("value")?)))
                .collect::<Result<_>>()?,
        })
    }

    /// A number that stands for the study: other manifests, another number, but for one chance in 2⁶⁴.
    ///
    /// # Errors
    ///
    /// As [`Self::to_json`].
    pub fn key(&self) -> Result<String> {
        Ok(format!("{:016x}", text_key(&[&self.to_json()?.to_string()])))
    }

    /// The first field in which this study differs from another.
    ///
    /// # Errors
    ///
    /// As [`Self::to_json`].
    pub fn difference(&self, other: &Self) -> Result<Option<Difference>> {
        let (mine, theirs) = (self.to_json()?, other.to_json()?);
        let Some(fields) = mine.as_object() else {
            return Ok(None);
        };
        Ok(fields
            .iter()
            .find(|(name, value)| theirs[name.as_str()] != **value)
            .map(
                |(name, value)| match (value.as_str(), theirs[name.as_str()].as_str()) {
                    _ if name == "options" => self.options_difference(other),
                    (Some(mine), Some(theirs)) if name == "model_text" || name == "design" => {
                        lines_difference(name, mine, theirs)
                    }
                    _ => Difference {
                        field: name.clone(),
                        mine: plain(value),
                        theirs: plain(&theirs[name.as_str()]),
                    },
                },
            ))
    }

    fn options_difference(&self, other: &Self) -> Difference {
        let places = self.options.len().max(other.options.len());
        let pairs = (0..places).map(|place| (self.options.get(place), other.options.get(place)));
        let (mine, theirs) = pairs
            .into_iter()
            .find(|(mine, theirs)| mine != theirs)
            .unwrap_or_default();
        let name = |pair: Option<&(String, String)>| pair.map(|pair| pair.0.clone());
        let field = name(mine).or_else(|| name(theirs)).unwrap_or_default();
        // Of another option there is no value to set against.
        let value = |pair: Option<&(String, String)>| {
            pair.filter(|pair| pair.0 == field)
                .map_or_else(|| "not given".to_owned(), |pair| pair.1.clone())
        };
        Difference {
            mine: value(mine),
            theirs: value(theirs),
            field,
        }
    }
}

/// The first line in which two texts differ.
fn lines_difference(field: &str, mine: &str, theirs: &str) -> Difference {
    let (mut a, mut b) = (mine.split('\n'), theirs.split('\n'));
    let mut number = 0;
    loop {
        number += 1;
        let (mine, theirs) = (a.next(), b.next());
        if mine != theirs || mine.is_none() {
            let shown = |line: Option<&str>| match line {
                None => "not there".to_owned(),
                Some("") => "empty".to_owned(),
                Some(line) => format!("`{line}`"),
            };
            return Difference {
                field: format!("{}, line {number},", field.replace('_', " ")),
                mine: shown(mine),
                theirs: shown(theirs),
            };
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A small study.
    pub(in crate::study) fn manifest() -> Manifest {
        Manifest {
            version: "0.1.0".into(),
            aim: Aim::Sbc,
            model_name: "m12_2".into(),
            model_text: "surv ~ Binomial(density, p)\nlogit(p) = a\na ~ Normal(0, 1)\n".into(),
            data_name: "reedfrogs.csv".into(),
            design: "density,\"size, \"\"γ\"\"\"\n10,small\n25,big\n".into(),
            seed: u64::MAX,
            replicates: 20,
            chains: 16,
            warmup: 400,
            draws: 25,
            min_ess: 100.0 / 3.0,
            prob: Prob::new(0.1 + 0.2).expect("a probability"),
            interval: Interval::Eti,
            backend: "cpu".into(),
            device: "AVX2".into(),
            options: vec![("set".into(), "a=1.4".into()), ("set".into(), "sigma=1.5".into())],
        }
    }

    #[test]
    fn a_manifest_reads_back_equal() {
        let one = manifest();
        let again = Manifest::from_text(&one.to_text().expect("finite")).expect("its own text");
        assert_eq!(again, one);
        assert_eq!(again.key(), one.key());
        assert_eq!(one.difference(&again), Ok(None));
    }

    #[test]
    fn each_field_tells_studies_apart() {
        let one = manifest();
        let other = |change: &dyn Fn(&mut Manifest)| {
            let mut other = one.clone();
            change(&mut other);
            assert_ne!(other.key(), one.key());
            let Difference { field, mine, theirs } =
                one.difference(&other).expect("finite").expect("one differs");
            (field, mine, theirs)
        };
        let told =
            |field: &str, mine: &str, theirs: &str| (field.to_owned(), mine.to_owned(), theirs.to_owned());
        assert_eq!(other(&|m| m.seed = 2), told("seed", "18446744073709551615", "2"));
        assert_eq!(other(&|m| m.aim = Aim::Power), told("study", "sbc", "power"));
        assert_eq!(
            other(&|m| m.device = "AVX-512".into()),
            told("device", "AVX2", "AVX-512")
        );
        assert_eq!(
            other(&|m| m.interval = Interval::Hdi),
            told("interval", "eti", "hdi")
        );
        assert_eq!(
            other(&|m| m.options[1].1 = "sigma=2".into()),
            told("set", "sigma=1.5", "sigma=2")
        );
        assert_eq!(
            other(&|m| m.options.truncate(1)),
            told("set", "sigma=1.5", "not given")
        );
        let more = other(&|m| m.options.push(("by".into(), "pond".into())));
        assert_eq!(more, told("by", "not given", "pond"));
        let line = other(&|m| m.model_text = m.model_text.replace("Normal(0, 1)", "Normal(0, 2)"));
        assert_eq!(
            line,
            told("model text, line 3,", "`a ~ Normal(0, 1)`", "`a ~ Normal(0, 2)`")
        );
        assert_eq!(
            other(&|m| m.design.push_str("3,big\n")),
            told("design, line 4,", "empty", "`3,big`")
        );
        for change in [
            &(|m: &mut Manifest| m.version.push('1')) as &dyn Fn(&mut Manifest),
            &|m| m.model_name.push('1'),
            &|m| m.data_name.push('1'),
            &|m| m.replicates += 1,
            &|m| m.chains += 1,
            &|m| m.warmup += 1,
            &|m| m.draws += 1,
            &|m| m.min_ess = m.min_ess.next_up(),
            &|m| m.prob = Prob::new(m.prob.get().next_up()).expect("a probability"),
            &|m| m.backend = "gpu".into(),
        ] {
            other(change);
        }
    }

    #[test]
    fn what_is_no_manifest_says_why() {
        let said = |text: &str| {
            Manifest::from_text(text)
                .expect_err("no manifest")
                .message()
                .to_owned()
        };
        assert!(said("{").starts_with("it is not JSON"));
        assert_eq!(said("{}"), "`format` is missing in it");
        let text = manifest().to_text().expect("finite");
        assert_eq!(
            said(&text.replace("\"seed\": 18446744073709551615", "\"seed\": -1")),
            "its `seed` is -1, and a whole number is expected"
        );
        assert_eq!(
            said(&text.replace("\"format\": 1", "\"format\": 2")),
            "its format is 2, and this version of tadpool reads 1"
        );
        assert!(said(&text.replace("\"sbc\"", "\"abc\"")).contains("`study`"));
        let cut: String = text.chars().take(text.chars().count() / 2).collect();
        assert!(said(&cut).starts_with("it is not JSON"));
    }
}
