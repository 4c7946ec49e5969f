//! What the numbers were measured on.

use crate::back::simd::InstructionSet;
use crate::fit::available_threads;

/// The machine and the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The processor's name, or its architecture where the system does not tell.
    pub processor: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Operating system and architecture: `linux x86_64`.
    pub system: String,
    /// The widest vector instructions in use.
    pub instruction_set: &'static str,
}

impl Machine {
    /// This one.
    pub fn this() -> Self {
        Self {
            processor: processor(),
            cores: available_threads(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            instruction_set: match InstructionSet::detect() {
                InstructionSet::Scalar => "scalar",
                InstructionSet::Baseline => "baseline",
                InstructionSet::Avx2 => "AVX2",
                InstructionSet::Avx512 => "AVX-512",
            },
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = if self.cores == 1 { "" } else { "s" };
        write!(
            f,
            "{}, {} core{plural}, {}, {}",
            self.processor, self.cores, self.instruction_set, self.system
        )
    }
}

/// The processor's name, as Linux tells it.
fn processor() -> String {
    std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| processor_of(&text))
        .unwrap_or_else(|| format!("{} processor", std::env::consts::ARCH))
}

/// The first `model name` in the text of `/proc/cpuinfo`.
fn processor_of(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    let name = line.split_once(':')?.1.split_whitespace().collect::<Vec<_>>();
    (!name.is_empty()).then(|| name.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processors_name_is_read() {
        let text =
            "processor\t: 0\nmodel name\t: Some  CPU @ 2.0GHz\n\nprocessor\t: 1\nmodel name\t: Other\n";
        assert_eq!(processor_of(text).as_deref(), Some("Some CPU @ 2.0GHz"));
        assert_eq!(processor_of("Hardware : board\n"), None);
        assert!(Machine::this().to_string().contains("core"));
    }
}
