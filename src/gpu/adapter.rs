//! What there is to run on: adapters as plain data, and the choice among them.

use std::fmt;

use crate::error::{Error, Result};

/// Limits of an adapter, as it states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdapterLimits {
    /// Largest buffer, bytes.
    pub max_buffer_bytes: u64,
    /// Largest part of a buffer that a shader can see, bytes.
    pub max_storage_binding_bytes: u64,
    /// Storage buffers that one shader can see.
    pub max_storage_buffers: u32,
    /// Workgroups of a dispatch, per dimension.
    pub max_workgroups_per_dimension: u32,
    /// Threads of a workgroup.
    pub max_workgroup_threads: u32,
    /// Workgroup memory, bytes.
    pub max_workgroup_bytes: u32,
}

/// A GPU, or a program that plays one, as the graphics API describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// The adapter's own name.
    pub name: String,
    /// Graphics API: vulkan, metal, dx12.
    pub backend: String,
    /// discrete, integrated, virtual, cpu or other.
    pub device_type: String,
    /// Driver with its version; empty where the API does not tell.
    pub driver: String,
    /// True where the CPU plays the GPU (llvmpipe, SwiftShader, WARP): right, but no faster than the CPU.
    pub is_software: bool,
    /// Its limits.
    pub limits: AdapterLimits,
    /// Optional features it offers, by wgpu's names, sorted.
    pub features: Vec<String>,
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {}", self.name, self.backend, self.device_type)?;
        if !self.driver.is_empty() {
            write!(f, ", {}", self.driver)?;
        }
        if self.is_software {
            f.write_str(", software")?;
        }
        f.write_str(")")
    }
}

impl Adapter {
    /// Loop trips after which one shader invocation is cut short without a word, if this adapter does so.
    ///
    /// Mesa's llvmpipe ends every loop of an invocation after 65,535 trips in total; the bound leaves some to the
    /// loops that drivers add.
    pub fn max_loop_trips(&self) -> Option<u64> {
        let is_llvmpipe = is_named(&["llvmpipe", "lavapipe"], &self.name, &self.driver);
        is_llvmpipe.then_some(60_000)
    }

    /// Order of preference, best first; equal ones stay in the order in which the system lists them.
    fn rank(&self) -> u32 {
        match (self.is_software, self.device_type.as_str()) {
            (true, _) => 4,
            (false, "discrete") => 0,
            (false, "integrated") => 1,
            (false, "virtual") => 2,
            (false, _) => 3,
        }
    }
}

/// Words in the names of adapters that are programs on the CPU.
#[cfg(any(feature = "gpu", test))]
const SOFTWARE: [&str; 6] = [
    "llvmpipe",
    "lavapipe",
    "swiftshader",
    "softpipe",
    "microsoft basic render",
    "warp",
];

/// Whether an adapter is software, by its kind or by the name that it or its driver bears.
#[cfg(any(feature = "gpu", test))]
pub(super) fn is_software(is_cpu: bool, name: &str, driver: &str) -> bool {
    is_cpu || is_named(&SOFTWARE, name, driver)
}

/// Whether one of `words` (in lower case) is in the name of an adapter or of its driver.
fn is_named(words: &[&str], name: &str, driver: &str) -> bool {
    let text = format!("{name} {driver}").to_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// The index of the adapter to use: the best one, or the first whose name contains `wanted`, upper and lower case
/// alike.
///
/// # Errors
/// Environment: there is none. User: no name contains `wanted`; the message lists what there is.
pub fn choose(adapters: &[Adapter], wanted: Option<&str>) -> Result<usize> {
    if adapters.is_empty() {
        return Err(
            Error::environment("no GPU adapter found (Vulkan, Metal and DX12 were asked)").with_help(
                "install the GPU's Vulkan driver; on Debian or Ubuntu `apt install mesa-vulkan-drivers` gives Vulkan in \
                 software; or use `--backend cpu`",
            ),
        );
    }
    let fits = |adapter: &Adapter| match wanted {
        Some(name) => adapter.name.to_lowercase().contains(&name.to_lowercase()),
        None => true,
    };
    let best = (0..adapters.len())
        .filter(|&i| fits(&adapters[i]))
        .min_by_key(|&i| adapters[i].rank());
    best.ok_or_else(|| {
        let names: Vec<String> = adapters.iter().map(|a| format!("  {a}")).collect();
        Error::user(format!(
            "no adapter's name contains `{}`; there are:\n{}",
            wanted.unwrap_or_default(),
            names.join("\n")
        ))
        .with_help("give `--adapter` a part of one of these names, or leave it out")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn adapter(name: &str, device_type: &str, is_software: bool) -> Adapter {
        Adapter {
            name: name.into(),
            backend: "vulkan".into(),
            device_type: device_type.into(),
            driver: String::new(),
            is_software,
            limits: AdapterLimits {
                max_buffer_bytes: 1 << 28,
                max_storage_binding_bytes: 1 << 27,
                max_storage_buffers: 8,
                max_workgroups_per_dimension: 65_535,
                max_workgroup_threads: 256,
                max_workgroup_bytes: 16_384,
            },
            features: Vec::new(),
        }
    }

    #[test]
    fn hardware_goes_before_software() {
        let all = [
            adapter("llvmpipe", "cpu", true),
            adapter("Integrated", "integrated", false),
            adapter("Discrete", "discrete", false),
        ];
        assert_eq!(choose(&all, None), Ok(2));
        assert_eq!(choose(&all[..2], None), Ok(1));
        assert_eq!(choose(&all, Some("LLVM")), Ok(0));
    }

    #[test]
    fn a_wrong_name_lists_what_there_is() {
        let error = choose(&[adapter("Radeon X", "discrete", false)], Some("geforce")).unwrap_err();
        assert_eq!(error.kind(), Kind::User);
        assert!(error.message().contains("`geforce`") && error.message().contains("Radeon X"));
    }

    #[test]
    fn none_at_all_names_the_remedy() {
        let error = choose(&[], None).unwrap_err();
        assert_eq!(error.kind(), Kind::Environment);
        assert!(error.help().is_some_and(|help| help.contains("--backend cpu")));
    }

    #[test]
    fn software_is_known_by_kind_or_name() {
        assert!(is_software(true, "Anything", ""));
        assert!(is_software(false, "llvmpipe (LLVM 19, 256 bits)", "llvmpipe"));
        assert!(is_software(false, "SwiftShader Device", ""));
        assert!(!is_software(false, "NVIDIA H100", "NVIDIA"));
    }

    #[test]
    fn only_llvmpipe_cuts_loops() {
        assert!(
            adapter("llvmpipe (LLVM 19, 256 bits)", "cpu", true)
                .max_loop_trips()
                .is_some()
        );
        assert_eq!(adapter("SwiftShader Device", "cpu", true).max_loop_trips(), None);
        assert_eq!(adapter("NVIDIA H100", "discrete", false).max_loop_trips(), None);
    }
}
