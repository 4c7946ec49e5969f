//! Parameters: a slot of the position each, with constraint, coordinate and prior.

use std::f64::consts::LN_2;

use super::expression::shown;
use super::value::Value;
use super::{Context, Eval, Lowering, Poison};
use crate::dist::{Family, Role, Support};
use crate::ir::{Event, Expr as Node, Handle};
use crate::lang::analyse::{MV_NORMAL, Member, Relation, RoleUse};
use crate::lang::ast::Name;
use crate::lang::lowered::{Holds, Parameter, Parameterisation};
use crate::lang::report::{Report, quoted};
use crate::transform::{Constraint, Coordinate, standard_arguments};

/// A parameter with everything that its `~` says.
#[derive(Debug, Clone)]
pub(super) struct Prior<'b> {
    /// The parameter on its natural scale.
    pub(super) value: Node<'b>,
    /// One for each slot.
    pub(super) parts: Vec<Part<'b>>,
    pub(super) truncated: bool,
    /// The set of the values, as text.
    pub(super) support: String,
}

/// What stands in one slot.
#[derive(Debug, Clone)]
pub(super) struct Part<'b> {
    pub(super) arguments: Vec<Value<'b>>,
    pub(super) coordinate: Coordinate<Node<'b>>,
    /// What the coordinate stands for.
    pub(super) value: Node<'b>,
    /// The prior's log density with its Jacobian, per element.
    pub(super) term: Node<'b>,
    /// The standardised effect of a component of a joint distribution.
    pub(super) effect: Option<Node<'b>>,
    /// The arguments of a component of a joint distribution taken alone; `arguments` are those given the others.
    pub(super) alone: Option<[Value<'b>; 2]>,
    pub(super) holds: Holds,
}

impl Part<'_> {
    pub(super) fn parameter(&self, name: &Name, family: Family, truncated: bool, term: usize) -> Parameter {
        Parameter {
            name: name.text.clone(),
            holds: self.holds,
            family,
            arguments: self.arguments.iter().map(|value| value.expr.handle()).collect(),
            coordinate: handles(&self.coordinate),
            value: self.value.handle(),
            truncated,
            term,
        }
    }
}

fn handles(coordinate: &Coordinate<Node<'_>>) -> Coordinate<Handle> {
    match coordinate {
        Coordinate::Constrained(constraint) => Coordinate::Constrained(match constraint {
            Constraint::Real => Constraint::Real,
            Constraint::Positive => Constraint::Positive,
            Constraint::Unit => Constraint::Unit,
            Constraint::Interval { lower, upper } => Constraint::Interval {
                lower: lower.handle(),
                upper: upper.handle(),
            },
        }),
        Coordinate::Noncentred { location, scale } => Coordinate::Noncentred {
            location: location.handle(),
            scale: scale.handle(),
        },
        Coordinate::Weighted {
            location,
            scale,
            centre,
            weight,
            inv_power,
        } => Coordinate::Weighted {
            location: location.handle(),
            scale: scale.handle(),
            centre: centre.handle(),
            weight: weight.handle(),
            inv_power: inv_power.handle(),
        },
    }
}

/// What a parameter is used as, for a message.
fn used_as(used: &RoleUse) -> String {
    match used.argument {
        "sd" | "sdlog" | "sigma" | "scale" => "a scale".to_owned(),
        "rate" | "shape" => format!("a {}", used.argument),
        other => format!("the argument `{other}` of {}", used.family),
    }
}

impl<'a, 'b> Lowering<'a, 'b> {
    /// Makes the slot of a parameter; slots come in the order of the text.
    pub(super) fn declare(&mut self, place: usize) {
        let relation = &self.analysis.relations[place];
        let target = relation.target;
        let made = match relation.member {
            Some(Member::Levels { .. }) => self.declare_levels(place),
            Some(Member::Correlation) => self.declare_correlation(place),
            Some(Member::Component { .. }) | None => self.target_plate(&target).map(|plate| {
                let ir = plate.map(|plate| self.plates[plate].ir);
                (self.builder.position(&target.name.text, ir, Event::Scalar), plate)
            }),
        };
        self.first_slots[place] = self.slots;
        self.slots += self.level_positions.get(&place).map_or(1, Vec::len);
        self.positions[place] = Some(made);
    }

