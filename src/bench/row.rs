//! One line of the result, and all of them as JSON or CSV.

use serde_json::{Value, json};

use super::driver::Driver;
use super::machine::Machine;

/// A driver on a model with a number of chains. Seconds are by the wall; ESS is the bulk effective sample size
/// (Vehtari et al. 2021), the smallest over all parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What moved the chains.
    pub driver: Driver,
    /// The model.
    pub model: String,
    /// Number of chains.
    pub chains: usize,
    /// Gradients of all chains per second, while sampling.
    pub gradients_per_second: f64,
    /// Gradients per second that a core ran; none on a GPU in hardware, where cores do not compute them.
    pub gradients_per_core_second: Option<f64>,
    /// ESS per second of sampling.
    pub ess_per_second: Option<f64>,
    /// ESS per second of warm-up and sampling together, for the numbers of iterations that `fit` takes unasked.
    pub ess_per_second_with_warmup: Option<f64>,
    /// From model text and table to the first draw of every chain: compiling, opening the device, warm-up.
    pub time_to_first_draw_seconds: Option<f64>,
    /// From model text and table to a smallest ESS of 1,000.
    pub seconds_to_ess_1000: Option<f64>,
    /// Warm-up alone.
    pub warmup_seconds: Option<f64>,
    /// Iterations of warm-up of each chain; 0 if tuning and positions came from fewer chains.
    pub warmup: u32,
    /// Iterations of each chain that were timed.
    pub draws: usize,
    /// ESS per gradient of sampling.
    pub ess_per_gradient: Option<f64>,
    /// The number of chains at which ESS per gradient was measured, with the same driver: the row's own, or fewer where
    /// a whole warm-up would have overrun the time budget.
    pub ess_measured_at_chains: Option<usize>,
    /// What the draws of `fit`'s own length, with their statistics, take in memory.
    pub bytes: u64,
}

impl Row {
    fn to_json(&self) -> Value {
        let adapter = self.driver.adapter();
        json!({
            "backend": self.driver.backend(),
            "adapter": adapter.map(|adapter| &adapter.name),
            "software": adapter.is_some_and(|adapter| adapter.is_software),
            "driver": self.driver.name(),
            "model": self.model,
            "chains": self.chains,
            "gradients_per_second": number(Some(self.gradients_per_second)),
            "gradients_per_core_second": number(self.gradients_per_core_second),
            "ess_per_second": number(self.ess_per_second),
            "time_to_first_draw_seconds": number(self.time_to_first_draw_seconds),
            "ess_per_second_with_warmup": number(self.ess_per_second_with_warmup),
            "seconds_to_ess_1000": number(self.seconds_to_ess_1000),
            "warmup_seconds": number(self.warmup_seconds),
            "warmup": self.warmup,
            "draws": self.draws,
            "ess_per_gradient": number(self.ess_per_gradient),
            "ess_measured_at_chains": self.ess_measured_at_chains,
            "bytes": self.bytes,
        })
    }
}

/// A number that JSON can hold.
fn number(x: Option<f64>) -> Option<f64> {
    x.filter(|x| x.is_finite())
}

/// The rows as in `bench --format json`: the machine, the program's version, the rows, what was left out and why.
pub fn to_json(machine: &Machine, rows: &[Row], notes: &[String]) -> Value {
    json!({
        "machine": machine.to_string(),
        "processor": machine.processor,
        "cores": machine.cores,
        "instruction_set": machine.instruction_set,
        "system": machine.system,
        "version": env!("CARGO_PKG_VERSION"),
        "rows": rows.iter().map(Row::to_json).collect::<Vec<_>>(),
        "notes": notes,
    })
}

/// The rows as CSV, the keys of the JSON as columns; an empty field where a number was not measured.
pub fn to_csv(rows: &[Row]) -> String {
    let objects: Vec<Value> = rows.iter().map(Row::to_json).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (place, object) in objects.iter().filter_map(Value::as_object).enumerate() {
        let cells = object.values().map(|value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
        });
        // Writing to memory does not fail, and all rows have the same keys.
        let header = if place == 0 {
            writer.write_record(object.keys())
        } else {
            Ok(())
        };
        let written = header.and_then(|()| writer.write_record(cells));
        debug_assert!(written.is_ok());
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
