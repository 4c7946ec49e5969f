//! Predictions and simulations against what they must equal: the fitted program's own nodes, closed forms, themselves
//! in another order.

use std::sync::atomic::AtomicBool;

use tadpool::back::reference;
use tadpool::data::Table;
use tadpool::fit::{Backend, Fit, Options, fit};
use tadpool::model::Model;
use tadpool::predict::{
    Contrast, Fitted, Groups, Kind, Options as Wanted, Rows, Settings, Simulator, Told, grid,
};

fn data(path: &str) -> Table {
    Table::from_path(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("data")
            .join(path)
            .as_path(),
    )
    .expect("a table")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("data")
            .join(path),
    )
    .expect("a model")
}

/// A short fit: predictions are functions of its draws, good or bad.
fn short(text: &str, table: &Table, draws: usize) -> (Model, Fit) {
    let model = Model::new("m", text, table).expect("a model");
    let options = Options {
        backend: Backend::Cpu,
        chains: Some(2),
        warmup: Some(100),
        draws: Some(draws),
        ..Options::default()
    };
    let fit = fit(&model, &options, &|_| {}, &AtomicBool::new(false)).expect("a fit");
    (model, fit)
}

fn wanted(kind: Kind, groups: Groups) -> Wanted {
    Wanted {
        kind,
        groups,
        outcome: None,
        seed: 1,
    }
}

/// `[row][draw]`, and what was filled in.
fn predicted(
    fitted: &Fitted<'_>,
    rows: Rows<'_>,
    options: &Wanted,
) -> tadpool::error::Result<(Vec<Vec<f64>>, Told)> {
    let (mut all, mut told) = (Vec::new(), Told::default());
    fitted.predict(rows, options, 0, &mut told, &mut |_, draws| {
        all.push(draws.to_vec());
        Ok(())
    })?;
    Ok((all, told))
}

fn table(text: &str) -> Table {
    Table::from_bytes("new.csv", text.as_bytes()).expect("a table")
}

fn over(settings: &str) -> Table {
    grid(&Settings::parse(settings).expect("settings")).expect("a grid")
}

/// Draws of one element of a parameter.
fn drawn(fit: &Fit, name: &str, element: usize) -> Vec<f64> {
    let quantity = fit
        .posterior
        .iter()
        .find(|own| own.name == name)
        .expect("a parameter");
    let len: usize = quantity.dims.iter().map(|dim| dim.labels.len()).product();
    quantity
        .values
        .iter()
        .skip(element)
        .step_by(len)
        .copied()
        .collect()
}

/// Some roundings of numbers of order 1 to 100.
fn assert_close(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() <= 1e-11 * expected.abs().max(1.0),
        "{what}: {found} is not {expected}"
    );
}

/// The observed rows' linear predictor and arguments are those of the program that was fitted, draw by draw.
fn assert_as_fitted(name: &str, text: &str, table: &Table) {
    let (compiled, fit) = short(text, table, 4);
    let fitted = Fitted::new(&fit).expect("draws");
    let observed = fitted.observed().clone();
    let rows = Rows::Observed(&observed);
    let lowered = compiled.lowered();
    let draws = fitted.draws();
    for likelihood in &lowered.likelihoods {
        let of = |kind| Wanted {
            outcome: Some(likelihood.outcome.clone()),
            ..wanted(kind, Groups::Sample)
        };
        let (means, told) = predicted(&fitted, rows, &of(Kind::Mean)).expect(name);
        assert_eq!(told, Told::default(), "{name}: every level is known");
        let links = likelihood
            .link
            .map(|(_, linear)| (linear, predicted(&fitted, rows, &of(Kind::Link)).expect(name).0));
        let plate = lowered.plates.iter().find(|plate| plate.name == likelihood.plate);
        let codes = plate
            .and_then(|plate| plate.codes.clone())
            .expect("a plate of rows");
        for draw in 0..draws {
            let named: Vec<(&str, Vec<f64>)> = fit
                .posterior
                .iter()
                .filter(|quantity| !quantity.derived)
                .map(|quantity| {
                    let len = quantity.values.len() / draws;
                    (
                        quantity.name.as_str(),
                        quantity.values[draw * len..][..len].to_vec(),
                    )
                })
                .collect();
            let position = compiled.position(&named).expect("values in their supports");
            let nodes = reference::values(&lowered.program.graph, &position).expect("values");
            let at = |handle: tadpool::ir::Handle, row: usize| {
                let values = &nodes[handle.index()];
                values[if values.len() == 1 { 0 } else { codes[row] as usize }]
            };
            for row in 0..observed.rows() {
                if let Some((linear, links)) = &links {
                    assert_close(links[row][draw], at(*linear, row), name);
                }
                let arguments: Vec<f64> = likelihood.arguments.iter().map(|&node| at(node, row)).collect();
                let mean = likelihood.family.mean(&arguments).expect("a mean");
                assert_close(means[row][draw], mean, name);
            }
        }
    }
}