    /// The position and its plate; of levels that are components those of the first and of all.
    pub(super) fn position(&self, place: usize) -> Eval<(Node<'b>, Context)> {
        match &self.positions[place] {
            Some(Ok(made)) => Ok(*made),
            Some(Err(Poison)) | None => Err(Poison),
        }
    }

    pub(super) fn parameter_plate(&self, place: usize) -> Eval<Context> {
        self.position(place).map(|(_, plate)| plate)
    }

    pub(super) fn parameter_value(&mut self, place: usize) -> Eval<Value<'b>> {
        self.prior(place).map(|prior| Value::parameter(prior.value))
    }

    /// The parameter behind a `~`, made once.
    pub(super) fn prior(&mut self, place: usize) -> Eval<Prior<'b>> {
        if let Some(known) = &self.priors[place] {
            return known.clone();
        }
        let made = match self.analysis.relations[place].member {
            None => self.make_prior(place),
            Some(Member::Component { .. }) => self.component_prior(place),
            Some(Member::Levels { .. }) => self.levels_prior(place),
            Some(Member::Correlation) => self.correlation_prior(place),
        };
        self.priors[place] = Some(made.clone());
        made
    }

    fn make_prior(&mut self, place: usize) -> Eval<Prior<'b>> {
        let relation = &self.analysis.relations[place];
        let name = relation.target.name.text.as_str();
        let (position, plate) = self.position(place)?;
        let arguments = self.arguments(relation, plate)?;
        let roles = self.analysis.roles.get(name).map_or(&[][..], Vec::as_slice);
        let scale = roles.iter().find(|used| used.role == Role::Positive);
        let (constraint, support) = self.constraint(relation, &arguments, roles)?;
        let truncation = match (relation.family.support(), scale) {
            (Support::Real, Some(used)) => Some(self.truncation(relation, &arguments, used, plate)?),
            (_, _) => None,
        };
        let mut part = self.part(place, 0, (position, plate), arguments, constraint)?;
        if let Some(mass) = &truncation {
            part.term = part.term - mass.expr;
        }
        Ok(Prior {
            value: part.value,
            parts: vec![part],
            truncated: truncation.is_some(),
            support,
        })
    }

    /// What stands in the slot at `position`, the `component`th of the parameter, over `plate`.
    fn part(
        &mut self,
        place: usize,
        component: usize,
        (position, plate): (Node<'b>, Context),
        arguments: Vec<Value<'b>>,
        constraint: Constraint<Node<'b>>,
    ) -> Eval<Part<'b>> {
        if self.view.is_some() {
            return Ok(Part {
                arguments,
                coordinate: Coordinate::Constrained(Constraint::Real),
                value: position,
                term: position,
                effect: None,
                alone: None,
                holds: Holds::Whole,
            });
        }
        let family = self.analysis.relations[place].family;
        let coordinate = match (&constraint, standard_arguments(family)) {
            (Constraint::Real, Some((location, scale))) => {
                let (location, scale) = (arguments[location].expr, arguments[scale].expr);
                match (self.parameterisation(place), plate) {
                    (Parameterisation::Centred, _) => Coordinate::Constrained(constraint),
                    (Parameterisation::Noncentred, _) | (Parameterisation::Learned { .. }, None) => {
                        Coordinate::Noncentred { location, scale }
                    }
                    (Parameterisation::Learned { start, .. }, Some(plate)) => {
                        let slot = (place, self.first_slots[place] + component);
                        self.weighted(slot, (location, scale), (position, plate), start)?
                    }
                }
            }
            (Constraint::Real | Constraint::Positive | Constraint::Unit | Constraint::Interval { .. }, _) => {
                Coordinate::Constrained(constraint)
            }
        };
        let nodes: Vec<Node<'b>> = arguments.iter().map(|value| value.expr).collect();
        Ok(Part {
            term: coordinate.log_density(family, &position, &nodes),
            value: coordinate.value(&position),
            effect: None,
            alone: None,
            arguments,
            coordinate,
            holds: Holds::Whole,
        })
    }

    /// The part of a component of a joint distribution, whose standardised effect those after it need.
    pub(super) fn component(
        &mut self,
        place: usize,
        component: usize,
        at: (Node<'b>, Context),
        (alone, arguments): ([Value<'b>; 2], Vec<Value<'b>>),
    ) -> Eval<Part<'b>> {
        let (location, scale) = (arguments[0].expr, arguments[1].expr);
        let part = self.part(place, component, at, arguments, Constraint::Real)?;
        let standardised = part.coordinate.standardised(&at.0);
        Ok(Part {
            effect: Some(standardised.unwrap_or_else(|| (part.value - location) / scale)),
            alone: Some(alone),
            ..part
        })
    }

    /// The arguments of a distribution over `plate`; those that are data are checked against their roles.
    pub(super) fn arguments(&mut self, relation: &'a Relation<'a>, plate: Context) -> Eval<Vec<Value<'b>>> {
        let mut values = Vec::new();
        for &expr in &relation.arguments {
            values.push(self.expression(expr, plate));
        }
        let values: Eval<Vec<Value<'b>>> = values.into_iter().collect();
        let values = values?;
        self.check_arguments(relation, &values, plate)?;
        Ok(values)
    }

    /// Arguments that are data must fit their roles.
    pub(super) fn check_arguments(
        &mut self,
        relation: &'a Relation<'a>,
        values: &[Value<'b>],
        plate: Context,
    ) -> Eval<()> {
        let mut sound = true;
        for ((argument, value), expr) in relation
            .family
            .arguments()
            .iter()
            .zip(values)
            .zip(&relation.arguments)
        {
            let Some(numbers) = &value.numbers else { continue };
            let Some(element) = numbers
                .iter()
                .position(|x| !argument.role.admits(*x) && !self.may_be_unknown(*x))
            else {
                continue;
            };
            let at = plate.filter(|_| value.expr.ty().plate.is_some());
            let report = Report::error(
                format!(
                    "the argument `{}` of {} is {}{}",
                    argument.name,
                    if relation.member.is_some() {
                        MV_NORMAL
                    } else {
                        relation.family.name()
                    },
                    shown(numbers[element]),
                    self.place_of(element, at)
                ),
                expr.span,
                format!("expected {}", argument.role.expected()),
            )
            .with_help("correct the value in the data or in this line");
            self.reports.push(report);
            sound = false;
        }
        if relation.family == Family::Uniform
            && let (Some(lower), Some(upper)) = (values[0].single(), values[1].single())
            && lower >= upper
        {
            let report = Report::error(
                format!("Uniform from {} to {} is empty", shown(lower), shown(upper)),
                relation.arguments[0].span.to(relation.arguments[1].span),
                "expected the lower end first",
            )
            .with_help("write `Uniform(lower, upper)` with lower < upper");
            self.reports.push(report);
            sound = false;
        }
        if sound { Ok(()) } else { Err(Poison) }
    }

    /// The set that the parameter lies in, by its prior and by where it is used.
    fn constraint(
        &mut self,
        relation: &'a Relation<'a>,
        arguments: &[Value<'b>],
        roles: &[RoleUse],
    ) -> Eval<(Constraint<Node<'b>>, String)> {
        let scale = roles.iter().find(|used| used.role == Role::Positive);
        let probability = roles.iter().find(|used| used.role == Role::Unit);
        match relation.family.support() {
            Support::Real => match (probability, scale) {
                (Some(used), _) => Err(self.not_a_probability(relation, used)),
                (None, Some(_)) => Ok((Constraint::Positive, "(0, ∞)".to_owned())),
                (None, None) => Ok((Constraint::Real, "(-∞, ∞)".to_owned())),
            },
            Support::Positive | Support::NonNegative => match probability {
                Some(used) => Err(self.not_a_probability(relation, used)),
                None => Ok((Constraint::Positive, "(0, ∞)".to_owned())),
            },
            Support::Unit => Ok((Constraint::Unit, "(0, 1)".to_owned())),
            Support::Interval => {
                let (lower, upper) = (arguments[0].single(), arguments[1].single());
                if let Some(used) = probability
                    && !(lower >= Some(0.0) && upper.is_some_and(|upper| upper <= 1.0))
                {
                    return Err(self.not_a_probability(relation, used));
                }
                if let Some(used) = scale
                    && !lower.is_some_and(|lower| lower >= 0.0)
                {
                    let report = Report::error(
                        format!(
                            "{} may be negative, but is used as {}",
                            quoted(&relation.target.name.text),
                            used_as(used)
                        ),
                        relation.arguments[0].span,
                        "expected a lower end of 0 or above",
                    )
                    .with_label(used.span, format!("must be above 0 in {}", used.family))
                    .with_help("write a lower end of 0");
                    return Err(self.blame(report));
                }
                let end = |number: Option<f64>, place: usize| {
                    number.map_or_else(|| self.written(relation.arguments[place]).to_owned(), shown)
                };
                let text = format!("({}, {})", end(lower, 0), end(upper, 1));
                let constraint = Constraint::Interval {
                    lower: arguments[0].expr,
                    upper: arguments[1].expr,
                };
                Ok((constraint, text))
            }
            // Reported by the analysis.
            Support::Binary | Support::Counts | Support::CountsUpTo => Err(Poison),
        }
    }

    fn not_a_probability(&mut self, relation: &Relation<'a>, used: &RoleUse) -> Poison {
        let name = relation.target.name.text.as_str();
        let report = Report::error(
            format!(
                "{} is used as a probability, but its prior goes beyond (0, 1)",
                quoted(name)
            ),
            relation.family_span,
            "expected a distribution on (0, 1)",
        )
        .with_label(used.span, format!("a probability in {}", used.family))
        .with_help(format!(
            "write `{name} ~ Beta(1, 1)`, or put the prior on another scale: `logit({name}) = …`"
        ));
        self.blame(report)
    }

    /// ln P(Y > 0) under the prior of a parameter that is used as a scale; says so in a note.
    fn truncation(
        &mut self,
        relation: &'a Relation<'a>,
        arguments: &[Value<'b>],
        used: &RoleUse,
        plate: Context,
    ) -> Eval<Value<'b>> {
        let name = relation.target.name.text.as_str();
        let family = relation.family;
        let Some((location, _)) = standard_arguments(family) else {
            return Err(Poison);
        };
        let symmetric = arguments[location]
            .numbers
            .as_ref()
            .is_some_and(|numbers| numbers.iter().all(|x| *x == 0.0));
        let mass = if symmetric {
            // The families of location and scale are symmetric: half of the mass, whatever the scale.
            Some(vec![-LN_2])
        } else {
            let numbers: Option<Vec<&[f64]>> =
                arguments.iter().map(|value| value.numbers.as_deref()).collect();
            numbers.map(|numbers| {
                let len = numbers.iter().map(|numbers| numbers.len()).max().unwrap_or(1);
                let at = |element: usize| -> Vec<f64> {
                    numbers
                        .iter()
                        .map(|x| if x.len() == 1 { x[0] } else { x[element] })
                        .collect()
                };
                (0..len)
                    .filter_map(|element| family.ln_upper_mass(&at(element)))
                    .collect()
            })
        };
        let Some(mass) = mass else {
            let report = Report::error(
                format!("the prior of {} cannot be truncated to (0, ∞)", quoted(name)),
                relation.arguments[location].span,
                "expected data or 0, since the mass above 0 depends on it",
            )
            .with_label(used.span, format!("must be above 0 in {}", used.family))
            .with_help(format!(
                "give `{name}` a prior on (0, ∞): LogNormal, Gamma, Exponential or HalfNormal"
            ));
            return Err(self.blame(report));
        };
        let note = Report::note(
            format!("the prior on {} is truncated to (0, ∞)", quoted(name)),
            relation.target.span,
            format!("because {} is used as {}", quoted(name), used_as(used)),
        )
        .with_label(used.span, format!("must be above 0 in {}", used.family));
        self.reports.push(note);
        Ok(match mass.as_slice() {
            [single] => Value::constant(self.builder, *single),
            several => {
                let plate = plate.map(|plate| self.plates[plate].ir);
                Value {
                    expr: self
                        .builder
                        .column(&format!("mass above 0 of {name}"), plate, several.to_vec()),
                    numbers: Some(several.into()),
                }
            }
        })
    }
}
