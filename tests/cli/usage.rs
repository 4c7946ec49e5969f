//! Flags, help, colours, quiet.

use crate::harness::{Folder, REED_FROGS, ran};

#[test]
fn what_is_not_known_is_a_usage_error() {
    let folder = Folder::new("unknown");
    for args in [
        vec![],
        vec!["study", "recover", "a.tad"],
        vec!["fit", "m.tad"],
        vec!["devices", "--all"],
        [&REED_FROGS[..], &["--chain", "4"]].concat(),
        [&REED_FROGS[..], &["--prob", "89"]].concat(),
        [&REED_FROGS[..], &["--chains", "0"]].concat(),
        [&REED_FROGS[..], &["--thin", "0"]].concat(),
        [&REED_FROGS[..], &["--target-accept", "1"]].concat(),
        [&REED_FROGS[..], &["--backend", "tpu"]].concat(),
        [&REED_FROGS[..], &["--backend", "cpu", "--adapter", "x"]].concat(),
    ] {
        let ran = folder.run(&args).exits(2);
        assert!(ran.out.is_empty(), "{args:?}: {}", ran.out);
        assert!(!ran.err.is_empty(), "{args:?}");
    }
    assert!(!folder.path("m12_2.nc").exists());
}

#[test]
fn nonsense_is_refused_with_what_was_expected() {
    let folder = Folder::new("nonsense");
    for (flags, expected) in [
        (
            ["--mcse", "0"],
            "invalid value '0' for '--mcse <X>': expected a part of the posterior sd, above 0 and below 1; 0.02 takes \
             about 2500 effective draws, 0.05 about 400",
        ),
        (
            ["--mcse", "2"],
            "invalid value '2' for '--mcse <X>': expected a part of the posterior sd, above 0 and below 1;",
        ),
        (
            ["--max-seconds", "-1"],
            "invalid value '-1' for '--max-seconds <S>': expected a number of seconds above 0, such as 60",
        ),
        (
            ["--keep", "foo"],
            "invalid value 'foo' for '--keep <WHAT>'\n  [possible values: all, summary]",
        ),
    ] {
        let ran = folder.fit(&flags).exits(2);
        assert!(ran.err.contains(expected), "{flags:?}: {}", ran.err);
    }
    let ran = folder.fit(&["--keep", "summary", "--log-lik", "all"]).exits(3);
    assert!(ran.err.contains("help: use `--keep all`"), "{}", ran.err);
    assert!(!folder.path("m12_2.nc").exists());
}

#[test]
fn flags_of_later_releases_are_refused_by_name() {
    let folder = Folder::new("later");
    let ran = folder.fit(&["--resume=old.nc"]).exits(2);
    assert!(
        ran.err.contains("--resume") && ran.err.contains("comes in a later release"),
        "{}",
        ran.err
    );
    assert!(!folder.path("m12_2.nc").exists());
    folder.fit(&["--keep", "all", "--driver", "fused"]).exits(0);
}

#[test]
fn the_examples_of_help_work_as_typed() {
    let folder = Folder::new("examples");
    let mut examples = 0;
    for command in [
        "",
        "fit",
        "summary",
        "compare",
        "predict",
        "plot",
        "report",
        "simulate",
        "study recover",
        "study sbc",
        "study power",
        "study kfold",
        "study merge",
        "study slurm",
        "export",
        "check",
        "bench",
        "devices",
    ] {
        let help = folder
            .run(command.split_whitespace().chain(["--help"]))
            .exits(0)
            .out
            .replace("\\\n", " ");
        let lines: Vec<&str> = help
            .lines()
            .filter(|line| line.starts_with("  tadpool "))
            .collect();
        assert!(!lines.is_empty(), "`{command}` has no example:\n{help}");
        for line in lines {
            let typed = line
                .trim_start()
                .replacen("tadpool", env!("CARGO_BIN_EXE_tadpool"), 1);
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", &typed]).current_dir(folder.path(""));
            let ran = ran(&mut shell);
            assert_eq!(ran.code, Some(0), "{line}\n{}", ran.err);
            assert!(!ran.out.is_empty(), "{line}");
            examples += 1;
        }
    }
    assert!(examples >= 13, "only {examples} examples were found");
}