#[test]
fn observed_rows_have_the_fitted_program_s_own_predictor() {
    for (model, csv) in [
        ("chimpanzees/m12_5.tad", "chimpanzees/chimpanzees.csv"),
        ("reedfrogs/m12_2.tad", "reedfrogs/reedfrogs.csv"),
        ("ponds/m12_3.tad", "ponds/ponds.csv"),
        ("radon_slopes/radon_slopes.tad", "radon_slopes/radon_slopes.csv"),
        (
            "eight_schools/eight_schools.tad",
            "eight_schools/eight_schools.csv",
        ),
        ("cafes/cafe.tad", "cafes/cafes.csv"),
        ("chimpanzees/chimps_cross.tad", "chimpanzees/chimpanzees.csv"),
    ] {
        assert_as_fitted(model, &text(model), &data(csv));
    }
}

/// Every construct of the language that reads data.
#[test]
fn every_way_of_reading_data_is_read_as_in_the_fit() {
    let priors = "s ~ Exponential(1)\n";
    for model in [
        LINE.to_owned(),
        format!("y ~ Normal(a[g, k], s)\na[g, k] ~ Normal(0, 1)\n{priors}"),
        format!("index t = g*k\ny ~ Normal(a[t], s)\na[t] ~ Normal(0, 1)\n{priors}"),
        format!(
            "index g levels(\"w\", \"u\", \"v\", \"z\")\ny ~ Normal(a[g] + b[2]*x, s)\na[g] ~ Normal(0, 1)\nb[3] ~ Normal(0, 1)\n{priors}"
        ),
        format!("y ~ Normal(b[k], s)\nb[2] ~ Normal(0, 1)\n{priors}"),
        format!("y ~ Normal(m[row], s)\nm[row] ~ Normal(c*x, 1)\nc ~ Normal(0, 1)\n{priors}"),
        format!("h = floor(x/5)\ny ~ Normal(a[h] + sd(x), s)\na[h] ~ Normal(sum(x), 1)\n{priors}"),
        format!("u[g] = top[g]\ntop = standardize(w)\ny ~ Normal(a[g] + c*u[g], s)\na[g] ~ Normal(c*w[g], 1)\nc ~ Normal(0, 1)\n{priors}"),
        format!("w[g] ~ Normal(m[g], s)\nm[g] ~ Normal(0, 1)\ny ~ Normal(1, s)\n{priors}"),
        "n ~ Poisson(mu)\nlog(mu) = a + c*x\nn2 ~ NegBinomial(mu, phi)\na, c ~ Normal(0, 0.1)\nphi ~ Exponential(1)\n".to_owned(),
        "z = standardize(y)\nz ~ Normal(a, 1)\na ~ Normal(0, 1)\n".to_owned(),
    ] {
        assert_as_fitted(&model, &model, &line_data());
    }
}

