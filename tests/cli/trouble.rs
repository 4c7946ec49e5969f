//! `check`: likely trouble, each kind with its text; and none in the models that are shipped.

use crate::harness::Folder;

/// The section of `check` about a model over a table, both written to the folder.
fn trouble(folder: &Folder, model: &str, table: &str) -> String {
    folder.write("m.tad", model);
    folder.write("d.csv", table);
    section(folder, &["check", "m.tad", "--data", "d.csv"])
}

fn section(folder: &Folder, args: &[&str]) -> String {
    let page = folder.run(args).exits(0).out;
    let (_, section) = page.split_once("\nLikely trouble\n").expect("the section");
    section.to_owned()
}

/// A table with a line of names and `rows` lines.
fn table(names: &str, rows: usize, line: impl Fn(usize) -> String) -> String {
    let lines: Vec<String> = (0..rows).map(line).collect();
    format!("{names}\n{}\n", lines.join("\n"))
}

/// Numbers from -1 to 1 in no order.
fn noise(row: usize) -> f64 {
    (row * 37 % 101) as f64 / 50.0 - 1.0
}

/// Titles of the findings, with their levels.
fn titles(section: &str) -> Vec<&str> {
    section
        .lines()
        .filter(|line| line.starts_with("warning: ") || line.starts_with("note: "))
        .collect()
}

#[test]
fn shipped_models_raise_only_what_can_be_defended() {
    let folder = Folder::new("trouble_shipped");
    // The prior Normal(0, 10) of a logit is the book's own example of priors that say too much.
    let certain =
        "note: the priors hold `pulled_left` for nearly certain one way or the other in 74% of its rows";
    // Without pooling, tanks in which all survived have the estimate that their prior gives them: the book's lesson.
    let tanks = "note: 5 of 48 levels of `tank` predict `surv` without a fault";
    for (model, data, expected) in [
        ("cafes/cafe", "cafes/cafes", &[][..]),
        ("chimpanzees/m12_4", "chimpanzees/chimpanzees", &[certain]),
        ("chimpanzees/m12_5", "chimpanzees/chimpanzees", &[certain]),
        ("chimpanzees/chimps_cross", "chimpanzees/chimpanzees", &[]),
        ("eight_schools/eight_schools", "eight_schools/eight_schools", &[]),
        ("ponds/m12_3", "ponds/ponds", &[]),
        ("radon_slopes/radon_intercepts", "radon_slopes/radon_slopes", &[]),
        ("radon_slopes/radon_slopes", "radon_slopes/radon_slopes", &[]),
        ("reedfrogs/m12_1", "reedfrogs/reedfrogs", &[tanks]),
        ("reedfrogs/m12_2", "reedfrogs/reedfrogs", &[]),
    ] {
        let (path, data) = (format!("data/{model}.tad"), format!("data/{data}.csv"));
        let found = section(&folder, &["check", &path, "--data", &data]);
        assert_eq!(titles(&found), expected, "{model}:\n{found}");
        assert_eq!(
            found == "  none found\n",
            expected.is_empty(),
            "{model}:\n{found}"
        );
    }
    let shipped = std::fs::read_dir(folder.path("data"))
        .expect("the data")
        .filter_map(|entry| std::fs::read_dir(entry.expect("an entry").path()).ok())
        .flatten()
        .filter(|file| {
            file.as_ref().is_ok_and(|file| {
                file.path()
                    .extension()
                    .is_some_and(|extension| extension == "tad")
            })
        })
        .count();
    assert_eq!(shipped, 10, "a model is shipped that is not looked at here");
}

const GROUPS: &str = "y ~ Normal(mu, sigma)
mu = a_bar + a[g]
a[g] ~ Normal(0, s)
a_bar ~ Normal(0, 1)
s, sigma ~ Exponential(1)
";

fn groups(of: impl Fn(usize) -> usize) -> String {
    table("g,y,k", 30, |row| {
        format!("g{},{},{}", of(row), noise(row), row % 2)
    })
}

