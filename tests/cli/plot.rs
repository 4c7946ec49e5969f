//! `tadpool plot`: which files are written, that they are pictures, and that marks stand where the data says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tiny_skia::Pixmap;

use crate::harness::{Folder, REED_FROGS};

/// The pictures whose paths a run printed, each with both files.
fn stems(out: &str) -> BTreeSet<String> {
    let stem = |line: &str| Path::new(line).with_extension("").display().to_string();
    out.lines().map(stem).collect()
}

/// Checks that an SVG is whole and a PNG shows something, of the same shape.
fn check(folder: &Folder, stem: &str) {
    let svg = fs::read_to_string(folder.path(&format!("{stem}.svg"))).expect("an SVG");
    let document = roxmltree::Document::parse(&svg).unwrap_or_else(|fault| panic!("{stem}.svg: {fault}"));
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "svg");
    let size = |name: &str| -> f64 { root.attribute(name).and_then(|x| x.parse().ok()).expect("a size") };
    for element in root.descendants().filter(|node| node.is_element()) {
        for attribute in element.attributes() {
            assert!(
                !attribute.value().contains("NaN") && !attribute.value().contains("inf"),
                "{stem}: {attribute:?}"
            );
        }
        assert!(
            !element.has_tag_name("script") && !element.has_tag_name("image"),
            "{stem}"
        );
    }
    let words: Vec<_> = root
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .collect();
    assert!(words.len() > 4, "{stem}: {} words", words.len());
    for word in words {
        let at = |name: &str| -> f64 {
            word.attribute(name)
                .and_then(|x| x.parse().ok())
                .expect("a place")
        };
        let inside = (0.0..=size("width")).contains(&at("x")) && (0.0..=size("height")).contains(&at("y"));
        assert!(inside, "{stem}: {:?} stands outside", word.text());
    }
    let png = fs::read(folder.path(&format!("{stem}.png"))).expect("a PNG");
    let pixels = Pixmap::decode_png(&png).expect("a PNG that opens");
    assert_eq!(f64::from(pixels.width()), (2.0 * size("width")).ceil());
    assert_eq!(f64::from(pixels.height()), (2.0 * size("height")).ceil());
    let colours: BTreeSet<[u8; 3]> = pixels
        .pixels()
        .iter()
        .map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
        .collect();
    assert!(colours.len() > 10, "{stem}.png has {} colours", colours.len());
}

#[test]
fn all_draws_what_a_fit_can_give_and_says_what_it_cannot() {
    let folder = Folder::new("plot_all");
    folder.fit(&[]).exits(0);
    let ran = folder
        .run(["plot", "all", "m12_2.nc", "--out", "pictures"])
        .exits(0);
    let drawn = stems(&ran.out);
    let kinds = [
        "autocorrelation",
        "calibration",
        "density",
        "energy",
        "ess",
        "forest",
        "pair",
        "pareto-k",
        "population",
        "ppc",
        "prior",
        "ridge",
        "shrinkage",
        "trace",
    ];
    let expected: BTreeSet<String> = kinds.iter().map(|kind| format!("pictures/{kind}")).collect();
    assert_eq!(drawn, expected, "{}", ran.err);
    assert_eq!(ran.out.lines().count(), 2 * kinds.len());
    for stem in &drawn {
        check(&folder, stem);
    }
    for (kind, why) in [
        ("predictions", "none are given"),
        ("error", "none was given"),
        ("compare", "two fits or more"),
    ] {
        let line = ran
            .err
            .lines()
            .find(|line| line.contains(&format!("no picture `{kind}`")));
        assert!(line.is_some_and(|line| line.contains(why)), "{kind}: {}", ran.err);
    }
    let again = folder.run(["plot", "all", "m12_2.nc", "--out", "again"]).exits(0);
    assert_eq!(stems(&again.out).len(), kinds.len());
    for line in ran.out.lines() {
        let other = line.replacen("pictures", "again", 1);
        let same =
            fs::read(folder.path(line)).expect("a file") == fs::read(folder.path(&other)).expect("a file");
        assert!(same, "{line} and {other} differ");
    }
}

