//! Writes the fused driver's module: expands `shaders/hmc_fused.wgsl` for the form of a kernel.

use crate::back::kernel::{Data, Form, FusedKernel, Memory};
#[cfg(feature = "gpu")]
use crate::error::{Error, Result};

use super::texts::{BINDINGS, PHILOX, SETTINGS, SPECIAL, product};

const HMC_FUSED: &str = include_str!("../../shaders/hmc_fused.wgsl");

/// The names of state in a template, and their arrays and scalars.
const STATE: [char; 6] = ['x', 'd', 'p', 'b', 'e', 'm'];

/// One expansion of the template.
#[derive(Clone, Copy)]
struct Expansion {
    form: Form,
    memory: Memory,
    data: Data,
    dim: usize,
    /// Entries of the data columns.
    columns: usize,
    /// Data that the codes of centring weights choose.
    tuned: usize,
}

impl Expansion {
    fn of(kernel: &FusedKernel) -> Self {
        Self {
            form: kernel.form,
            memory: kernel.memory,
            data: kernel.density.data,
            dim: kernel.density.dim,
            columns: kernel.density.columns.len(),
            tuned: kernel.tuned.len(),
        }
    }

    /// Whether data columns lie in the thread's own memory.
    fn holds_columns(self) -> bool {
        self.form == Form::Unrolled && self.memory == Memory::Held
    }

    /// Whether data columns are read where their places are known, from a uniform buffer.
    fn reads_known(self) -> bool {
        self.reads_tuned() && self.data == Data::Shared
    }

    /// Whether what the codes of centring weights choose is read where it lies.
    fn reads_tuned(self) -> bool {
        self.form == Form::Unrolled && self.memory == Memory::Buffers
    }

    /// Whether a thread keeps this part of the state in its own memory.
    fn is_private(self, name: char) -> bool {
        self.memory == Memory::Held || matches!(name, 'x' | 'd' | 'p')
    }

    /// `name` of coordinate `i`, which is a number (of an unrolled module) or the variable of a loop.
    fn state(self, name: char, i: &str) -> String {
        if self.is_private(name) {
            return match self.form {
                Form::Unrolled => format!("{name}{i}"),
                Form::Arrays | Form::Buffers => format!("{name}s[{i}]"),
            };
        }
        let i = self.index(i);
        match name {
            'b' => format!("trajectory[(DIM + {i}) * chains + chain]"),
            'e' => format!("trajectory[(2u * DIM + {i}) * chains + chain]"),
            _ => format!("hmc_inv_mass(ensemble, {i})"),
        }
    }

    fn index(self, i: &str) -> String {
        match self.form {
            Form::Unrolled => format!("{i}u"),
            Form::Arrays | Form::Buffers => i.to_owned(),
        }
    }

    fn line(self, line: &str, i: &str) -> String {
        let mut text = line.replace("@i", &self.index(i));
        for name in STATE {
            text = text.replace(&format!("{name}@"), &self.state(name, i));
        }
        text
    }

    /// `line` once per coordinate.
    fn each(self, indent: &str, line: &str) -> Vec<String> {
        match self.form {
            Form::Unrolled => (0..self.dim)
                .map(|i| format!("{indent}{}", self.line(line, &i.to_string())))
                .collect(),
            Form::Arrays | Form::Buffers => vec![format!(
                "{indent}for (var i = 0u; i < DIM; i++) {{ {} }}",
                self.line(line, "i")
            )],
        }
    }

    /// The private variables.
    fn declare(self) -> Vec<String> {
        let private = STATE.into_iter().filter(|&name| self.is_private(name));
        let scalar = |name: String| format!("var<private> {name}: f32;");
        let mut lines: Vec<String> = private
            .flat_map(|name| match self.form {
                Form::Unrolled => (0..self.dim).map(|i| scalar(format!("{name}{i}"))).collect(),
                Form::Arrays | Form::Buffers => {
                    vec![format!("var<private> {name}s: array<f32, {}>;", self.dim)]
                }
            })
            .collect();
        if self.holds_columns() {
            lines.extend((0..self.columns).map(|at| scalar(format!("k{at}"))));
            lines.extend((0..self.tuned).map(|place| scalar(format!("c{place}"))));
        }
        if self.reads_known() {
            let vectors = vectors(self.columns);
            lines.extend([
                "// Data columns whose places are known, as operands rather than loads.".to_owned(),
                format!("@group(0) @binding(9) var<uniform> known_columns: array<vec4<f32>, {vectors}>;"),
            ]);
        }
        if self.data == Data::PerEnsemble {
            lines.extend([
                "// Where the data columns of the chain's ensemble begin.".to_owned(),
                "var<private> column_base: u32;".to_owned(),
            ]);
        }
        if self.reads_tuned() {
            lines.extend([
                "// Where the data that the codes of the chain's ensemble choose begin in the settings."
                    .to_owned(),
                "var<private> hmc_tuned_at: u32;".to_owned(),
                "fn hmc_tuned(place: u32) -> f32 { return bitcast<f32>(settings[hmc_tuned_at + place]); }"
                    .to_owned(),
            ]);
        }
        lines
    }