#[test]
fn one_group_and_few_groups() {
    let folder = Folder::new("trouble_groups");
    assert_eq!(
        trouble(&folder, GROUPS, &groups(|_| 1)),
        "\
warning: `g` has one level, so the data do not tell how much levels differ
 --> m.tad:3:1
  |
3 | a[g] ~ Normal(0, s)
  | ^^^^ an effect of one group
  |
  = note: the posterior of `s` is its prior, and the effect and its mean trade against each other
  = help: leave the effect out, or look whether this is the column that was meant
"
    );
    assert_eq!(
        trouble(&folder, GROUPS, &groups(|row| row % 3)),
        "\
note: `g` has 3 levels, so the prior of `s` will matter
 --> m.tad:3:1
  |
3 | a[g] ~ Normal(0, s)
  | ^^^^ an effect of few groups
  |
  = help: choose that prior by how much levels can differ, and look how the result changes with another; `tadpool plot prior` shows prior and posterior together
"
    );
    assert_eq!(trouble(&folder, GROUPS, &groups(|row| row % 5)), "  none found\n");
    // An sd that is not learned needs no groups.
    let fixed = GROUPS
        .replace("Normal(0, s)", "Normal(0, 1)")
        .replace("s, sigma", "sigma");
    assert_eq!(trouble(&folder, &fixed, &groups(|row| row % 2)), "  none found\n");
}

#[test]
fn groups_of_one_row_each() {
    let folder = Folder::new("trouble_single");
    let single = groups(|row| row);
    assert_eq!(
        trouble(&folder, GROUPS, &single),
        "\
warning: each level of `g` has one row, so `s` is not told from `sigma`
 --> m.tad:2:14
  |
2 | mu = a_bar + a[g]
  |              ^^^^ 30 levels, 30 rows
3 | a[g] ~ Normal(0, s)
  | ---- its prior
  |
  = note: the data know the sum of the two variances alone; how it is shared is up to their priors
  = help: leave the effect out, or write a known standard error in the place of `sigma`: a column, as in `Normal(mu, se)`
"
    );
    let known = GROUPS.replace("mu, sigma", "mu, 0.5").replace("s, sigma", "s");
    assert_eq!(trouble(&folder, &known, &single), "  none found\n");
    assert_eq!(trouble(&folder, GROUPS, &groups(|row| row / 2)), "  none found\n");

    let binary = "k ~ Bernoulli(p)\nlogit(p) = a_bar + a[g]\na[g] ~ Normal(0, s)\na_bar ~ Normal(0, 1)\ns ~ Exponential(1)\n";
    let found = trouble(&folder, binary, &single);
    assert_eq!(
        titles(&found),
        ["warning: each level of `g` has one row, and a single 0 or 1 does not tell `s`"]
    );
    assert!(
        found.contains("the data tell the mean probability alone, which any `s` can make"),
        "{found}"
    );
}

fn incomes() -> String {
    table("income,share,g,u,y,k", 60, |row| {
        let x = noise(row);
        let u = noise(row % 6);
        let y = 3.0 + noise(row * 7 + 3);
        let (income, share) = (30_000.0 + 10_000.0 * x, 0.002 + 0.001 * x);
        format!("{income},{share},{},{u},{y},{}", row % 6, row % 2)
    })
}

