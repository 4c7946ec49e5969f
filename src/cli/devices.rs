//! `tadpool devices`: the adapters that are there, what `auto` takes, and why.

use super::Outcome;
use super::output::print;
use super::style::{HEADING, styled};
use crate::error::Result;
use crate::gpu::{Adapter, choose, list_adapters};

/// Prints the page; having no adapter is no error.
pub(super) fn run() -> Result<Outcome> {
    let page = match list_adapters() {
        Ok(adapters) => describe(&adapters),
        Err(error) => {
            let help = error.help().map_or(String::new(), |help| format!(" ({help})"));
            format!(
                "No GPU: {}{help}.\n\n`--backend auto` takes the CPU.\n",
                error.message()
            )
        }
    };
    print(&page)?;
    Ok(Outcome::Done)
}

fn describe(adapters: &[Adapter]) -> String {
    if adapters.is_empty() {
        return "No GPU adapter found; Vulkan, Metal and DX12 were asked. A GPU needs its maker's Vulkan driver; on \
                Debian and Ubuntu\nthe package mesa-vulkan-drivers has the open ones, and Vulkan in software.\n\n\
                `--backend auto` takes the CPU: there is no GPU.\n"
            .to_owned();
    }
    let mut text = String::new();
    for adapter in adapters {
        text.push_str(&described(adapter));
        text.push('\n');
    }
    text.push_str(&auto(adapters));
    text
}

fn described(adapter: &Adapter) -> String {
    let limits = &adapter.limits;
    let kind = if adapter.is_software {
        "software: the CPU plays the GPU, with right numbers and no gain in speed".to_owned()
    } else {
        adapter.device_type.clone()
    };
    let driver = if adapter.driver.is_empty() {
        "not told"
    } else {
        &adapter.driver
    };
    let lines = [
        ("type", kind),
        ("API", adapter.backend.clone()),
        ("driver", driver.to_owned()),
        (
            "buffers",
            format!(
                "up to {}, of which a shader sees {} at once, in up to {} buffers",
                bytes(limits.max_buffer_bytes),
                bytes(limits.max_storage_binding_bytes),
                limits.max_storage_buffers
            ),
        ),
        (
            "workgroups",
            format!(
                "up to {} threads with {} of shared memory, {} a dimension",
                limits.max_workgroup_threads,
                bytes(limits.max_workgroup_bytes.into()),
                limits.max_workgroups_per_dimension
            ),
        ),
    ];
    let mut text = format!("{}\n", styled(HEADING, &adapter.name));
    for (title, value) in lines {
        text.push_str(&format!("  {title:<12}{value}\n"));
    }
    if let Some(trips) = adapter.max_loop_trips() {
        text.push_str(&format!(
            "  {:<12}a shader's loops end after {trips} trips; models that need more are refused here\n",
            "loops"
        ));
    }
    text
}

/// What `auto` takes: never software.
fn auto(adapters: &[Adapter]) -> String {
    let hardware: Vec<Adapter> = adapters
        .iter()
        .filter(|adapter| !adapter.is_software)
        .cloned()
        .collect();
    match choose(&hardware, None) {
        Ok(best) => format!(
            "`--backend auto` takes {} where the work is large enough to pay, and the CPU for the rest (few chains of a \
             small\nmodel, NUTS); every fit says which and why.\n",
            hardware[best].name
        ),
        Err(_) => {
            "`--backend auto` takes the CPU: the only adapters are software, which is no faster than the CPU \
                   itself.\n`--backend gpu` takes one nevertheless.\n"
                .to_owned()
        }
    }
}

/// A size in binary units, exact ones without decimals: `16 KiB`, `1.5 GiB`.
fn bytes(size: u64) -> String {
    let scales = [
        (1u64 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ];
    match scales.into_iter().find(|(scale, _)| size >= *scale) {
        Some((scale, unit)) if size.is_multiple_of(scale) => format!("{} {unit}", size / scale),
        Some((scale, unit)) => format!("{:.1} {unit}", size as f64 / scale as f64),
        None => format!("{size} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::AdapterLimits;

    fn adapter(name: &str, is_software: bool) -> Adapter {
        Adapter {
            name: name.into(),
            backend: "vulkan".into(),
            device_type: if is_software { "cpu" } else { "discrete" }.into(),
            driver: String::new(),
            is_software,
            limits: AdapterLimits {
                max_buffer_bytes: 1 << 31,
                max_storage_binding_bytes: (1 << 27) + (1 << 26),
                max_storage_buffers: 8,
                max_workgroups_per_dimension: 65_535,
                max_workgroup_threads: 256,
                max_workgroup_bytes: 32_768,
            },
            features: Vec::new(),
        }
    }

    #[test]
    fn software_is_listed_and_never_taken_by_auto() {
        let page = describe(&[adapter("llvmpipe", true)]);
        assert!(page.contains("software"), "{page}");
        assert!(
            page.contains("`--backend auto` takes the CPU: the only adapters are software"),
            "{page}"
        );
        let page = describe(&[adapter("llvmpipe", true), adapter("Big GPU", false)]);
        assert!(page.contains("`--backend auto` takes Big GPU"), "{page}");
    }

    #[test]
    fn no_adapter_names_the_remedy() {
        let page = describe(&[]);
        assert!(
            page.contains("mesa-vulkan-drivers") && page.contains("takes the CPU"),
            "{page}"
        );
    }

    #[test]
    fn sizes_are_in_binary_units() {
        assert_eq!(bytes(32_768), "32 KiB");
        assert_eq!(bytes(3 << 29), "1.5 GiB");
        assert_eq!(bytes(100), "100 bytes");
    }
}
