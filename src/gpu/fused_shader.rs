//! Writes the fused driver's module: expands `shaders/hmc_fused.wgsl` for the form of a kernel.

use crate::back::kernel::{Form, FusedKernel, Memory};

use super::shader::{BINDINGS, PHILOX, SETTINGS, SPECIAL};

const HMC_FUSED: &str = include_str!("../../shaders/hmc_fused.wgsl");

/// The names of state in a template, and their arrays and scalars.
const STATE: [char; 6] = ['x', 'd', 'p', 'b', 'e', 'm'];

/// One expansion of the template.
#[derive(Clone, Copy)]
struct Expansion {
    form: Form,
    memory: Memory,
    dim: usize,
    /// Centring weights of an ensemble.
    levels: usize,
    /// Entries of the data columns.
    columns: usize,
}

impl Expansion {
    fn of(kernel: &FusedKernel) -> Self {
        Self {
            form: kernel.form,
            memory: kernel.memory,
            dim: kernel.density.dim,
            levels: kernel.density.centring.len(),
            columns: kernel.density.columns.len(),
        }
    }

    /// Whether codes of centring weights lie in the thread's own memory.
    fn holds_codes(self) -> bool {
        self.levels > 0 && self.memory == Memory::Held
    }

    /// Whether data columns do.
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
        let mut names: Vec<(char, usize, &str)> = STATE
            .into_iter()
            .filter(|&name| self.is_private(name))
            .map(|name| (name, self.dim, "f32"))
            .collect();
        if self.holds_codes() {
            names.push(('c', self.levels, "u32"));
        }
        if self.holds_columns() {
            names.push(('k', self.columns, "f32"));
        }
        let of = |(name, len, ty): (char, usize, &str)| -> Vec<String> {
            match self.form {
                Form::Unrolled => (0..len)
                    .map(|i| format!("var<private> {name}{i}: {ty};"))
                    .collect(),
                Form::Arrays | Form::Buffers => {
                    vec![format!("var<private> {name}s: array<{ty}, {len}>;")]
                }
            }
        };
        names.into_iter().flat_map(of).collect()
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

    /// Loads the codes of the ensemble's centring weights, where they are held.
    fn codes(self, indent: &str) -> Vec<String> {
        let load = |name: &str, level: &str| format!("{name} = hmc_centring_code(ensemble, {level});");
        match self.form {
            _ if !self.holds_codes() => Vec::new(),
            Form::Unrolled => (0..self.levels)
                .map(|level| format!("{indent}{}", load(&format!("c{level}"), &format!("{level}u"))))
                .collect(),
            Form::Arrays | Form::Buffers => vec![format!(
                "{indent}for (var i = 0u; i < {}u; i++) {{ {} }}",
                self.levels,
                load("cs[i]", "i")
            )],
        }
    }

    /// Loads the data columns, where they are held.
    fn columns(self, indent: &str) -> Vec<String> {
        let held = if self.holds_columns() { self.columns } else { 0 };
        (0..held)
            .map(|at| format!("{indent}k{at} = columns[{at}u];"))
            .collect()
    }

    /// The function by which a log density reads the centring codes.
    fn centring_code(self) -> String {
        let body = match self.form {
            _ if self.levels == 0 => "    return 0u;\n".to_owned(),
            _ if !self.holds_codes() => {
                "    return hmc_centring_code(chain / params.chains_per_ensemble, level);\n".to_owned()
            }
            Form::Unrolled => {
                // The level is a constant wherever this is called, so one case remains of them.
                let cases: String = (0..self.levels)
                    .map(|level| format!("        case {level}u: {{ return c{level}; }}\n"))
                    .collect();
                format!("    switch level {{\n{cases}        default: {{ return 0u; }}\n    }}\n")
            }
            Form::Arrays | Form::Buffers => "    return cs[level];\n".to_owned(),
        };
        format!("fn centring_code(chain: u32, level: u32) -> u32 {{\n{body}}}\n")
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
                    "//@codes" => lines.extend(self.codes(indent)),
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
    let codes = expansion.centring_code();
    [
        BINDINGS,
        SPECIAL,
        PHILOX,
        SETTINGS,
        &codes,
        &kernel.density.wgsl,
        &driver,
    ]
    .join("\n")
}