#[test]
fn columns_on_a_scale_that_their_prior_does_not_fit() {
    let folder = Folder::new("trouble_scales");
    let model = "\
y ~ Normal(mu, sigma)
mu = a + b*income + c*share
a ~ Normal(3, 2)
b, c ~ Normal(0, 1)
sigma ~ Exponential(1)
";
    let found = trouble(&folder, model, &incomes());
    let (_, scales) = found
        .split_once("\n\n")
        .expect("a finding about the prior predictive before");
    assert_eq!(
        scales,
        "\
warning: the prior of `b` lets `income` move `y` by far more than it varies
 --> m.tad:2:12
  |
2 | mu = a + b*income + c*share
  |            ^^^^^^ has an sd of 5880
3 | a ~ Normal(3, 2)
4 | b, c ~ Normal(0, 1)
  | - its prior has a scale of 1
  |
  = note: together they vary by about 5880; the sd of `y` is 0.584
  = help: write `standardize(income)` with a prior of a scale of about 1.46, or a narrower prior, of a scale of about 0.000248

warning: the prior of `c` lets `share` move `y` by far less than it varies
 --> m.tad:2:23
  |
2 | mu = a + b*income + c*share
  |                       ^^^^^ has an sd of 0.000588
3 | a ~ Normal(3, 2)
4 | b, c ~ Normal(0, 1)
  |    - its prior has a scale of 1
  |
  = note: together they vary by about 0.000588; the sd of `y` is 0.584
  = help: write `standardize(share)` with a prior of a scale of about 1.46, or a wider prior, of a scale of about 2480
"
    );
    // The remedy is one.
    let mended = model
        .replace("income", "standardize(income)")
        .replace("share", "standardize(share)");
    assert_eq!(trouble(&folder, &mended, &incomes()), "  none found\n");
}

#[test]
fn scales_through_a_link_and_of_predictors_of_groups() {
    let folder = Folder::new("trouble_links");
    let model = "\
k ~ Bernoulli(p)
logit(p) = a[g] + c*standardize(share)
a[g] ~ Normal(a_bar + h*u[g], s)
a_bar ~ Normal(0, 1)
c ~ Normal(0, 0.01)
h ~ Normal(0, 50)
s ~ Exponential(1)
";
    let found = trouble(&folder, model, &incomes());
    let titles = titles(&found);
    for title in [
        "warning: the prior of `c` lets `standardize(share)` move `k` by far less than it varies",
        "warning: the prior of `h` lets `u[g]` move `k` by far more than it varies",
    ] {
        assert!(titles.contains(&title), "{found}");
    }
    assert!(
        found.contains("a move of 1 is a lot for a probability on this scale"),
        "{found}"
    );
    // What is standardized already is not to be standardized.
    assert!(
        found.contains("= help: write a wider prior, of a scale of about 2.5\n"),
        "{found}"
    );
}

fn doses() -> String {
    table("dose,drug,g,dead,cured,n", 20, |row| {
        let drug = if row % 3 == 0 { "yes" } else { "no" };
        let cured = if row % 3 == 0 { 5 } else { row % 6 };
        format!("{row},{drug},g{},{},{cured},5", row % 5, u8::from(row > 11))
    })
}

#[test]
fn columns_that_separate() {
    let folder = Folder::new("trouble_separation");
    let model = "\
dead ~ Bernoulli(p)
logit(p) = a + b*dose
a ~ Normal(0, 1.5)
b ~ Normal(0, 0.5)
";
    assert_eq!(
        trouble(&folder, model, &doses()),
        "\
warning: `dose` predicts `dead` without a fault
 --> m.tad:2:18
  |
2 | logit(p) = a + b*dose
  |                  ^^^^ where dose is above 11, 8 rows, all are successes, and all others are failures
3 | a ~ Normal(0, 1.5)
4 | b ~ Normal(0, 0.5)
  | - its prior has a scale of 0.5
  |
  = note: the likelihood has no maximum there: how large the effect is, the prior alone says
  = help: choose that prior with care, and look how the result changes with another: Normal(0, 2.5) for a standardized column already allows odds 150 times as high for each sd
"
    );
    // One row on the other side of the threshold is enough to bound it.
    let bounded = doses().replace("\n3,yes,g3,0,", "\n3,yes,g3,1,");
    assert_eq!(trouble(&folder, model, &bounded), "  none found\n");

    // A formula's indicator, centred; and no pooled effect is blamed.
    let formula = [
        "check",
        "cured | trials(n) ~ drug + (1 | g)",
        "--family",
        "binomial",
        "--data",
        "d.csv",
    ];
    let found = section(&folder, &formula);
    assert_eq!(
        titles(&found),
        ["warning: `drug == \"yes\"` predicts `cured` without a fault"]
    );
    assert!(
        found.contains("where drug == \"yes\" is 1, 7 rows, all are successes\n"),
        "{found}"
    );
}

