//! How well models predict: against given pointwise values, against known values of fits, and against R and arviz-stats
//! on the same draws.

mod given;
mod known;
mod peers;
mod refits;

use std::sync::atomic::AtomicBool;

use tadpool::data::Table;
use tadpool::fit::{Backend, Fit, LogLik, Options, fit};
use tadpool::model::Model;

/// A fit of one of the models under `data/`, with NUTS and seed 1.
fn sample(folder: &str, model: &str, draws: u32, log_lik: LogLik) -> Fit {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(folder);
    let text = std::fs::read_to_string(folder.join(format!("{model}.tad"))).expect("a model");
    let table = std::fs::read_dir(&folder)
        .expect("a folder of data")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .expect("a table");
    let table = Table::from_path(&table).expect("a good table");
    let model = Model::new(model, &text, &table).expect("a good model");
    let options = Options {
        backend: Backend::Cpu,
        draws: Some(draws as _),
        log_lik,
        ..Options::default()
    };
    fit(&model, &options, &|_| {}, &AtomicBool::new(false)).expect("a fit")
}
