//! A fit on whatever adapter there is, software or not; without one the test fails where `TADPOOL_REQUIRE_GPU=1` is set.

use serde_json::Value;

use crate::harness::{Folder, REED_FROGS};

#[test]
fn a_gpu_fit_names_its_adapter_and_is_checked_in_f64() {
    let folder = Folder::new("gpu");
    let devices = folder.run(["devices"]).exits(0).out;
    if devices.contains("No GPU adapter found") {
        assert!(
            std::env::var("TADPOOL_REQUIRE_GPU").is_err(),
            "TADPOOL_REQUIRE_GPU is set and there is no adapter"
        );
        println!("no adapter: nothing was run");
        return;
    }
    println!("{devices}");
    let flags = [
        "--backend",
        "gpu",
        "--chains",
        "64",
        "--draws",
        "40",
        "--format",
        "json",
    ];
    let fit = || folder.run(REED_FROGS.iter().chain(&flags)).exits(0);
    let ran = fit();
    let json = ran.json();
    assert_eq!(
        (&json["backend"], &json["sampler"]),
        (&Value::from("gpu"), &Value::from("hmc"))
    );
    let adapter = json["adapter"].as_str().expect("the adapter's name");
    assert!(
        devices.contains(adapter) && ran.err.contains(adapter),
        "{adapter}"
    );
    assert!(json["diagnostics"]["nested_rhat"].is_number());
    // A log density near -200 in f32 has steps of 1.5e-5; a few hundred operations lie behind it.
    let discrepancy = json["diagnostics"]["max_f32_discrepancy"]
        .as_f64()
        .expect("a number");
    assert!(discrepancy > 0.0 && discrepancy < 0.01, "{discrepancy}");
    assert_eq!(
        fit().json()["parameters"],
        json["parameters"],
        "one seed, one result"
    );
}