/// A new group's effects have the covariance that each draw says: standardised by it they are independent.
#[test]
fn correlated_effects_of_new_groups_have_the_covariance_of_each_draw() {
    let (_, fit) = short(&text("cafes/cafe.tad"), &data("cafes/cafes.csv"), 1000);
    let fitted = Fitted::new(&fit).expect("draws");
    let new = table("cafe,afternoon\nnew,0\nnew,1\nother,0\n3,0\n3,1\n");
    let (links, told) =
        predicted(&fitted, Rows::New(&new), &wanted(Kind::Link, Groups::Sample)).expect("rows");
    assert_eq!(told.new["cafe"].len(), 2);
    let draws = fitted.draws();
    let of = |name: &str, element: usize| drawn(&fit, name, element);
    let (a, b) = (of("a", 0), of("b", 0));
    let (sa, sb, rho) = (of("sigma_cafe", 0), of("sigma_cafe", 1), of("Rho", 0));
    for (draw, (a, b)) in of("a_cafe", 2).into_iter().zip(of("b_cafe", 2)).enumerate() {
        assert_close(links[3][draw], a, "an intercept that is known");
        assert_close(links[4][draw], a + b, "with its slope");
    }
    let mut z = [Vec::new(), Vec::new(), Vec::new()];
    for draw in 0..draws {
        let first = (links[0][draw] - a[draw]) / sa[draw];
        let second = (links[1][draw] - links[0][draw] - b[draw]) / sb[draw];
        z[0].push(first);
        z[1].push((second - rho[draw] * first) / (1.0 - rho[draw].powi(2)).sqrt());
        z[2].push((links[2][draw] - a[draw]) / sa[draw]);
    }
    let n = draws as f64;
    for i in 0..3 {
        // Independent draws: four standard errors of a mean, of a mean square and of a mean product.
        let mean = z[i].iter().sum::<f64>() / n;
        assert!(mean.abs() < 4.0 / n.sqrt(), "{i}: {mean}");
        for j in 0..=i {
            let product = z[i].iter().zip(&z[j]).map(|(x, y)| x * y).sum::<f64>() / n;
            let (expected, sd) = if i == j { (1.0, 2.0_f64.sqrt()) } else { (0.0, 1.0) };
            assert!(
                (product - expected).abs() < 4.0 * sd / n.sqrt(),
                "{i} {j}: {product}"
            );
        }
    }
    let (average, _) =
        predicted(&fitted, Rows::New(&new), &wanted(Kind::Link, Groups::Average)).expect("rows");
    for draw in 0..draws {
        assert_close(average[0][draw], a[draw], "the average café");
        assert_close(
            average[1][draw],
            a[draw] + b[draw],
            "the average café in the afternoon",
        );
    }
}

/// The levels that are components are those of the fit.
#[test]
fn correlations_of_a_new_level_are_not_made_up() {
    let model = text("chimpanzees/chimps_cross.tad");
    let (_, fit) = short(&model, &data("chimpanzees/chimpanzees.csv"), 20);
    let fitted = Fitted::new(&fit).expect("draws");
    let new = table("actor,block,prosoc_left,condition\n8,1,0,1\n1,9,1,1\n");
    let (links, _) = predicted(&fitted, Rows::New(&new), &wanted(Kind::Link, Groups::Average)).expect("rows");
    // Actor 8 is average: what is left are the treatment and block 1's effect on it.
    for draw in 0..fitted.draws() {
        let expected = drawn(&fit, "g", 1)[draw] + drawn(&fit, "beta", 1)[draw];
        assert_close(links[0][draw], expected, "an average actor");
    }
    let other = table("actor,block,prosoc_left,condition\n1,1,0,2\n");
    let error =
        predicted(&fitted, Rows::New(&other), &wanted(Kind::Link, Groups::Sample)).expect_err("0:2 is new");
    assert!(
        error.to_string().contains("nothing is known of its correlations"),
        "{error}"
    );
}

/// A crossing with a new level of one factor is new in all its combinations; a missing factor is chosen draw by draw.
#[test]
fn crossings_have_new_and_open_levels() {
    let model = "y ~ Normal(a[g, k], 1)\na[g, k] ~ Normal(m, 0.1)\nm ~ Normal(0, 1)\n";
    let (_, fit) = short(model, &line_data(), 50);
    let fitted = Fitted::new(&fit).expect("draws");
    let options = wanted(Kind::Mean, Groups::Average);
    let (rows, told) = predicted(&fitted, Rows::New(&over("g=new,u k=1,2")), &options).expect("means");
    let m = drawn(&fit, "m", 0);
    assert_eq!(rows, [m.clone(), m, drawn(&fit, "a", 0), drawn(&fit, "a", 1)]);
    assert_eq!(told.new.keys().collect::<Vec<_>>(), ["g"]);
    let (rows, told) = predicted(&fitted, Rows::New(&over("k=1,2")), &options).expect("means");
    assert_eq!(told.mixed.iter().collect::<Vec<_>>(), ["g"]);
    let of: Vec<Vec<f64>> = (0..6).map(|element| drawn(&fit, "a", element)).collect();
    let mut seen = [false; 3];
    for draw in 0..fitted.draws() {
        let chosen = (0..3)
            .find(|g| of[2 * g][draw] == rows[0][draw])
            .expect("one of the levels");
        assert_eq!(
            rows[1][draw],
            of[2 * chosen + 1][draw],
            "the same level in all rows"
        );
        seen[chosen] = true;
    }
    assert_eq!(seen, [true; 3]);
}