#[test]
fn levels_that_separate_and_outcomes_all_alike() {
    let folder = Folder::new("trouble_levels");
    let data = table("g,y", 12, |row| {
        format!("{},{}", row % 3, u8::from(row % 3 > 0 && row > 3))
    });
    let model = "y ~ Bernoulli(p)\nlogit(p) = a[g]\na[g] ~ Normal(0, 8)\n";
    let found = trouble(&folder, model, &data);
    assert!(
        titles(&found).contains(&"warning: 1 of 3 levels of `g` predict `y` without a fault"),
        "{found}"
    );
    assert!(
        found.contains("^^^^ where g is 0, all are failures")
            && found.contains("learn its scale from all levels, as in `a[g] ~ Normal(a_bar, sigma)`"),
        "{found}"
    );
    // A prior that holds log odds of 10 for unlikely bounds them itself.
    let narrow = model.replace("Normal(0, 8)", "Normal(0, 1.5)");
    assert_eq!(
        titles(&trouble(&folder, &narrow, &data)),
        ["note: 1 of 3 levels of `g` predict `y` without a fault"]
    );

    let failures = table("g,y", 12, |row| format!("{},0", row % 3));
    assert_eq!(
        titles(&trouble(&folder, &narrow, &failures)),
        ["warning: every outcome of `y` is a failure"]
    );
}

fn schools() -> String {
    table("school,size,private,ses,y", 60, |row| {
        let school = row % 10;
        let (size, private) = (100 + school * 13, school % 2);
        format!("{school},{size},{private},{},{}", noise(row), noise(row * 5 + 1))
    })
}

#[test]
fn slopes_that_do_not_vary_within_their_groups() {
    let folder = Folder::new("trouble_slopes");
    let model = "\
y ~ Normal(mu, sigma)
mu = a[school] + b[school]*standardize(size) + c[school]*ses
a[school] ~ Normal(0, s_a)
b[school] ~ Normal(0, s_b)
c[school] ~ Normal(0, s_c)
s_a, s_b, s_c, sigma ~ Exponential(1)
";
    assert_eq!(
        trouble(&folder, model, &schools()),
        "\
warning: `b[school]*standardize(size)` is a slope that does not vary within `school`
 --> m.tad:2:28
  |
2 | mu = a[school] + b[school]*standardize(size) + c[school]*ses
  |      ---------             ^^^^^^^^^^^^^^^^^ standardize(size) is the same in all rows of each school
  |      |
  |      shifts each school already: the two are not told apart
  |
  = help: write a slope that all of school share, as in `b*standardize(size)`, or look whether `school` is the index that was meant
"
    );

    // Without an intercept of its own, and correlated ones of a formula.
    let alone = model
        .replace("a[school] + ", "")
        .replace("a[school] ~ Normal(0, s_a)\n", "");
    let alone = alone.replace("s_a, ", "");
    let found = trouble(&folder, &alone, &schools());
    assert!(
        found.contains("no school has two values of standardize(size) to draw a line through"),
        "{found}"
    );
    let formula = ["check", "y ~ size + (1 + size | school)", "--data", "d.csv"];
    let found = section(&folder, &formula);
    // Its default priors are wide for so small an outcome, which is a note of its own.
    assert_eq!(
        titles(&found)[0],
        "warning: `r_school[school, \"size\"]*size` is a slope that does not vary within `school`"
    );
    assert!(found.contains("shifts each school already"), "{found}");

    // Two kinds of schools with an sd each are effects of groups, told apart by which schools they are of.
    let kinds = model.replace(
        "a[school] + b[school]*standardize(size)",
        "a[school]*private + b[school]*(1 - private)",
    );
    assert_eq!(trouble(&folder, &kinds, &schools()), "  none found\n");
}

