//! Correlated effects: their density against the multivariate normal written out, in every parameterisation; simulated
//! effects against the covariance that they should have; models with correlated effects fitted as they are written.

use std::sync::atomic::AtomicBool;

use tadpool::data::Table;
use tadpool::dist::Family;
use tadpool::fit::{Backend, Fit, LogLik, Options, Sampler, fit};
use tadpool::lang::LowerOptions;
use tadpool::model::Model;
use tadpool::predict::Simulator;
use tadpool::transform::{lkj_shape_offsets, pair_place, shares_of};

/// Slopes of two columns in three groups, beside intercepts; the levels of a factor in four groups.
const TABLE: &str = "g,h,k,x,z,y
1,a,u,0.5,1.25,1.5
2,b,v,-0.25,0.5,2.5
3,c,w,1,-1,0.5
1,d,u,0.75,0.25,-1
2,a,v,-1.5,1,0.25
3,b,w,0.5,2,3
";

const TEXT: &str = "
y ~ Normal(a[g] + b[g]*x + c[g]*z + d[h, k], sigma)
[a, b, c][g] ~ MVNormal([m, 0.5, m2], tau, Rho)
d[h, k] ~ MVNormal(0, omega, R)
m, m2 ~ Normal(0, 2)
tau[3] ~ Exponential(1)
omega[k] ~ Exponential(2)
Rho ~ LKJ(2)
R ~ LKJ(1.5)
sigma ~ Exponential(1)
";

fn model(centring: Option<bool>) -> Model {
    let table = Table::from_bytes("d.csv", TABLE.as_bytes()).expect("a table");
    let options = LowerOptions {
        centring,
        ridges: false,
        ..LowerOptions::default()
    };
    Model::with_options("m", TEXT, &table, &options).unwrap_or_else(|error| panic!("{error}"))
}

/// Values of the parameters, each `[element]`, moved by `seed`.
fn values(seed: f64) -> Vec<(&'static str, Vec<f64>)> {
    let some = |len: usize, from: f64| -> Vec<f64> {
        (0..len)
            .map(|i| from + 0.6 * (seed + 1.3 * i as f64 + from).sin())
            .collect()
    };
    vec![
        ("a", some(3, 0.2)),
        ("b", some(3, 0.4)),
        ("c", some(3, -0.3)),
        ("d", some(12, 0.1)),
        ("m", some(1, 0.3)),
        ("m2", some(1, -0.2)),
        ("tau", some(3, 0.9)),
        ("omega", some(3, 0.8)),
        ("Rho", vec![0.4 * seed.sin(), -0.3, 0.2]),
        ("R", vec![-0.5, 0.1, 0.35 * seed.cos()]),
        ("sigma", vec![0.8]),
    ]
}

fn of<'v>(values: &'v [(&str, Vec<f64>)], name: &str) -> &'v [f64] {
    let found = values.iter().find(|(own, _)| *own == name);
    &found.expect("a parameter").1
}

/// The log density of MVNormal(0, diag(sd)·R·diag(sd)) by elimination of the covariance matrix.
fn mv_normal(x: &[f64], sd: &[f64], correlations: &[f64]) -> f64 {
    let n = x.len();
    let entry = |i: usize, j: usize| {
        let correlation = match i == j {
            true => 1.0,
            false => correlations[pair_place(n, i.min(j), i.max(j))],
        };
        sd[i] * sd[j] * correlation
    };
    let mut rows: Vec<Vec<f64>> = (0..n)
        .map(|i| (0..n).map(|j| entry(i, j)).chain([x[i]]).collect())
        .collect();
    let mut ln_det = 0.0;
    for pivot in 0..n {
        ln_det += rows[pivot][pivot].ln();
        for row in pivot + 1..n {
            let factor = rows[row][pivot] / rows[pivot][pivot];
            for column in pivot..=n {
                rows[row][column] -= factor * rows[pivot][column];
            }
        }
    }
    let mut solution = vec![0.0; n];
    for row in (0..n).rev() {
        let rest: f64 = (row + 1..n)
            .map(|column| rows[row][column] * solution[column])
            .sum();
        solution[row] = (rows[row][n] - rest) / rows[row][row];
    }
    let form: f64 = x.iter().zip(&solution).map(|(a, b)| a * b).sum();
    -0.5 * (n as f64 * std::f64::consts::TAU.ln() + ln_det + form)
}

