//! Values of a loop as sums of data times parts: Σ factor·part + data.

use std::borrow::Cow;

use crate::ir::{Binary, Graph, Handle, Op, PlateId, Unary};

/// What a part is multiplied by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Coefficient {
    Constant(f64),
    /// One number per element.
    Column(Vec<f64>),
    /// A node of one number per chain, or of data that tuned codes look up.
    Node(Handle),
}

impl Coefficient {
    /// Constant where all numbers are equal.
    fn of_column(values: Vec<f64>) -> Self {
        match values.first() {
            Some(&first) if values.iter().all(|x| x.to_bits() == first.to_bits()) => {
                Coefficient::Constant(first)
            }
            _ => Coefficient::Column(values),
        }
    }

    /// The product with data; none where a node is multiplied by more than 1.
    fn times(&self, data: &Self) -> Option<Self> {
        Some(match (self, data) {
            (Coefficient::Constant(a), Coefficient::Constant(b)) => Coefficient::Constant(a * b),
            (Coefficient::Constant(a), Coefficient::Column(x))
            | (Coefficient::Column(x), Coefficient::Constant(a)) => {
                Self::of_column(x.iter().map(|x| a * x).collect())
            }
            (Coefficient::Column(x), Coefficient::Column(y)) => {
                Self::of_column(x.iter().zip(y).map(|(x, y)| x * y).collect())
            }
            (Coefficient::Node(_), Coefficient::Constant(1.0)) => self.clone(),
            (Coefficient::Constant(1.0), Coefficient::Node(_)) => data.clone(),
            (Coefficient::Node(_), _) | (_, Coefficient::Node(_)) => return None,
        })
    }

    /// The sum with another one, of data alone.
    pub(super) fn plus(&self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Coefficient::Constant(a), Coefficient::Constant(b)) => Coefficient::Constant(a + b),
            (Coefficient::Constant(a), Coefficient::Column(x))
            | (Coefficient::Column(x), Coefficient::Constant(a)) => {
                Self::of_column(x.iter().map(|x| a + x).collect())
            }
            (Coefficient::Column(x), Coefficient::Column(y)) => {
                Self::of_column(x.iter().zip(y).map(|(x, y)| x + y).collect())
            }
            (Coefficient::Node(_), _) | (_, Coefficient::Node(_)) => return None,
        })
    }

    /// The number at an element; none for a node's.
    pub(super) fn at(&self, element: usize) -> Option<f64> {
        match self {
            Coefficient::Constant(x) => Some(*x),
            Coefficient::Column(x) => Some(x[element]),
            Coefficient::Node(_) => None,
        }
    }
}

/// A sum of parts and data, over a loop's elements.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) terms: Vec<(Handle, Coefficient)>,
    pub(super) data: Coefficient,
}

/// Data as a coefficient.
fn data(graph: &Graph, node: Handle) -> Option<Coefficient> {
    match graph.node(node).op {
        Op::Const(x) => Some(Coefficient::Constant(x)),
        Op::Column(id) => {
            let column = graph.column(id);
            Some(match column.plate {
                Some(_) => Coefficient::of_column(column.values.clone()),
                None => Coefficient::Constant(column.values[0]),
            })
        }
        _ => None,
    }
}

/// Takes nodes of one loop apart.
pub(super) struct Forms<'a> {
    pub(super) graph: &'a Graph,
    pub(super) plate: PlateId,
    /// Whether the loop computes a node: others are parts as they stand.
    pub(super) in_body: &'a dyn Fn(Handle) -> bool,
    /// Nodes that stay parts.
    pub(super) whole: Cow<'a, [Handle]>,
}

impl Forms<'_> {
    pub(super) fn of(&self, node: Handle) -> Option<Form> {
        let mut form = Form {
            terms: Vec::new(),
            data: Coefficient::Constant(0.0),
        };
        self.add(node, &Coefficient::Constant(1.0), &mut form)?;
        Some(form)
    }

    /// Adds factor·node.
    fn add(&self, node: Handle, factor: &Coefficient, form: &mut Form) -> Option<()> {
        if let Some(values) = data(self.graph, node) {
            form.data = form.data.plus(&factor.times(&values)?)?;
            return Some(());
        }
        if !self.whole.contains(&node) && (self.in_body)(node) {
            match self.graph.node(node).op {
                Op::Binary(Binary::Add, a, b) => {
                    self.add(a, factor, form)?;
                    return self.add(b, factor, form);
                }
                Op::Binary(Binary::Sub, a, b) => {
                    if let Some(minus) = factor.times(&Coefficient::Constant(-1.0)) {
                        self.add(a, factor, form)?;
                        return self.add(b, &minus, form);
                    }
                }
                Op::Unary(Unary::Neg, a) => {
                    if let Some(minus) = factor.times(&Coefficient::Constant(-1.0)) {
                        return self.add(a, &minus, form);
                    }
                }
                Op::Binary(Binary::Mul, a, b) => {
                    for (one, other) in [(a, b), (b, a)] {
                        let scale = match data(self.graph, one) {
                            Some(values) => Some(values),
                            // A number that is known before the loop, times an element's. Data times a chain's
                            // number is a term with that as the part.
                            None => {
                                let is_known = self.graph.ty(one).plate.is_none()
                                    || self.graph.tuned_data(one).is_some();
                                let varies = self.graph.ty(other).plate == Some(self.plate)
                                    && data(self.graph, other).is_none();
                                (is_known && varies).then_some(Coefficient::Node(one))
                            }
                        };
                        if let Some(scaled) = scale.and_then(|scale| factor.times(&scale)) {
                            let before = form.clone();
                            if self.add(other, &scaled, form).is_some() {
                                return Some(());
                            }
                            *form = before;
                        }
                    }
                }
                _ => {}
            }
        }
        match form.terms.iter_mut().find(|(part, _)| *part == node) {
            Some((_, known)) => *known = known.plus(factor)?,
            None => form.terms.push((node, factor.clone())),
        }
        Some(())
    }
}