const LINE: &str = "
    y ~ Normal(mu, sigma)
    mu = a + a_g[g] + b*z + c*(pred == \"yes\") + d*mean(x)
    z = standardize(log(x))
    a_g[g] ~ Normal(0, tau)
    a, b, c, d ~ Normal(0, 5)
    sigma, tau ~ Exponential(1)
";

fn line_data() -> Table {
    let mut text = String::from("g,x,pred,y,k,w,n,n2\n");
    for i in 0..24 {
        let (g, x) = (["u", "v", "w"][i % 3], 1.0 + i as f64 * 0.7);
        let pred = if i % 5 < 2 { "yes" } else { "no" };
        let y = (i * 7 % 11) as f64 * 0.3;
        let (k, w) = (i % 2 + 1, (i % 3) as f64 * 0.4 - 1.0);
        text.push_str(&format!("{g},{x},{pred},{y},{k},{w},{},{}\n", i % 4, i % 5));
    }
    table(&text)
}

/// Constants are those of the fit's rows, whatever the new rows' own mean and spread.
#[test]
fn new_rows_are_standardised_by_what_the_fit_learned() {
    let (_, fit) = short(LINE, &line_data(), 20);
    let fitted = Fitted::new(&fit).expect("draws");
    let new = table("pred,x,g,extra\nno,50,v,1\nyes,2,u,2\n");
    let (links, told) =
        predicted(&fitted, Rows::New(&new), &wanted(Kind::Link, Groups::Sample)).expect("links");
    assert_eq!(told, Told::default());
    let x: Vec<f64> = (0..24).map(|i| 1.0 + f64::from(i) * 0.7).collect();
    let mean_x = x.iter().sum::<f64>() / 24.0;
    let logs: Vec<f64> = x.iter().map(|x| x.ln()).collect();
    let mean = logs.iter().sum::<f64>() / 24.0;
    let sd = (logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / 23.0).sqrt();
    let of = |name: &str, element| drawn(&fit, name, element);
    let (a, b, c, d) = (of("a", 0), of("b", 0), of("c", 0), of("d", 0));
    for (row, (x, group, yes)) in [(50.0_f64, 1, 0.0), (2.0, 0, 1.0)].into_iter().enumerate() {
        let effect = of("a_g", group);
        for draw in 0..fitted.draws() {
            let z = (x.ln() - mean) / sd;
            let expected = a[draw] + effect[draw] + b[draw] * z + c[draw] * yes + d[draw] * mean_x;
            assert_close(links[row][draw], expected, "mu");
        }
    }
}

#[test]
fn the_same_new_label_has_the_same_draws_wherever_it_stands() {
    let (_, fit) = short(LINE, &line_data(), 50);
    let fitted = Fitted::new(&fit).expect("draws");
    let options = wanted(Kind::Link, Groups::Sample);
    let first = table("g,x,pred\nnew,3,no\nother,3,no\n");
    let (one, told) = predicted(&fitted, Rows::New(&first), &options).expect("links");
    assert_eq!(told.new["g"].iter().collect::<Vec<_>>(), ["new", "other"]);
    let again = table("x,g,pred\n3,u,no\n3,third,no\n3,new,no\n3,new,no\n");
    let (two, _) = predicted(&fitted, Rows::New(&again), &options).expect("links");
    assert_eq!(one[0], two[2]);
    assert_eq!(two[2], two[3]);
    assert_ne!(one[0], one[1]);
    assert_ne!(one[0], two[1]);
    let other_seed = Wanted { seed: 2, ..options };
    let (three, _) = predicted(&fitted, Rows::New(&first), &other_seed).expect("links");
    assert_ne!(one[0], three[0]);
}

#[test]
fn new_groups_may_be_average_or_left_out() {
    let model = "
        y ~ Normal(mu[g], 1)
        mu[g] ~ Normal(m, tau)
        m ~ Normal(0, 1)
        tau ~ Exponential(1)
    ";
    let (_, fit) = short(model, &line_data(), 20);
    let fitted = Fitted::new(&fit).expect("draws");
    let new = table("g\nz\n");
    let (average, _) =
        predicted(&fitted, Rows::New(&new), &wanted(Kind::Mean, Groups::Average)).expect("means");
    assert_eq!(average[0], drawn(&fit, "m", 0));
    let (zero, _) = predicted(&fitted, Rows::New(&new), &wanted(Kind::Mean, Groups::Zero)).expect("means");
    assert_eq!(zero[0], vec![0.0; fitted.draws()]);
}

/// Groups are known by the fit even where their own predictor is missing; a new one needs it.
#[test]
fn predictors_of_groups_are_asked_for_only_where_a_group_is_new() {
    let (_, fit) = short(
        &text("radon_slopes/radon_slopes.tad"),
        &data("radon_slopes/radon_slopes.csv"),
        10,
    );
    let fitted = Fitted::new(&fit).expect("draws");
    let options = wanted(Kind::Link, Groups::Average);
    let (known, _) =
        predicted(&fitted, Rows::New(&over("county=county02 floor=0,1")), &options).expect("links");
    let (a, b) = (drawn(&fit, "a", 1), drawn(&fit, "b", 1));
    for draw in 0..fitted.draws() {
        assert_close(known[0][draw], a[draw], "floor 0");
        assert_close(known[1][draw], a[draw] + b[draw], "floor 1");
    }
    let error = predicted(&fitted, Rows::New(&over("county=new floor=0")), &options).expect_err("no uranium");
    assert!(error.message().contains("its prior needs columns"), "{error}");
    let new = over("county=new floor=1 uranium=0.7");
    let (new, _) = predicted(&fitted, Rows::New(&new), &options).expect("links");
    let of = |name: &str| drawn(&fit, name, 0);
    let (mu_a, g, mu_b) = (of("mu_a"), of("g"), of("mu_b"));
    for draw in 0..fitted.draws() {
        assert_close(
            new[0][draw],
            mu_a[draw] + 0.7 * g[draw] + mu_b[draw],
            "a new county",
        );
    }
}

/// Labels that look like numbers in the new rows are those of a column of text.
#[test]
fn labels_are_read_as_the_fit_read_them() {
    let model = "y ~ Normal(mu[g], 1)\nmu[g] ~ Normal(0, 1)\n";
    let (_, fit) = short(model, &table("g,y\n01,1\n02,2\nx,3\n"), 10);
    let fitted = Fitted::new(&fit).expect("draws");
    let (rows, told) = predicted(
        &fitted,
        Rows::New(&table("g\n02\n01\n")),
        &wanted(Kind::Mean, Groups::Sample),
    )
    .expect("means");
    assert_eq!(told, Told::default());
    assert_eq!(rows, [drawn(&fit, "mu", 1), drawn(&fit, "mu", 0)]);
}

/// Rows that `drop_missing` dropped are not predicted, those that stay keep their levels.
#[test]
fn dropped_rows_stay_dropped() {
    let model = "drop_missing(w)\ny ~ Normal(mu[t], 1)\nindex t = row\nmu[t] ~ Normal(0, 1)\n";
    let (_, fit) = short(model, &table("y,w\n1,1\n2,NA\n3,1\n"), 10);
    let fitted = Fitted::new(&fit).expect("draws");
    let observed = fitted.observed().clone();
    let (rows, _) = predicted(
        &fitted,
        Rows::Observed(&observed),
        &wanted(Kind::Mean, Groups::Sample),
    )
    .expect("means");
    assert_eq!(rows, [drawn(&fit, "mu", 0), drawn(&fit, "mu", 1)]);
}

#[test]
fn rows_of_new_data_are_new_levels_unless_a_column_names_them() {
    let (_, fit) = short(&text("reedfrogs/m12_2.tad"), &data("reedfrogs/reedfrogs.csv"), 10);
    let fitted = Fitted::new(&fit).expect("draws");
    let options = wanted(Kind::Link, Groups::Sample);
    let (named, told) =
        predicted(&fitted, Rows::New(&table("tank,density\n7,10\n")), &options).expect("links");
    assert_eq!(
        (named[0].clone(), told),
        (drawn(&fit, "a_tank", 6), Told::default())
    );
    let (_, told) = predicted(&fitted, Rows::New(&table("density\n10\n35\n")), &options).expect("links");
    assert_eq!(told.new["tank"].iter().collect::<Vec<_>>(), ["49", "50"]);
}

#[test]
fn contrasts_are_differences_of_predictions() {
    let (_, fit) = short(
        &text("chimpanzees/m12_4.tad"),
        &data("chimpanzees/chimpanzees.csv"),
        5,
    );
    let fitted = Fitted::new(&fit).expect("draws");
    let options = wanted(Kind::Prob, Groups::Sample);
    let contrast = Contrast::parse("condition=1 - condition=0").expect("a contrast");
    let base = over("actor=1,2,new prosoc_left=0,1");
    let found = contrast
        .differences(&fitted, Rows::New(&base), &options, &mut Told::default())
        .expect("differences");
    let side = |condition: &str| {
        let rows = over(&format!("actor=1,2,new prosoc_left=0,1 condition={condition}"));
        predicted(&fitted, Rows::New(&rows), &options)
            .expect("probabilities")
            .0
    };
    let (left, right) = (side("1"), side("0"));
    for row in 0..6 {
        for draw in 0..fitted.draws() {
            assert_eq!(found[row][draw], left[row][draw] - right[row][draw], "row {row}");
        }
    }
    assert!(
        found[0].iter().all(|x| *x == 0.0),
        "the condition matters only where prosoc_left is 1"
    );
    // Averages of some hundred rows.
    let average = contrast
        .average(&fitted, Rows::New(&base), &options, &mut Told::default())
        .expect("an average");
    for draw in 0..fitted.draws() {
        let mean = (0..6).map(|row| found[row][draw]).sum::<f64>() / 6.0;
        assert_close(average[draw], mean, "the average");
    }
}

#[test]
fn faults_of_new_rows_are_named_with_their_places() {
    let (_, fit) = short(LINE, &line_data(), 5);
    let fitted = Fitted::new(&fit).expect("draws");
    for (rows, expected) in [
        ("g,pred\nu,no\n", "new.csv has no column `x`"),
        (
            "g,x,pred\nu,1,no\nu,NA,no\n",
            "in new.csv, column `x`: 1 of 2 values is missing (line 3)",
        ),
        (
            "g,x,pred\nu,1,maybe\n",
            "`pred` is `maybe` in new.csv, line 2, which the fit has not seen",
        ),
        (
            "g,x,pred\nu,-1,no\n",
            "`log(x)` is not a number in new.csv, line 2",
        ),
    ] {
        let error = predicted(
            &fitted,
            Rows::New(&table(rows)),
            &wanted(Kind::Link, Groups::Sample),
        )
        .expect_err("a fault");
        assert!(error.to_string().contains(expected), "{rows}: {error}");
        assert_eq!(error.exit_code(), 3);
    }
    let error = predicted(
        &fitted,
        Rows::New(&line_data()),
        &wanted(Kind::Prob, Groups::Sample),
    )
    .expect_err("Normal");
    assert_eq!(error.message(), "`y` has no probability: it is Normal");
    for (name, near) in [("predd=1", "did you mean `pred`?"), ("y=1", "leave it out")] {
        let error = Settings::parse(name)
            .expect("settings")
            .check(&fitted)
            .expect_err("no column");
        assert_eq!(error.help(), Some(near));
    }
}

/// The first two moments of a hierarchical prior predictive in closed form.
#[test]
fn simulated_parameters_and_outcomes_have_the_moments_of_their_distributions() {
    let model = "
        y ~ Normal(mu, s)
        mu = m + e[g] + 2*x
        e[g] ~ Normal(0, tau)
        m ~ Normal(1, 2)
        tau, s ~ Uniform(0, 3)
    ";
    let design = table("g,x\na,0\nb,0\na,1\n");
    let simulator = Simulator::new("m", model, &design).expect("a design without the outcome");
    let count = 20_000;
    let simulated = simulator.replicates(3, 0..count).expect("replicates");
    let y = &simulated.outcomes[0].1;
    let n = f64::from(count);
    let column = |row: usize| y.iter().skip(row).step_by(3).copied().collect::<Vec<f64>>();
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    // E tau² = E s² = 3: Var y = 4 + 3 + 3; rows of one group share 4 + 3, of two groups 4.
    for (row, expected) in [(0, 1.0), (1, 1.0), (2, 3.0)] {
        let x = column(row);
        let z = (mean(&x) - expected) / (10.0 / n).sqrt();
        assert!(z.abs() < 5.0, "row {row}: z {z}");
    }
    for (left, right, covariance) in [(0, 0, 10.0), (0, 2, 7.0), (0, 1, 4.0)] {
        let (a, b) = (column(left), column(right));
        let products: Vec<f64> = a
            .iter()
            .zip(&b)
            .map(|(a, b)| (a - 1.0) * (b - if right == 2 { 3.0 } else { 1.0 }))
            .collect();
        let centre = mean(&products);
        let variance = products.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / (n - 1.0);
        let z = (centre - covariance) / (variance / n).sqrt();
        assert!(
            z.abs() < 5.0,
            "covariance of rows {left} and {right}: {centre}, z {z}"
        );
    }
    let tau = simulated
        .quantities
        .iter()
        .find(|own| own.name == "tau")
        .expect("tau");
    assert!(tau.values.iter().all(|x| (0.0..3.0).contains(x)));
}

#[test]
fn a_replicate_is_the_same_in_whatever_part_it_is_made() {
    let simulator =
        Simulator::new("m", &text("ponds/m12_3.tad"), &data("ponds/ponds.csv")).expect("a design");
    let all = simulator.replicates(5, 0..6).expect("replicates");
    let some = simulator.replicates(5, 2..4).expect("replicates");
    assert_eq!(all.outcomes[0].1[2 * 60..4 * 60], some.outcomes[0].1[..]);
    for (all, some) in all.quantities.iter().zip(&some.quantities) {
        let len = all.elements.len();
        assert_eq!(all.values[2 * len..4 * len], some.values[..], "{}", all.name);
    }
    assert_ne!(all.outcomes[0].1[..60], all.outcomes[0].1[60..120]);
}

#[test]
fn parameters_that_are_set_stay_and_groups_follow_them() {
    let mut simulator =
        Simulator::new("m", &text("ponds/m12_3.tad"), &data("ponds/ponds.csv")).expect("a design");
    simulator.set("a", 1.4).expect("a parameter");
    simulator.set("sigma", 1e-9).expect("a parameter");
    simulator.set("a_pond[3]", -2.0).expect("an element");
    let simulated = simulator.replicates(1, 0..10).expect("replicates");
    let of = |name: &str| {
        simulated
            .quantities
            .iter()
            .find(|own| own.name == name)
            .expect("a quantity")
    };
    assert_eq!(of("a").values, [1.4; 10]);
    let ponds = of("a_pond");
    for (element, x) in ponds.values.iter().enumerate() {
        let expected = if element % 60 == 2 { -2.0 } else { 1.4 };
        // Nine sds of a pond.
        assert!((x - expected).abs() < 1e-8, "{x}");
    }
    let p = of("p_pond");
    assert!(p.derived);
    assert_close(p.values[2], 1.0 / (1.0 + 2.0_f64.exp()), "p_pond[3]");
    for (name, value, expected) in [
        ("sigm", 1.0, "`sigm` is no parameter of the model"),
        ("sigma", -1.0, "`sigma` cannot be -1: its values lie in (0, ∞)"),
        ("a", f64::NAN, "`a` cannot be NaN"),
        ("a_pond[61]", 0.0, "`a_pond[61]` is no parameter of the model"),
        ("p_pond", 0.0, "`p_pond` is no parameter of the model"),
    ] {
        let error = simulator.set(name, value).expect_err("refused");
        assert!(error.message().starts_with(expected), "{error}");
        assert!(error.help().is_some(), "{error}");
    }
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let design = table("x,w\n1,1\n2,3\n");
    for (model, expected) in [
        (
            "y = log(w)\ny ~ Normal(b*x, 1)\nb ~ Normal(0, 1)",
            "the outcome `y` is computed from columns",
        ),
        (
            "x ~ Normal(m, 1)\ny ~ Normal(b*x, 1)\nb, m ~ Normal(0, 1)",
            "`x` is an outcome here and a predictor elsewhere",
        ),
        ("y ~ Normal(b*zz, 1)\nb ~ Normal(0, 1)", "unknown name `zz`"),
    ] {
        let error = Simulator::new("m", model, &design).expect_err("refused");
        assert!(error.to_string().contains(expected), "{model}: {error}");
    }
}

/// A scale under a truncated prior is drawn from what the truncation leaves.
#[test]
fn truncated_priors_are_drawn_above_0() {
    let simulator =
        Simulator::new("m", "y ~ Normal(0, s)\ns ~ Normal(1, 1)\n", &table("x\n1\n")).expect("a design");
    let simulated = simulator.replicates(1, 0..20_000).expect("replicates");
    let s = &simulated.quantities[0].values;
    assert!(s.iter().all(|x| *x > 0.0));
    // The mean of a Normal(1, 1) above 0: 1 + φ(1)/Φ(1); its variance is below 1.
    let expected = 1.0 + 0.241_970_724_519_143_37 / 0.841_344_746_068_542_9;
    let mean = s.iter().sum::<f64>() / 20_000.0;
    assert!(
        (mean - expected).abs() < 5.0 / 20_000_f64.sqrt(),
        "{mean}, expected {expected}"
    );
}

/// What an outcome depends on: neither outcomes, trials and what makes an outcome, nor the columns of groups.
#[test]
fn predictors_and_groups_are_told_apart() {
    let asked = wanted(Kind::Mean, Groups::Average);
    let names = |fitted: &Fitted<'_>| -> Vec<String> {
        let found = fitted.predictors(&asked).expect("predictors");
        found.into_iter().map(|predictor| predictor.name).collect()
    };
    let groups = |fitted: &Fitted<'_>| -> Vec<(String, Vec<String>)> {
        let found = fitted.varying().into_iter();
        found.map(|varying| (varying.index, varying.columns)).collect()
    };
    for (model, csv, predictors, varying) in [
        (
            "reedfrogs/m12_2.tad",
            "reedfrogs/reedfrogs.csv",
            vec![],
            vec![("tank", vec![])],
        ),
        (
            "chimpanzees/chimps_cross.tad",
            "chimpanzees/chimpanzees.csv",
            vec!["condition", "prosoc_left"],
            vec![("actor", vec!["actor"]), ("block", vec!["block"])],
        ),
        (
            "cafes/cafe.tad",
            "cafes/cafes.csv",
            vec!["afternoon"],
            vec![("cafe", vec!["cafe"])],
        ),
    ] {
        let (_, fit) = short(&text(model), &data(csv), 4);
        let fitted = Fitted::new(&fit).expect("draws");
        assert_eq!(names(&fitted), predictors, "{model}");
        let varying: Vec<(String, Vec<String>)> = varying
            .into_iter()
            .map(|(index, columns)| (index.to_owned(), columns.into_iter().map(str::to_owned).collect()))
            .collect();
        assert_eq!(groups(&fitted), varying, "{model}");
    }
    let table = table("y,x,f,income,g\n1,0.5,a,2,u\n2,1,b,3,v\n4,2,a,5,u\n3,4,b,9,v\n");
    let model = "z = log(income)\nz ~ Normal(a[g] + b*x + c*(f == \"b\"), s)\na[g] ~ Normal(0, t)\nb, c ~ Normal(0, 1)\ns, t ~ Exponential(1)\n";
    let (_, fit) = short(model, &table, 4);
    let fitted = Fitted::new(&fit).expect("draws");
    assert_eq!(names(&fitted), ["x", "f"]);
}