#[test]
fn help_names_no_command_or_flag_that_cannot_be_used() {
    let folder = Folder::new("help");
    let help = folder.run(["--help"]).exits(0).out;
    assert!(help.contains("  study "), "study is not listed");
    let help = folder.run(["fit", "--help"]).exits(0).out;
    let listed = |flag: &str| help.lines().any(|line| line.trim_start().starts_with(flag));
    assert!(
        listed("--chains <N>") && listed("--mcse <X>") && !listed("--resume"),
        "{help}"
    );
}

#[test]
fn colours_obey_flag_and_environment() {
    let folder = Folder::new("colours");
    let bad = ["summary", "no.nc"];
    let escapes = |args: &[&str], variables: &[(&str, &str)]| {
        let ran = ran(folder
            .command(bad.iter().chain(args))
            .envs(variables.iter().copied()));
        ran.err.contains('\x1b')
    };
    assert!(!escapes(&[], &[]), "no colours on a pipe");
    assert!(escapes(&["--color", "always"], &[]));
    assert!(escapes(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!escapes(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!escapes(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn quiet_says_nothing_and_prints_the_result() {
    let folder = Folder::new("quiet");
    let ran = folder.fit(&["--quiet"]).exits(0);
    assert_eq!(ran.err, "");
    assert!(ran.out.contains("a_tank[48]"));
    let ran = folder.fit(&[]).exits(0);
    assert!(
        ran.err.contains("back end cpu") && ran.err.contains("seed 1"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("the draws are in m12_2.nc"), "{}", ran.err);
    assert!(
        ran.err
            .contains("back end cpu: few chains, so NUTS, which runs there;"),
        "{}",
        ran.err
    );
}

#[test]
fn an_adapter_that_is_not_there_is_an_error_under_auto_too() {
    let folder = Folder::new("auto_adapter");
    let ran = folder.fit(&["--adapter", "no such adapter"]);
    assert!(matches!(ran.code, Some(1 | 3)), "{}", ran.err);
    assert!(ran.err.contains("help: "), "{}", ran.err);
    assert!(!folder.path("m12_2.nc").exists());
}

#[test]
fn words_of_other_programs_are_met_with_ours() {
    let folder = Folder::new("foreign");
    let fit = |more: &[&'static str]| [&REED_FROGS[..], more].concat();
    for (args, tip) in [
        (fit(&["--cores", "2"]), "`--threads N`"),
        (fit(&["--iter", "2000"]), "`--warmup N` and `--draws N`"),
        (fit(&["--adapt_delta=0.95"]), "`--target-accept X`"),
        (
            fit(&["--target_accept", "0.95"]),
            "`--target-accept` is spelled with hyphens",
        ),
        (vec!["fit", "m.tad", "d.csv"], "`--data d.csv`"),
        (vec!["m.tad"], "`tadpool fit m.tad --data CSV`"),
        (vec!["m.nc"], "`tadpool summary m.nc`"),
        (vec!["compare", "m.nc", "n.nc", "--waic"], "`--by waic`"),
        (vec!["plot", "m.nc"], "`tadpool plot all m.nc`"),
        (
            vec!["predict", "m.nc", "--grid", "a=0,1", "b=2"],
            "`--grid '… b=2'`",
        ),
        (
            vec![
                "simulate", "m.tad", "--data", "d.csv", "--out", "s.csv", "--set", "a", "1.4",
            ],
            "`--set NAME=1.4`",
        ),
    ] {
        let ran = folder.run(&args).exits(2);
        assert!(ran.err.contains(tip), "{args:?}: {}", ran.err);
    }
    // What comes in a later release is no help now, and a flag is no value.
    for flag in ["--cores", "--resum", "--foo"] {
        let ran = folder.run(fit(&[flag, "2"])).exits(2);
        let misleads = ran.err.contains("--resume") || ran.err.contains("as a value");
        assert!(!misleads, "{flag}: {}", ran.err);
    }
}