/// ln of the density of the coordinates of a correlation matrix: the logits of its shares.
fn lkj(correlations: &[f64], eta: f64) -> f64 {
    let shares = shares_of(correlations, 3).expect("positive definite");
    let offsets = lkj_shape_offsets(3);
    shares
        .iter()
        .zip(offsets)
        .map(|(share, offset)| {
            let shape = eta + offset;
            Family::Beta.log_density(share, &[shape, shape]) + share.ln() + (1.0 - share).ln()
        })
        .sum()
}

/// The log density of the coordinates where every effect is its own.
fn written_out(values: &[(&str, Vec<f64>)]) -> f64 {
    let (tau, omega) = (of(values, "tau"), of(values, "omega"));
    let (rho, r) = (of(values, "Rho"), of(values, "R"));
    let (m, m2, sigma) = (of(values, "m")[0], of(values, "m2")[0], of(values, "sigma")[0]);
    let (a, b, c, d) = (of(values, "a"), of(values, "b"), of(values, "c"), of(values, "d"));
    let mut sum = lkj(rho, 2.0) + lkj(r, 1.5);
    for group in 0..3 {
        let x = [a[group] - m, b[group] - 0.5, c[group] - m2];
        sum += mv_normal(&x, tau, rho);
    }
    for group in 0..4 {
        sum += mv_normal(&d[group * 3..][..3], omega, r);
    }
    for x in [m, m2] {
        sum += Family::Normal.log_density(&x, &[0.0, 2.0]);
    }
    for (scales, rate) in [(tau, 1.0), (omega, 2.0), (&[sigma], 1.0)] {
        for scale in scales {
            sum += Family::Exponential.log_density(scale, &[rate]) + scale.ln();
        }
    }
    for line in TABLE.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |place: usize| cells[place].parse::<f64>().expect("a number");
        let group = cells[0].parse::<usize>().expect("a group") - 1;
        let place = |cell: &str, levels: &str| levels.find(cell).expect("a level");
        let effect = d[place(cells[1], "abcd") * 3 + place(cells[2], "uvw")];
        let mean = a[group] + b[group] * number(3) + c[group] * number(4) + effect;
        sum += Family::Normal.log_density(&number(5), &[mean, sigma]);
    }
    sum
}

