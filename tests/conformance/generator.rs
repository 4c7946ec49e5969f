//! Random model texts of this release's level of the language, over the tables of `tables`.

use tadpool::dist::{Family, Role};

use crate::dice::Dice;
use crate::tables::outcome;

/// A model text: its lines come in any order.
pub(crate) fn model(dice: &mut Dice) -> String {
    let mut text = Text {
        dice,
        lines: Vec::new(),
        names: 0,
        crossing: false,
    };
    text.likelihood();
    if text.dice.chance(0.2) {
        text.likelihood_by_group();
    }
    if text.dice.chance(0.5) {
        text.derived();
    }
    let (mut lines, mut shuffled) = (text.lines, Vec::new());
    while !lines.is_empty() {
        shuffled.push(lines.swap_remove(dice.below(lines.len())));
    }
    shuffled.join("\n") + "\n"
}

/// Real priors whose location and scale are constants.
const REAL_PRIORS: [&str; 7] = [
    "Normal(0, 1)",
    "Normal(0.25, 2)",
    "StudentT(4, 0, 1)",
    "Cauchy(0, 1)",
    "Logistic(0, 1)",
    "Laplace(0.125, 1)",
    "Uniform(-3, 4)",
];

/// Priors of positive parameters; those on the real line are truncated where the parameter is used as a scale.
const POSITIVE_PRIORS: [&str; 9] = [
    "HalfNormal(1)",
    "HalfCauchy(1)",
    "HalfStudentT(3, 2)",
    "Exponential(1)",
    "Gamma(2, 1.5)",
    "InvGamma(3, 2)",
    "LogNormal(0, 0.5)",
    "Weibull(1.5, 2)",
    "Uniform(0, 6)",
];
const TRUNCATED_PRIORS: [&str; 5] = [
    "Normal(0.5, 1)",
    "Cauchy(0, 1)",
    "StudentT(4, 0.5, 1)",
    "Logistic(0, 1)",
    "Laplace(-0.5, 1)",
];
const UNIT_PRIORS: [&str; 2] = ["Beta(2, 3)", "Uniform(0, 1)"];

struct Text<'d> {
    dice: &'d mut Dice,
    lines: Vec<String>,
    names: usize,
    /// Whether `index cross = g1*g2` stands in the text.
    crossing: bool,
}

