//! Predictions and simulations: the model's text read forward, from parameters to outcomes.
//!
//! May import everything up to `fit`. What lives here:
//!
//! - [`Fitted`]: a fit file as something that predicts: link, probability, mean or a new outcome, for the rows of the
//!   fit, for other covariates, for new groups;
//! - [`Settings`], [`grid()`], [`Contrast`]: covariates set by hand, grids of them, differences between two settings;
//! - [`expressions()`]: expressions over the parameters, one value a draw;
//! - [`Simulator`]: parameters from their priors or as set, and outcomes from them, replicate by replicate;
//! - [`Grouping`], [`Population`]: the groups of the rows, and the distributions that their effects come from;
//! - `forward`, `groups`: nodes evaluated at values of parameters; what the parameters of new levels are.
//!
//! Promises: every distribution, link and formula is the one that was fitted, out of the same lowering; constants that
//! `standardize` and its like learned are those of the fit. A seed gives the same numbers whatever is asked besides:
//! random streams are named by what they are for (a parameter's level, a row's outcome), so a level has the same draws
//! in every row, table and command, and another level others.

mod contrast;
mod expression;
mod fitted;
mod forward;
mod groups;
mod kind;
mod population;
mod predictors;
mod settings;
mod simulate;
mod spread;

pub use contrast::Contrast;
pub use expression::expressions;
pub use fitted::{Fitted, Options, Rows, Told};
pub use groups::Groups;
pub use kind::Kind;
pub use population::{Grouping, Nature, Population};
pub use predictors::{Predictor, Values as PredictorValues, Varying};
pub use settings::{Settings, grid};
pub use simulate::{Simulated, Simulator, Truth};
pub use spread::Spread;
