//! tadpool fits Bayesian multilevel models by Hamiltonian Monte Carlo, with anything from four to thousands of chains,
//! on the CPU's vector lanes or on a GPU.
//!
//! A model is a text in the notation of a paper; the data is a table. Between them lies no C++ compiler and no Python:
//! the text is compiled to vector code and to WGSL in milliseconds.
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//! use tadpool::{data::Table, fit, model::Model};
//!
//! // Tadpoles that survived, of ten in each of six tanks.
//! let table = Table::from_bytes("tanks.csv", b"surv,density\n9,10\n10,10\n7,10\n4,10\n9,10\n6,10\n")?;
//! let text = "
//!     index tank = row
//!     surv ~ Binomial(density, p)
//!     logit(p) = a_tank[tank]
//!     a_tank[tank] ~ Normal(a, sigma)
//!     a ~ Normal(0, 1)
//!     sigma ~ HalfCauchy(1)
//! ";
//! let model = Model::new("tanks", text, &table)?;
//!
//! let options = fit::Options { backend: fit::Backend::Cpu, ..fit::Options::default() };
//! let draws = fit::fit(&model, &options, &|_progress| {}, &AtomicBool::new(false))?;
//!
//! let report = fit::Report::of(&draws, options.prob, options.interval, 2)?;
//! for row in &report.rows {
//!     println!("{:10} {:6.2} ± {:.2}", row.name, row.summary.mean, row.summary.sd);
//! }
//! assert!(report.verdict.max_rhat.is_some_and(|rhat| rhat < 1.02));
//! # Ok::<(), tadpool::Error>(())
//! ```
//!
//! The same on the command line: `tadpool fit MODEL --data CSV`. [`fit::Fit::write`] keeps a fit as a NetCDF-4 file
//! that ArviZ opens.
//!
//! # Pipeline
//!
//! ```text
//! model text ─ lang ─▶ syntax tree ─ lower (+ table) ─▶ IR over plates ─ pass, ad ─▶ log density and gradient
//!                                                                                  │
//!                        ┌────────────────────────────┬────────────────────────────┤
//!                   reference (f64, the judge)   simd (f64, lanes of chains)   wgsl (f32, generated)
//!                        └────────────────────────────┴──────────────┬─────────────┘
//!                                                     samplers (NUTS, ensemble HMC)
//!                                                                    ▼
//!                                       fit: draws, diagnostics, summary, fit file
//!                                                                    ▼
//!                                       predict: the text read forward, from draws to outcomes
//! ```
//!
//! Each formula stands once: a density or transform is written generic over [`num::Real`]; with numbers it is the
//! reference, with [`ir::Expr`] it records the IR from which derivative, lanes and shader come. The primitives of
//! [`ir`] have one implementation per back end, in a `match` without a default arm.
//!
//! # Layers
//!
//! A module imports only from modules before it in this list (a test reads every `use` line): `error`, `num`, `rng`,
//! `data`, `diag`, `ir`, `dist`, `transform`, `ad`, `lang`, `pass`, `back`, `gpu`, `model`, `sampler`, `fit`, `export`,
//! `predict`, `trouble`, `plot`, `report`, `study`, `bench`, `cli`. Clocks are read in `fit`, `bench` and `cli` alone; files are
//! touched by `fit`, `study`, `cli` and [`data::Table::from_path`].
//!
//! # Vocabulary
//!
//! | idea | word |
//! | --- | --- |
//! | index set: rows, levels of a factor, a crossing | plate |
//! | vector on the unconstrained scale that HMC moves | position (with momentum) |
//! | target | log_density, log_density_grad |
//! | distribution functions | lpdf, lpmf |
//! | scale changes | constrain, unconstrain, log_abs_det_jacobian |
//! | diagonal metric | inv_mass_diag (a variance, position² units) |
//! | integrator | step_size, num_leapfrog_steps; their product is the trajectory length |
//! | energies | potential, kinetic, energy, energy_error |
//! | outcomes of a transition | accept_prob, is_divergent |
//! | time | warmup; iteration (both phases); draw (kept) |
//! | chains that adapt together, a superchain of nested R-hat | ensemble |
//! | one simulated or reweighted data set of a study | replicate |
//! | centring of an effect, 1 centred … 0 non-centred | centring weight λ |
//!
//! Results are `[chain, draw, parameter]`; state on a device and in lanes is `[parameter][lane]`, lane = chain,
//! fastest. Statistics of draws have ArviZ's names (`diverging`, `energy`, `lp`, `acceptance_rate`, `step_size`,
//! `n_steps`).
//!
//! # Errors
//!
//! Three kinds that are never mixed, see [`error::Kind`]: the user's model or data, the machine, tadpool itself.
//! Divergences and non-finite densities are statistics, not errors.

pub mod error;

pub mod ad;
pub mod back;
pub mod bench;
pub mod cli;
pub mod data;
pub mod diag;
pub mod dist;
pub mod export;
pub mod fit;
pub mod gpu;
pub mod ir;
pub mod lang;
pub mod model;
pub mod num;
pub mod pass;
pub mod plot;
pub mod predict;
pub mod report;
pub mod rng;
pub mod sampler;
pub mod study;
pub mod transform;
pub mod trouble;

pub use error::Error;
