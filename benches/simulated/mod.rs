//! Simulated tables and their models, for the benchmark of effective draws and the test that holds it to its floors.

use tadpool::rng::{Purpose, Stream};

/// A model file's text and its table.
pub(crate) struct Simulated {
    pub(crate) text: &'static str,
    pub(crate) csv: String,
}

/// Standard normals of a simulated table.
fn normals(stream: u32, count: usize) -> Vec<f64> {
    let mut values = vec![0.0; count];
    Stream {
        seed: 3,
        replicate: 0,
        chain: 0,
        iteration: stream,
        purpose: Purpose::Predictive,
    }
    .fill_normal(&mut values);
    values
}

/// Thirty groups of 50 measurements each: effects that the data know well.
pub(crate) fn informed() -> Simulated {
    let (effects, noise) = (normals(0, 30), normals(1, 1500));
    let mut csv = "group,y\n".to_owned();
    for (row, noise) in noise.iter().enumerate() {
        let group = row / 50;
        csv += &format!("g{group:02},{:.4}\n", 2.0 + 1.5 * effects[group] + noise);
    }
    Simulated {
        text: "y ~ Normal(mu, sigma)\nmu = a + b[group]\nb[group] ~ Normal(0, tau)\na ~ Normal(0, 5)\ntau, sigma ~ \
               Exponential(1)\n",
        csv,
    }
}

/// Three hundred rows of counts from twenty subjects crossed with fifteen items, with a covariate.
pub(crate) fn crossed() -> Simulated {
    let (subjects, items, covariate, noise) =
        (normals(2, 20), normals(3, 15), normals(4, 300), normals(5, 300));
    let mut csv = "subject,item,x,y\n".to_owned();
    for row in 0..300 {
        let (subject, item) = (row / 15, row % 15);
        let x = covariate[row];
        let rate = (0.5 + 0.6 * subjects[subject] + 0.3 * items[item] + 0.4 * x).exp();
        // A rounded normal approximation to the Poisson's root: the model need not be true to be sampled.
        let root = rate.sqrt() + 0.5 * noise[row];
        csv += &format!(
            "s{subject:02},i{item:02},{x:.4},{}\n",
            (root.max(0.0).powi(2)).round()
        );
    }
    Simulated {
        text: "y ~ Poisson(rate)\nlog(rate) = a + s[subject] + i[item] + b*x\ns[subject] ~ Normal(0, tau_s)\ni[item] ~ \
               Normal(0, tau_i)\na, b ~ Normal(0, 2)\ntau_s, tau_i ~ Exponential(1)\n",
        csv,
    }
}

/// Five predictors with correlation .95 between any two, and no groups.
pub(crate) fn collinear() -> Simulated {
    let (common, own, noise) = (normals(6, 200), normals(7, 1000), normals(8, 200));
    let mut csv = "x1,x2,x3,x4,x5,y\n".to_owned();
    for row in 0..200 {
        let x: Vec<f64> = (0..5)
            .map(|i| 0.95f64.sqrt() * common[row] + 0.05f64.sqrt() * own[5 * row + i])
            .collect();
        let y = 1.0 + 0.5 * x[0] - 0.3 * x[3] + noise[row];
        csv += &x.iter().map(|x| format!("{x:.4},")).collect::<String>();
        csv += &format!("{y:.4}\n");
    }
    Simulated {
        text: "y ~ Normal(mu, sigma)\nmu = a + b1*x1 + b2*x2 + b3*x3 + b4*x4 + b5*x5\na, b1, b2, b3, b4, b5 ~ \
               Normal(0, 5)\nsigma ~ Exponential(1)\n",
        csv,
    }
}