fn heights() -> String {
    table("weight,height,eggs", 50, |row| {
        let weight = 45.0 + 6.0 * noise(row);
        let height = 154.0 + 8.0 * noise(row * 3 + 2);
        format!("{weight},{height},{}", row % 7)
    })
}

#[test]
fn priors_that_make_other_data() {
    let folder = Folder::new("trouble_priors");
    let model = |a: &str, b: &str, sigma: &str| {
        format!(
            "height ~ Normal(mu, sigma)\nmu = a + b*standardize(weight)\na ~ {a}\nb ~ {b}\nsigma ~ {sigma}\n"
        )
    };
    let wide = model("Normal(0, 10000)", "Normal(0, 10)", "Exponential(0.1)");
    let found = trouble(&folder, &wide, &heights());
    assert_eq!(
        titles(&found),
        ["warning: the priors hold values of `height` for likely that lie far outside the data"]
    );
    for phrase in [
        "1 | height ~ Normal(mu, sigma)\n  | ^^^^^^ from 146 to 162 in the data",
        "of the values in 200 data sets simulated from the priors, ",
        " lie below -6 or above 314: 10 times the range of the data around its middle",
        "`tadpool simulate` shows what priors say",
    ] {
        assert!(found.contains(phrase), "no {phrase:?} in:\n{found}");
    }
    let elsewhere = model("Normal(0, 1)", "Normal(0, 1)", "Exponential(1)");
    let found = trouble(&folder, &elsewhere, &heights());
    assert_eq!(
        titles(&found),
        ["warning: the priors hardly hold the data of `height` for possible"]
    );
    assert!(found.contains("100% of the data lie outside"), "{found}");
    let good = model("Normal(154, 20)", "Normal(0, 10)", "Exponential(0.2)");
    assert_eq!(trouble(&folder, &good, &heights()), "  none found\n");

    let counts = "eggs ~ Poisson(mu)\nlog(mu) = a\na ~ Normal(0, 100)\n";
    let found = trouble(&folder, counts, &heights());
    assert_eq!(
        titles(&found),
        ["warning: the priors hold outcomes for likely that cannot be simulated"]
    );
    assert!(found.contains("cannot draw from Poisson("), "{found}");
}

#[test]
fn what_cannot_be_simulated_is_named() {
    let folder = Folder::new("trouble_omitted");
    let model = "y = log(height)\ny ~ Normal(a, 1)\na ~ Normal(5, 1)\n";
    let found = trouble(&folder, model, &heights());
    assert!(
        found.starts_with(
            "  none found\n  not looked at: prior predictive: the outcome `y` is computed from columns"
        ),
        "{found}"
    );
}

#[test]
fn fit_says_warnings_and_no_notes() {
    let folder = Folder::new("trouble_fit");
    folder.write("m.tad", GROUPS);
    let fit = |rows: &str| {
        folder.write("d.csv", rows);
        let args = [
            "fit", "m.tad", "--data", "d.csv", "--warmup", "200", "--draws", "100",
        ];
        folder.run(args).exits(0).err
    };
    let err = fit(&groups(|row| row));
    assert!(err.contains("warning: each level of `g` has one row"), "{err}");
    let err = fit(&groups(|row| row % 3));
    assert!(!err.contains("has 3 levels"), "{err}");
}

#[test]
fn vectors_are_shown_with_their_length() {
    let folder = Folder::new("trouble_vectors");
    let page = folder
        .run(["check", "data/cafes/cafe.tad", "--data", "data/cafes/cafes.csv"])
        .exits(0)
        .out;
    assert!(
        page.contains("\n  sigma_cafe[2]  2   (0, ∞)   Exponential(1)\n"),
        "{page}"
    );
    let (_, sets) = page.split_once("Index sets\n").expect("index sets");
    let (sets, _) = sets.split_once("\n\n").expect("a section");
    assert_eq!(sets, "  row   200  1, 2, 3, … 200\n  cafe  20   1, 2, 3, … 20");
}
