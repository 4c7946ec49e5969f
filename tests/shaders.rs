//! The WGSL that stands in files of its own parses, validates and defines what the generated code calls.

const SPECIAL: &str = include_str!("../shaders/special.wgsl");

#[test]
fn special_functions_are_valid_and_complete() {
    let module = naga::front::wgsl::parse_str(SPECIAL)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string_with_path(SPECIAL, "special.wgsl")));
    naga::valid::Validator::new(
        naga::valid::ValidationFlags::all(),
        naga::valid::Capabilities::empty(),
    )
    .validate(&module)
    .unwrap_or_else(|error| panic!("{}", error.emit_to_string_with_path(SPECIAL, "special.wgsl")));
    let defined: Vec<&str> = module
        .functions
        .iter()
        .filter_map(|(_, function)| function.name.as_deref())
        .collect();
    for name in [
        "accumulate",
        "tp_digamma",
        "tp_expm1",
        "tp_inv_logit",
        "tp_is_bad",
        "tp_lgamma",
        "tp_log1p",
        "tp_log_std_normal_cdf",
        "tp_softplus",
        "tp_std_normal_cdf",
    ] {
        assert!(defined.contains(&name), "{name} is not defined");
    }
}