    /// Stores `z`, the four normals of a block, as momenta.
    fn momentum(self, indent: &str) -> Vec<String> {
        let parts = ["x", "y", "z", "w"];
        match self.form {
            // A dynamic index would force the scalars into an array.
            Form::Unrolled => {
                let mut lines = vec![format!("{indent}switch block {{")];
                for block in 0..self.dim.div_ceil(4) {
                    let stores: Vec<String> = (4 * block..self.dim.min(4 * block + 4))
                        .map(|i| format!("p{i} = z.{};", parts[i % 4]))
                        .collect();
                    lines.push(format!("{indent}    case {block}u: {{ {} }}", stores.join(" ")));
                }
                lines.push(format!("{indent}    default: {{}}"));
                lines.push(format!("{indent}}}"));
                lines
            }
            Form::Arrays | Form::Buffers => parts
                .iter()
                .enumerate()
                .map(|(k, part)| {
                    format!("{indent}if 4u * block + {k}u < DIM {{ ps[4u * block + {k}u] = z.{part}; }}")
                })
                .collect(),
        }
    }

    /// Loads the data columns of all ensembles, where they are held.
    fn shared_columns(self, indent: &str) -> Vec<String> {
        match self.data {
            Data::Shared => self.held_columns(indent, ""),
            Data::PerEnsemble => Vec::new(),
        }
    }

    /// Tells where the ensemble's own data columns begin, and loads them where they are held.
    fn own_columns(self, indent: &str) -> Vec<String> {
        match self.data {
            Data::Shared => Vec::new(),
            Data::PerEnsemble => {
                let mut lines = vec![format!("{indent}column_base = ensemble * {}u;", self.columns)];
                lines.extend(self.held_columns(indent, "column_base + "));
                lines
            }
        }
    }

    fn held_columns(self, indent: &str, base: &str) -> Vec<String> {
        let held = if self.holds_columns() { self.columns } else { 0 };
        (0..held)
            .map(|at| format!("{indent}k{at} = columns[{base}{at}u];"))
            .collect()
    }

    /// Loads the data that the codes of the ensemble's centring weights choose, where they are held; else tells where
    /// they are.
    fn tuned(self, indent: &str) -> Vec<String> {
        let begin = "params.ensembles * DIM + ensemble * params.levels";
        if self.reads_tuned() {
            return vec![format!("{indent}hmc_tuned_at = {begin};")];
        }
        let held = if self.holds_columns() { self.tuned } else { 0 };
        (0..held)
            .map(|place| format!("{indent}c{place} = bitcast<f32>(settings[{begin} + {place}u]);"))
            .collect()
    }

    fn expand(self, template: &str) -> String {
        let mut lines = Vec::new();
        for line in template.lines() {
            let code = line.trim_start();
            let indent = &line[..line.len() - code.len()];
            if let Some(rest) = code.strip_prefix("//@each ") {
                lines.extend(self.each(indent, rest));
            } else if let Some(rest) = code.strip_prefix("//@held ") {
                if self.memory == Memory::Held {
                    lines.extend(self.each(indent, rest));
                }
            } else if let Some(rest) = code.strip_prefix("//@stored ") {
                if self.memory == Memory::Buffers {
                    lines.extend(self.each(indent, rest));
                }
            } else {
                match code {
                    "//@declare" => lines.extend(self.declare()),
                    "//@momentum" => lines.extend(self.momentum(indent)),
                    "//@tuned" => lines.extend(self.tuned(indent)),
                    "//@shared_columns" => lines.extend(self.shared_columns(indent)),
                    "//@own_columns" => lines.extend(self.own_columns(indent)),
                    _ => lines.push(line.to_owned()),
                }
            }
        }
        lines.join("\n") + "\n"
    }
}

/// Vectors of four that `columns` numbers fill, at least one.
fn vectors(columns: usize) -> usize {
    columns.div_ceil(4).max(1)
}

/// Most bytes of a uniform buffer that WebGPU promises.
#[cfg(feature = "gpu")]
const UNIFORM_BYTES: usize = 65_536;

/// The values of `known_columns`, if the kernel's text reads it.
///
/// # Errors
/// User: more than a uniform buffer holds.
#[cfg(feature = "gpu")]
pub(super) fn known_columns(kernel: &FusedKernel) -> Result<Option<Vec<f32>>> {
    let expansion = Expansion::of(kernel);
    if !expansion.reads_known() {
        return Ok(None);
    }
    let mut values = kernel.density.columns.clone();
    values.resize(4 * vectors(values.len()), 0.0);
    if 4 * values.len() > UNIFORM_BYTES {
        return Err(Error::user(format!(
            "the model's data need {} bytes of a uniform buffer, which holds {UNIFORM_BYTES}",
            4 * values.len()
        ))
        .with_help("use `--driver stepped`, or `--backend cpu`"));
    }
    Ok(Some(values))
}

/// The whole module around a kernel in [`Form::Arrays`] or [`Form::Unrolled`], as a device compiles it but for the
/// values of its `override` constants.
pub fn fused_module(kernel: &FusedKernel, has_wide_integers: bool) -> String {
    let expansion = Expansion::of(kernel);
    let driver = expansion.expand(HMC_FUSED);
    let product = product(has_wide_integers);
    [
        BINDINGS,
        SPECIAL,
        product,
        PHILOX,
        SETTINGS,
        &kernel.density.wgsl,
        &driver,
    ]
    .join("\n")
}