/// The heights of the circles of a colour, and the function from values to heights that the y axis has.
fn circles(svg: &str, colour: &str, count: usize) -> (Vec<f64>, impl Fn(f64) -> f64) {
    let document = roxmltree::Document::parse(svg).expect("well-formed");
    let number = |node: &roxmltree::Node<'_, '_>, name: &str| -> f64 {
        node.attribute(name)
            .and_then(|x| x.parse().ok())
            .expect("a number")
    };
    let group = document
        .descendants()
        .find(|node| {
            let circles = node
                .children()
                .filter(|child| child.has_tag_name("circle"))
                .count();
            node.attribute("fill") == Some(colour) && circles == count
        })
        .expect("a group of circles");
    let heights = group.children().map(|circle| number(&circle, "cy")).collect();
    // Numbers of the y axis end at it; their baselines are equally far below their ticks.
    let tick = |label: &str| {
        let found = document.descendants().find(|node| {
            node.has_tag_name("text")
                && node.text() == Some(label)
                && node.attribute("text-anchor") == Some("end")
        });
        number(&found.expect("a tick"), "y") - 3.8
    };
    let (zero, one) = (tick("0.0"), tick("1.0"));
    (heights, move |value| zero + value * (one - zero))
}

#[test]
fn shrinkage_shows_the_share_of_every_tank() {
    let folder = Folder::new("plot_shrinkage");
    folder.fit(&[]).exits(0);
    let ran = folder
        .run(["plot", "shrinkage", "m12_2.nc", "--format", "svg", "--scale", "1"])
        .exits(0);
    assert_eq!(ran.out.trim(), "./shrinkage.svg");
    let svg = fs::read_to_string(folder.path("shrinkage.svg")).expect("an SVG");
    let (heights, at) = circles(&svg, "#0072b2", 48);
    let table = fs::read_to_string(folder.path("data/reedfrogs/reedfrogs.csv")).expect("the data");
    for (line, height) in table.lines().skip(1).zip(heights) {
        let cells: Vec<&str> = line.split(',').collect();
        let (density, surv): (f64, f64) = (
            cells[0].parse().expect("a number"),
            cells[3].parse().expect("a number"),
        );
        // Places are written to a hundredth of a pixel.
        assert!((height - at(surv / density)).abs() < 0.02, "{line}: {height}");
    }
    for size in ["n = 10", "n = 25", "n = 35"] {
        assert_eq!(svg.matches(size).count(), 1, "{size}");
    }
    assert!(!folder.path("shrinkage.png").exists());
}

#[test]
fn several_fits_share_a_picture_or_have_one_each() {
    let folder = Folder::new("plot_several");
    folder.fit(&["--out", "one.nc"]).exits(0);
    folder.fit(&["--out", "two.nc", "--seed", "2"]).exits(0);
    let ran = folder
        .run([
            "plot",
            "trace,density,compare",
            "one.nc",
            "two.nc",
            "--vars",
            "sigma",
            "--out",
            "p",
        ])
        .exits(0);
    let expected = ["p/compare", "p/density", "p/one-trace", "p/two-trace"].map(str::to_owned);
    assert_eq!(stems(&ran.out), BTreeSet::from(expected));
    let svg = fs::read_to_string(folder.path("p/density.svg")).expect("an SVG");
    assert!(
        svg.contains(">one</text>") && svg.contains(">two</text>"),
        "both are named"
    );
    for stem in stems(&ran.out) {
        check(&folder, &stem);
    }
}

#[test]
fn predictions_and_errors_need_what_they_are_given() {
    let folder = Folder::new("plot_grid");
    folder.fit(&[]).exits(0);
    let grid = [
        "plot",
        "predictions",
        "m12_2.nc",
        "--grid",
        "tank=1,2,3 density=10",
    ];
    folder.run(grid).exits(0);
    check(&folder, "predictions");
    let svg = fs::read_to_string(folder.path("predictions.svg")).expect("an SVG");
    let (heights, at) = circles(&svg, "#000000", 3);
    // Of ten tadpoles in each of the first three tanks 9, 10 and 7 survived.
    for (height, share) in heights.iter().zip([0.9, 1.0, 0.7]) {
        assert!((height - at(share)).abs() < 0.02, "{height} for {share}");
    }
    folder.write(
        "truth.csv",
        "name,value\na_tank[1],2\na_tank[2],2.5\na_tank[40],-1\n",
    );
    folder
        .run(["plot", "error", "m12_2.nc", "--truth", "truth.csv"])
        .exits(0);
    check(&folder, "error");
    folder.write("other.csv", "name,value\nbeta,2\n");
    let ran = folder
        .run(["plot", "error", "m12_2.nc", "--truth", "other.csv"])
        .exits(3);
    assert!(
        ran.err.contains("the truth names none of the sets"),
        "{}",
        ran.err
    );
}

