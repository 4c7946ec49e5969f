//! Pictures of fits and of simulation studies, as SVG and PNG.
//!
//! May import everything up to `predict`. What lives here:
//!
//! - `scene`: what a picture consists of, and its two writers with one built-in font;
//! - `scale`, `frame`, `tiles`, `palette`: axes, panels, legends, colours that those who see few colours tell apart;
//! - `chart`: one drawing a file, plain numbers in, a scene out;
//! - [`Kind`], [`draw()`]: what each kind of picture takes from fits, see [`Source`] and [`Options`];
//! - [`study`]: pictures of many fits, from their numbers.
//!
//! Promises: the same numbers give the same bytes; every picture says in words what is drawn how; names are the data's
//! own and cannot break a file; what a fit cannot give is an error that says why.
//!
//! The layer is our own: in a trial, plotters rounded the points of curves to whole pixels, in SVG too.

mod chart;
mod frame;
mod kind;
pub(crate) mod palette;
mod scale;
pub(crate) mod scene;
mod source;
pub mod study;
mod tiles;

pub use kind::{Drawn, Kind, draw};
pub(crate) use kind::{Means, drawn_svg, means};
pub use scene::Picture;
pub use source::{Options, Source};