impl Text<'_> {
    fn name(&mut self, stem: &str) -> String {
        self.names += 1;
        format!("{stem}{}", self.names)
    }

    fn line(&mut self, line: String) {
        self.lines.push(line);
    }

    /// A new real parameter.
    fn real(&mut self) -> String {
        let name = self.name("b");
        let prior = self.dice.pick(&REAL_PRIORS);
        self.line(format!("{name} ~ {prior}"));
        name
    }

    /// A new positive parameter that is not used as a scale.
    fn positive(&mut self) -> String {
        let name = self.name("k");
        let prior = self.dice.pick(&POSITIVE_PRIORS);
        self.line(format!("{name} ~ {prior}"));
        name
    }

    /// A new parameter to be used as a scale, a rate or a shape.
    fn scale(&mut self) -> String {
        let name = self.name("s");
        let prior = if self.dice.chance(0.3) {
            self.dice.pick(&TRUNCATED_PRIORS)
        } else {
            self.dice.pick(&POSITIVE_PRIORS)
        };
        self.line(format!("{name} ~ {prior}"));
        name
    }

    /// A new probability.
    fn unit(&mut self) -> String {
        let name = self.name("q");
        let prior = self.dice.pick(&UNIT_PRIORS);
        self.line(format!("{name} ~ {prior}"));
        name
    }

    /// Subscripts of a plate.
    fn subscripts(&mut self) -> &'static str {
        let subs = self
            .dice
            .pick(&["g1", "g1", "g2", "g2", "g3", "g1, g2", "g2, g3", "cross", "row"]);
        if subs == "cross" && !self.crossing {
            self.crossing = true;
            self.line("index cross = g1*g2".into());
        }
        subs
    }

    /// Varying effects, as they are used in a row.
    fn effect(&mut self, subs: &str) -> String {
        let name = self.name("e");
        let scale = match self.dice.below(4) {
            0 => "0.75".to_owned(),
            1 if subs != "row" => {
                // A scale for each level, from a distribution of positive numbers.
                let scales = self.name("v");
                let width = self.scale();
                self.line(format!("{scales}[{subs}] ~ LogNormal(0, {width})"));
                format!("{scales}[{subs}]")
            }
            _ => self.scale(),
        };
        let location = match self.dice.below(4) {
            0 if subs == "g1" => {
                // A group-level predictor, defined by group.
                let (a, b, mean) = (self.real(), self.real(), self.name("m"));
                self.line(format!("{mean}[g1] = {a} + {b}*u1[g1]"));
                format!("{mean}[g1]")
            }
            1 => self.real(),
            _ => "0".to_owned(),
        };
        let distribution = match self.dice.below(8) {
            0 => format!("StudentT(5, {location}, {scale})"),
            1 => {
                // Only a name that stands alone as a scale has its prior truncated.
                let shape = self.positive();
                format!("StudentT(1 + {shape}, {location}, {scale})")
            }
            2 => format!("Cauchy({location}, {scale})"),
            3 => format!("Laplace({location}, {scale})"),
            4 => format!("Logistic({location}, {scale})"),
            _ => format!("Normal({location}, {scale})"),
        };
        let hint = self.dice.pick(&["", "", " @centered", " @noncentered", " @auto"]);
        self.line(format!("{name}[{subs}] ~ {distribution}{hint}"));
        format!("{name}[{subs}]")
    }

    /// Data by row.
    fn covariate(&mut self) -> String {
        match self.dice.below(10) {
            0 => {
                let name = self.name("z");
                let call = self
                    .dice
                    .pick(&["standardize(x1)", "center(x3)", "log(x3) - mean(x1)"]);
                self.line(format!("{name} = {call}"));
                name
            }
            1 => "(kind == \"yes\")".into(),
            2 => "log(x3)".into(),
            3 => "max(x1, 0)".into(),
            4 => "ifelse(x2 > 0, x1, 0.5)".into(),
            5 => "u1".into(),
            6 => "x2".into(),
            7 => "x3".into(),
            _ => "x1".into(),
        }
    }

    /// A term of a predictor that bends.
    fn curve(&mut self) -> String {
        let shape = self.dice.below(15);
        let x = if (9..14).contains(&shape) {
            self.positive()
        } else {
            self.real()
        };
        match shape {
            0 => format!("inv_logit({x})"),
            1 => format!("Phi({x})"),
            2 => format!("exp(0.5*{x})"),
            3 => format!("0.25*square({x})"),
            4 => format!("abs({x})"),
            5 => format!("min({x}, x1)"),
            6 => format!("max({x}, 0.25*x1)"),
            7 => format!("log1p(exp({x}))"),
            8 => format!("expm1(0.25*{x})*x1"),
            9 => format!("sqrt({x})"),
            10 => format!("0.5*pow({x}, 1.5)"),
            11 => format!("0.25*lgamma({x} + 1)"),
            12 => format!("0.5*log({x})*x2"),
            13 => format!("1/(1 + {x})"),
            _ => format!("inv_cloglog({x})*x1 - 0.5*{x}^2"),
        }
    }

    /// A linear predictor by row, small enough for exp.
    fn predictor(&mut self) -> String {
        let mut terms = Vec::new();
        for _ in 0..2 + self.dice.below(3) {
            let term = match self.dice.below(9) {
                0 => self.real(),
                1 => {
                    let subs = self.subscripts();
                    let (slope, effect, x) = (self.real(), self.effect(subs), self.covariate());
                    format!("({slope} + {effect})*{x}")
                }
                2 => {
                    let weights = self.name("w");
                    let prior = self.dice.pick(&REAL_PRIORS);
                    self.line(format!("{weights}[3] ~ {prior}"));
                    let x = self.covariate();
                    format!("{weights}[1]*x1 + {weights}[2]*{x} + {weights}[3]")
                }
                3 => self.curve(),
                4 => {
                    let (a, b) = (self.name("b"), self.name("b"));
                    let prior = self.dice.pick(&REAL_PRIORS);
                    self.line(format!("{a}, {b} ~ {prior}"));
                    format!("{a}*x1 - {b}*x1*x2")
                }
                5 => {
                    // A definition by row between.
                    let (part, slope, x) = (self.name("r"), self.real(), self.covariate());
                    let subs = self.subscripts();
                    let effect = self.effect(subs);
                    self.line(format!("{part} = {effect} + {slope}*{x}"));
                    part
                }
                _ => {
                    let subs = self.subscripts();
                    self.effect(subs)
                }
            };
            terms.push(term);
        }
        format!("0.5*({})", terms.join(" + "))
    }

    /// The rows' outcome, its first suitable argument with a linear predictor.
    fn likelihood(&mut self) {
        let family = self.dice.pick(Family::ALL);
        let y = outcome(family.support());
        let predictor = self.predictor();
        if family == Family::Uniform {
            // Its bounds are data: the rows' predictor goes to an outcome beside it.
            self.line(format!("y_real ~ Normal({predictor}, 1)"));
            self.line(format!("{y} ~ Uniform(-1 - n, 1.25)"));
            return;
        }
        if matches!(family, Family::Beta | Family::BetaBinomial) && self.dice.chance(0.5) {
            let size = self.positive();
            self.line(format!("logit(mu) = {predictor}"));
            let trials = if family == Family::Beta { "" } else { "n, " };
            self.line(format!(
                "{y} ~ {}({trials}mu*{size}, (1 - mu)*{size})",
                family.name()
            ));
            return;
        }
        let roles: Vec<Role> = family.arguments().iter().map(|argument| argument.role).collect();
        let candidates: Vec<usize> = (0..roles.len()).filter(|&k| roles[k] != Role::Count).collect();
        // The location, where there is one.
        let location = candidates.iter().find(|&&k| roles[k] == Role::Real);
        let linked = location
            .copied()
            .unwrap_or(candidates[self.dice.below(candidates.len())]);
        let mut arguments = Vec::new();
        for (k, role) in roles.iter().enumerate() {
            arguments.push(if k == linked {
                self.linked(*role, &predictor)
            } else {
                match (role, self.dice.below(4)) {
                    (Role::Count, _) => "n".into(),
                    (Role::Real, _) => self.real(),
                    (Role::Positive, 0) => "se".into(),
                    (Role::Positive, 1) => {
                        let (scales, width) = (self.name("v"), self.scale());
                        self.line(format!("{scales}[g2] ~ LogNormal(0, {width})"));
                        format!("{scales}[g2]")
                    }
                    (Role::Positive, _) => self.scale(),
                    (Role::Unit, _) => self.unit(),
                }
            });
        }
        self.line(format!("{y} ~ {}({})", family.name(), arguments.join(", ")));
    }

    /// An argument with this predictor, through a link where the role needs one.
    fn linked(&mut self, role: Role, predictor: &str) -> String {
        let link = match role {
            Role::Real => self.dice.pick(&["", "", "mu", "log"]),
            Role::Positive => self.dice.pick(&["log", "log", "sqrt"]),
            Role::Unit => self.dice.pick(&["logit", "probit", "cloglog"]),
            Role::Count => "",
        };
        match link {
            "" => return predictor.to_owned(),
            "mu" => self.line(format!("mu = {predictor}")),
            // Away from 0, where the square has no logarithm.
            "sqrt" => self.line(format!("sqrt(mu) = 2 + 0.25*({predictor})")),
            link => self.line(format!("{link}(mu) = {predictor}")),
        }
        "mu".into()
    }

    /// An outcome with one value for each level of `g1`.
    fn likelihood_by_group(&mut self) {
        let (effect, scale) = (self.effect("g1"), self.scale());
        self.line(format!("u1[g1] ~ Normal({effect}, {scale})"));
    }

    /// Quantities that are computed from the draws.
    fn derived(&mut self) {
        let effects: Vec<String> = self
            .lines
            .iter()
            .filter(|line| line.starts_with('e'))
            .filter_map(|line| line.split(" ~ ").next())
            .map(str::to_owned)
            .collect();
        for effect in effects {
            let name = self.name("d");
            let Some((_, subs)) = effect.split_once('[') else {
                continue;
            };
            self.line(format!("{name}[{subs} = inv_logit(2*{effect})"));
        }
    }
}
