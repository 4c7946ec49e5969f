//! Writes the fused driver's module: expands `shaders/hmc_fused.wgsl` for the form of a kernel.

use crate::back::kernel::{Form, FusedKernel, Memory};

use super::texts::{BINDINGS, PHILOX, SETTINGS, SPECIAL};

const HMC_FUSED: &str = include_str!("../../shaders/hmc_fused.wgsl");

/// The names of state in a template, and their arrays and scalars.
const STATE: [char; 6] = ['x', 'd', 'p', 'b', 'e', 'm'];

/// One expansion of the template.
#[derive(Clone, Copy)]
struct Expansion<'a> {
    form: Form,
    memory: Memory,
    dim: usize,
    /// Entries of the data columns.
    columns: usize,
    /// Centring weights of an ensemble.
    levels: usize,
    tuned: &'a [(usize, usize)],
}

impl<'a> Expansion<'a> {
    fn of(kernel: &'a FusedKernel) -> Self {
        Self {
            form: kernel.form,
            memory: kernel.memory,
            dim: kernel.density.dim,
            columns: kernel.density.columns.len(),
            levels: kernel.density.centring.len(),
            tuned: &kernel.tuned,
        }
    }

    /// Whether data columns lie in the thread's own memory.
    fn holds_columns(self) -> bool {
        self.form == Form::Unrolled && self.memory == Memory::Held
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
            let levels = 0..self.levels;
            lines.extend(levels.map(|level| format!("var<private> code{level}: u32;")));
            let tuned = self.tuned.iter();
            lines.extend(tuned.map(|(start, level)| scalar(format!("c{start}_{level}"))));
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

    /// Loads the data columns, where they are held.
    fn columns(self, indent: &str) -> Vec<String> {
        let held = if self.holds_columns() { self.columns } else { 0 };
        (0..held)
            .map(|at| format!("{indent}k{at} = columns[{at}u];"))
            .collect()
    }

    /// Loads the codes of the ensemble's centring weights, and the data that they choose, where they are held.
    fn tuned(self, indent: &str) -> Vec<String> {
        if !self.holds_columns() {
            return Vec::new();
        }
        let codes = (0..self.levels)
            .map(|level| format!("{indent}code{level} = hmc_centring_code(ensemble, {level}u);"));
        let data = self
            .tuned
            .iter()
            .map(|(start, level)| format!("{indent}c{start}_{level} = columns[{start}u + code{level}];"));
        codes.chain(data).collect()
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
            } else {
                match code {
                    "//@declare" => lines.extend(self.declare()),
                    "//@momentum" => lines.extend(self.momentum(indent)),
                    "//@tuned" => lines.extend(self.tuned(indent)),
                    "//@columns" => lines.extend(self.columns(indent)),
                    _ => lines.push(line.to_owned()),
                }
            }
        }
        lines.join("\n") + "\n"
    }
}

/// The whole module around a kernel in [`Form::Arrays`] or [`Form::Unrolled`], as a device compiles it but for the
/// values of its `override` constants.
pub fn fused_module(kernel: &FusedKernel) -> String {
    let expansion = Expansion::of(kernel);
    let driver = expansion.expand(HMC_FUSED);
    [BINDINGS, SPECIAL, PHILOX, SETTINGS, &kernel.density.wgsl, &driver].join("\n")
}