/// The panel of `condition` is what `predict` says of the average actor; each of seven actors has a line in each panel.
#[test]
fn effects_are_the_predictions_of_the_average_group() {
    let folder = Folder::new("plot_effects");
    let formula = "pulled_left ~ condition + prosoc_left + (1 | actor)";
    let data = "data/chimpanzees/chimpanzees.csv";
    let short = ["--warmup", "200", "--draws", "200"];
    let fit = ["fit", formula, "--family", "bernoulli", "--data", data];
    folder.run(fit.iter().chain(&short)).exits(0);
    let plot = ["plot", "effects", "glm_pulled_left.nc"];
    folder.run(plot.iter().chain(&["--by", "actor"])).exits(0);
    check(&folder, "effects");
    let svg = fs::read_to_string(folder.path("effects.svg")).expect("an SVG");
    let (heights, at) = circles(&svg, "#0072b2", 2);
    let grid = "condition=0,1 prosoc_left=0.5 actor=new";
    let predicted = folder
        .run([
            "predict",
            "glm_pulled_left.nc",
            "--grid",
            grid,
            "--groups",
            "average",
            "--kind",
            "prob",
        ])
        .exits(0);
    let means = predicted.out.lines().skip(1).map(|line| -> f64 {
        let mean = line.split(',').nth(3).expect("a mean");
        mean.parse().expect("a number")
    });
    assert_eq!(heights.len(), means.clone().count());
    for (height, mean) in heights.iter().zip(means) {
        assert!((height - at(mean)).abs() < 0.02, "{height} for {mean}");
    }
    assert_eq!(svg.matches("stroke-opacity=\"0.35\"").count(), 2 * 7);
    let ran = folder.run(plot.iter().chain(&["--by", "actr"])).exits(3);
    assert!(ran.err.contains("did you mean `actor`?"), "{}", ran.err);
}

#[test]
fn what_cannot_be_drawn_is_refused_with_the_reason() {
    let folder = Folder::new("plot_refused");
    folder.fit(&[]).exits(0);
    for (kind, more, why) in [
        ("forest", &["--vars", "sigmb"][..], "did you mean `sigma`?"),
        ("all", &["--vars", "sigmb"][..], "did you mean `sigma`?"),
        ("pair", &["--vars", "sigma"][..], "needs two parameters"),
        ("density", &["--vars", "a_tank"][..], "48 densities on one axis"),
        (
            "predictions",
            &["--grid", "size=1"][..],
            "the model uses no column `size`",
        ),
    ] {
        let words = ["plot", kind, "m12_2.nc", "--out", "p"];
        let ran = folder.run(words.iter().chain(more)).exits(3);
        assert!(ran.err.contains(why), "{kind}: {}", ran.err);
    }
    for words in [
        &["plot", "pie", "m12_2.nc"][..],
        &["plot", "forest"][..],
        &["plot", "forest", "m12_2.nc", "--width", "10"][..],
        &["plot", "forest", "m12_2.nc", "--scale", "100"][..],
    ] {
        folder.run(words).exits(2);
    }
    assert!(
        !folder.path("p").exists(),
        "nothing is written where nothing is drawn"
    );
    folder.write("blocked", "");
    let ran = folder
        .run(["plot", "forest", "m12_2.nc", "--out", "blocked"])
        .exits(3);
    assert!(ran.err.contains("blocked is a file"), "{}", ran.err);
}

#[test]
fn energies_of_draws_that_are_apart_are_refused() {
    let folder = Folder::new("plot_stride");
    // 50 numbers of each draw in 64 MiB: of 256,000 draws not all have room.
    let many = [
        "--sampler",
        "hmc",
        "--chains",
        "256",
        "--warmup",
        "200",
        "--draws",
        "1000",
        "--keep",
        "summary",
    ];
    folder.run(REED_FROGS.iter().chain(&many)).exits(0);
    let ran = folder.run(["plot", "energy", "m12_2.nc"]).exits(3);
    assert!(ran.err.contains("one draw in"), "{}", ran.err);
    assert!(!folder.path("energy.svg").exists());
    folder
        .run(["plot", "trace", "m12_2.nc", "--vars", "sigma"])
        .exits(0);
    check(&folder, "trace");
}

#[test]
fn out_is_a_folder() {
    let folder = Folder::new("plot_out");
    folder.write("notes.txt", "mine");
    for (out, what) in [
        ("notes.txt", "is a file"),
        ("trace.png", "is the name of a picture"),
    ] {
        let ran = folder.run(["plot", "all", "m.nc", "--out", out]).exits(3);
        assert!(
            ran.err.contains(what) && ran.err.contains("--out DIR"),
            "{}",
            ran.err
        );
        assert!(!folder.path("trace.png").exists());
    }
}