fn position(model: &Model, values: &[(&str, Vec<f64>)]) -> Vec<f64> {
    model.position(values).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_density_is_that_of_the_multivariate_normal() {
    let centred = model(Some(true));
    for seed in [0.3, 1.9, 4.2] {
        let values = values(seed);
        let at = position(&centred, &values);
        let found = centred.evaluate_reference(&at).expect("a value").log_density;
        let expected = written_out(&values);
        // Sums near 100 in f64.
        assert!((found - expected).abs() < 1e-11, "{found} {expected}");
    }
}

/// From effects to standardised ones each component's density gains its conditional scale.
#[test]
fn standardised_effects_have_the_same_density() {
    let (noncentred, learned) = (model(Some(false)), model(None));
    for seed in [0.3, 1.9, 4.2] {
        let values = values(seed);
        let mut jacobian = 0.0;
        for (sd, correlations, groups) in [
            (of(&values, "tau"), of(&values, "Rho"), 3.0),
            (of(&values, "omega"), of(&values, "R"), 4.0),
        ] {
            // ln det of diag(sd)·L is half of that of the covariance.
            let zero = [0.0; 3];
            let ln_det = -2.0 * mv_normal(&zero, sd, correlations) - 3.0 * std::f64::consts::TAU.ln();
            jacobian += groups * 0.5 * ln_det;
        }
        let expected = written_out(&values) + jacobian;
        let at = position(&noncentred, &values);
        let found = noncentred.evaluate_reference(&at).expect("a value").log_density;
        assert!((found - expected).abs() < 1e-11, "{found} {expected}");
        // Learned weights: the named values lead back to themselves, and the density is that with its own Jacobian.
        let at = position(&learned, &values);
        let named = learned.named_values(&at);
        for (quantity, found) in learned.lowered().quantities.iter().zip(&named) {
            for (x, y) in found.iter().zip(of(&values, &quantity.name)) {
                assert!((x - y).abs() < 1e-12, "{}: {x} {y}", quantity.name);
            }
        }
        let codes: Vec<u32> = learned
            .lowered()
            .program
            .graph
            .tuned()
            .flat_map(|index| index.codes.clone())
            .collect();
        let mut worker = learned.named_worker(&codes);
        let mut room: Vec<Vec<f64>> = named.iter().map(|values| vec![0.0; values.len()]).collect();
        let mut density = [learned.evaluate_reference(&at).expect("a value").log_density];
        let mut room: Vec<&mut [f64]> = room.iter_mut().map(Vec::as_mut_slice).collect();
        worker.evaluate(&at, &mut room, &mut density);
        assert!((density[0] - expected).abs() < 1e-11, "{} {expected}", density[0]);
    }
}

/// Pearson's correlation and the standard deviations.
fn moments(x: &[f64], y: &[f64]) -> (f64, f64, f64) {
    let n = x.len() as f64;
    let mean = |v: &[f64]| v.iter().sum::<f64>() / n;
    let (mx, my) = (mean(x), mean(y));
    let product = |a: &[f64], ma: f64, b: &[f64], mb: f64| {
        a.iter().zip(b).map(|(a, b)| (a - ma) * (b - mb)).sum::<f64>() / n
    };
    let (sx, sy) = (product(x, mx, x, mx).sqrt(), product(y, my, y, my).sqrt());
    (product(x, mx, y, my) / (sx * sy), sx, sy)
}

#[test]
fn simulated_effects_have_their_covariance() {
    let design = Table::from_bytes("d.csv", TABLE.as_bytes()).expect("a table");
    let mut simulator = Simulator::new("m", TEXT, &design).unwrap_or_else(|error| panic!("{error}"));
    for (name, value) in [
        ("m", 1.0),
        ("m2", -1.0),
        ("tau[1]", 0.5),
        ("tau[2]", 1.0),
        ("tau[3]", 2.0),
        ("omega", 0.7),
        ("Rho", 0.4),
        ("sigma", 1.0),
    ] {
        simulator
            .set(name, value)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let replicates = 4000;
    let made = simulator.replicates(3, 0..replicates).expect("replicates");
    let column = |name: &str, element: usize| -> Vec<f64> {
        let truth = made.quantities.iter().find(|truth| truth.name == name);
        let truth = truth.expect("a quantity");
        truth
            .values
            .chunks(truth.elements.len())
            .map(|values| values[element])
            .collect()
    };
    // A correlation of n draws has the standard error (1 − ρ²)/√n, an sd σ/√2n; four of them.
    let four = 4.0 / f64::from(replicates).sqrt();
    for (left, right, sds) in [
        ("a", "b", [0.5, 1.0]),
        ("a", "c", [0.5, 2.0]),
        ("b", "c", [1.0, 2.0]),
    ] {
        let (correlation, sx, sy) = moments(&column(left, 1), &column(right, 1));
        assert!(
            (correlation - 0.4).abs() < four * 0.84,
            "{left} {right}: {correlation}"
        );
        for (found, sd) in [(sx, sds[0]), (sy, sds[1])] {
            assert!(
                (found - sd).abs() < four * sd * 0.71,
                "{left} {right}: {found} {sd}"
            );
        }
    }
    // Of R nothing was set: R[1,2] under LKJ(1.5) of order 3 has Beta(2, 2) on (−1, 1), so the sd √(1/5).
    let drawn = column("R", 0);
    let (_, sd, _) = moments(&drawn, &drawn);
    assert!((sd - 0.2_f64.sqrt()).abs() < four * 0.5, "{sd}");
    let last = column("R", 2);
    let (_, sd, _) = moments(&last, &last);
    assert!((sd - 0.2_f64.sqrt()).abs() < four * 0.5, "{sd}");
    // Names with the last index fastest, as in the table of a fit.
    let truth = made.quantities.iter().find(|truth| truth.name == "d").expect("d");
    assert_eq!(truth.elements[..4], ["d[a,u]", "d[a,v]", "d[a,w]", "d[b,u]"]);
    let shared: Vec<f64> = (0..4)
        .map(|group| moments(&column("d", group * 3), &drawn).1)
        .collect();
    assert!(
        shared.iter().all(|sd| (sd - 0.7).abs() < four * 0.5),
        "{shared:?}"
    );
    let other = simulator.set("Rho[1,2]", 0.3).expect_err("one of three");
    assert!(other.to_string().contains("cannot be set alone"), "{other}");
    let other = simulator.set("Rho", -0.9).expect_err("no correlation matrix");
    assert!(other.to_string().contains("there is no such matrix"), "{other}");
    let other = simulator.set("Rho", 1.5).expect_err("no correlation");
    assert!(other.to_string().contains("(-1, 1)"), "{other}");
}

/// Draws of all chains, `[draw]`, of one element.
fn drawn(fit: &Fit, name: &str, element: usize) -> Vec<f64> {
    let quantity = fit
        .posterior
        .iter()
        .find(|quantity| quantity.name == name)
        .expect("a quantity");
    let len: usize = quantity.dims.iter().map(|dim| dim.labels.len()).product();
    quantity
        .values
        .iter()
        .skip(element)
        .step_by(len)
        .copied()
        .collect()
}

/// Ten correlated effects of each of thirty groups, simulated and fitted.
#[test]
fn ten_correlated_effects_are_recovered() {
    let k = 10;
    let mut text = String::from("y ~ Normal(mu, 0.5)\nmu = e0[g]");
    let mut header = String::from("g");
    for i in 1..k {
        text += &format!(" + e{i}[g]*x{i}");
        header += &format!(",x{i}");
    }
    let names: Vec<String> = (0..k).map(|i| format!("e{i}")).collect();
    text += &format!(
        "\n[{}][g] ~ MVNormal(0, tau, Rho)\ntau[{k}] ~ Exponential(1)\nRho ~ LKJ(2)\n",
        names.join(", ")
    );
    let mut design = header + "\n";
    let mut state = 1.0_f64;
    for row in 0..900 {
        design += &(row / 30).to_string();
        for _ in 1..k {
            // A quadratic map is random enough for a design.
            state = 3.99 * state.fract() * (1.0 - state.fract()) + 1e-3;
            design += &format!(",{:.4}", 4.0 * state.fract() - 2.0);
        }
        design.push('\n');
    }
    let design = Table::from_bytes("d.csv", design.as_bytes()).expect("a table");
    let mut simulator = Simulator::new("m", &text, &design).unwrap_or_else(|error| panic!("{error}"));
    simulator.set("tau", 1.0).expect("sds");
    let simulated = simulator.replicates(1, 0..1).expect("a replicate");
    let table = simulator.data_set(&simulated, 0).expect("a data set");
    let model = Model::new("m", &text, &table).unwrap_or_else(|error| panic!("{error}"));
    let options = Options {
        backend: Backend::Cpu,
        sampler: Sampler::Hmc,
        chains: Some(64),
        warmup: Some(200),
        draws: Some(100),
        log_lik: LogLik::None,
        ..Options::default()
    };
    let fit =
        fit(&model, &options, &|_| {}, &AtomicBool::new(false)).unwrap_or_else(|error| panic!("{error}"));
    let rhat = fit.run.diagnostics["nested_rhat"].as_f64().expect("R-hat");
    assert!(rhat < 1.01, "{rhat}");
    // The truth in posterior sds: the average of squares is 1 where it comes from the prior.
    let mut squares = Vec::new();
    let mut score = |draws: &[f64], truth: f64| {
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        squares.push((truth - mean).powi(2) / variance);
    };
    for element in 0..k {
        score(&drawn(&fit, "tau", element), 1.0);
    }
    let correlations = simulated
        .quantities
        .iter()
        .find(|truth| truth.name == "Rho")
        .expect("Rho");
    for (pair, truth) in correlations.values.iter().enumerate() {
        score(&drawn(&fit, "Rho", pair), *truth);
    }
    for (i, name) in names.iter().enumerate() {
        let truth = simulated
            .quantities
            .iter()
            .find(|truth| truth.name == *name)
            .expect("a truth");
        for group in 0..30 {
            score(&drawn(&fit, name, group), truth.values[group]);
        }
        assert_eq!(truth.elements.len(), 30, "{i}");
    }
    let largest = squares.iter().copied().fold(0.0, f64::max);
    let average = squares.iter().sum::<f64>() / squares.len() as f64;
    // 355 squares of about independent standard normals: 1 with a standard error of .075; beyond 4.5² with
    // probability .002.
    assert!((0.7..1.3).contains(&average), "{average}");
    assert!(largest < 4.5_f64.powi(2), "{largest}");
}

/// The models of the book and of its readers, as they stand, on tables with their columns.
#[test]
fn models_work_as_they_are_written() {
    let model = |name: &str| {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/lang/good/{name}.tad"));
        std::fs::read_to_string(path).expect("a model")
    };
    let data = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/{name}/{name}.csv"));
        std::fs::read_to_string(path).expect("a table")
    };
    let with = |table: &str, name: &str, value: &dyn Fn(usize, &str) -> String| -> String {
        let mut lines = table.lines();
        let mut text = format!("{},{name}\n", lines.next().expect("a header"));
        for (row, line) in lines.enumerate() {
            text += &format!("{line},{}\n", value(row, line));
        }
        text
    };
    let frogs = with(&data("reedfrogs"), "tank", &|row, _| (row + 1).to_string());
    // log_radon is computed from the activity in the model, so the table has the activity alone.
    let radon = data("radon_slopes")
        .replacen("uranium", "log_uranium", 1)
        .replacen("log_radon", "seen", 1);
    let radon = with(&radon, "activity", &|_, line| {
        let seen: f64 = line
            .rsplit(',')
            .next()
            .and_then(|cell| cell.parse().ok())
            .expect("a number");
        format!("{:.4}", seen.exp())
    });
    for (name, table) in [
        ("radon", radon),
        ("cafe", data("cafes")),
        ("chimps_cross", data("chimpanzees")),
        ("ulam_paste", data("chimpanzees")),
        ("sugar", frogs),
    ] {
        let table = Table::from_bytes("d.csv", table.as_bytes()).expect("a table");
        let model = Model::new(name, &model(name), &table).unwrap_or_else(|error| panic!("{error}"));
        let options = Options {
            backend: Backend::Cpu,
            sampler: Sampler::Hmc,
            chains: Some(64),
            warmup: Some(400),
            draws: Some(100),
            log_lik: LogLik::None,
            ..Options::default()
        };
        let fit =
            fit(&model, &options, &|_| {}, &AtomicBool::new(false)).unwrap_or_else(|error| panic!("{error}"));
        let rhat = fit.run.diagnostics["nested_rhat"].as_f64().expect("R-hat");
        let diverged = fit
            .sample_stats
            .as_ref()
            .expect("statistics")
            .diverging
            .iter()
            .filter(|d| **d)
            .count();
        println!("{name}: R-hat {rhat:.4}, {diverged} of 6400 draws diverged");
        assert!(rhat < 1.01, "{name}: R-hat {rhat}");
        assert!(diverged <= 6, "{name}: {diverged} draws diverged");
    }
}
