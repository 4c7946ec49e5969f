"""The models in PyMC and in NumPyro, with the priors of the model files that tadpool reads.

Each effect is written centred or non-centred, by the argument `form`: run.sh names for every model the form that
these samplers do better with, or several. Correlated effects are written as the documentation of either shows, by the
Cholesky factor of their correlations; and in a third form, "conditional", which is centred too: the intercepts of the
groups, then their slopes given these, two univariate normals. Its density is that of the bivariate normal, and its
gradient costs a fraction of that of PyMC's MvNormal.
"""

import numpy as np
import pandas as pd


def load(model, path):
    """The data of a model as arrays; group indices from 0."""
    table = pd.read_csv(path)

    def codes(column):
        return np.unique(table[column].to_numpy(), return_inverse=True)[1].astype("int32")

    def reals(column):
        return table[column].to_numpy(dtype="float64")

    if model == "m12_2":
        return {"y": table["surv"].to_numpy("int32"), "n": table["density"].to_numpy("int32")}
    if model == "m12_5":
        return {
            "y": table["pulled_left"].to_numpy("int32"),
            "actor": codes("actor"),
            "block": codes("block"),
            "prosoc": reals("prosoc_left"),
            "condition": reals("condition"),
        }
    if model == "eight_schools":
        return {"y": reals("y"), "se": reals("sigma_obs")}
    if model == "groups":
        return {
            "y": table["y"].to_numpy("int32"),
            "group": codes("group"),
            "x": reals("x"),
            "z": reals("z"),
        }
    if model == "cafes":
        return {"y": reals("wait"), "group": codes("cafe"), "x": reals("afternoon")}
    if model == "slopes":
        return {"y": reals("y"), "group": codes("group"), "x": reals("x")}
    raise ValueError(f"no model {model}")


def levels(data):
    """The number of levels of each index column."""
    return {name: int(data[name].max()) + 1 for name in ("actor", "block", "group") if name in data}


# The quantities whose effective sample size counts, for every sampler alike.
PARAMETERS = {
    "m12_2": ["a_tank", "a", "sigma"],
    "m12_5": ["a_actor", "a_block", "a", "bp", "bpC", "sigma_actor", "sigma_block"],
    "eight_schools": ["theta", "mu", "tau"],
    "groups": ["a_group", "a", "b", "c", "sigma"],
    "cafes": ["a_cafe", "b_cafe", "a", "b", "sigma_cafe", "sigma", "Rho"],
    "slopes": ["a_group", "b_group", "a", "b", "tau", "sigma", "Rho"],
}

# The models with correlated slopes differ in names and in the means and standard deviations of the priors of a and b:
# the names of intercepts, slopes and their standard deviations, then those two priors.
CORRELATED = {
    "cafes": (("a_cafe", "b_cafe", "sigma_cafe"), (5.0, 2.0), (-1.0, 0.5)),
    "slopes": (("a_group", "b_group", "tau"), (0.0, 2.0), (0.0, 2.0)),
}


def pymc_model(model, data, form):
    """The PyMC model, which nutpie compiles."""
    import pymc as pm

    sizes = levels(data)

    def effect(name, location, scale, size):
        if form != "noncentred":
            return pm.Normal(name, location, scale, shape=size)
        standard = pm.Normal(f"{name}_standard", 0.0, 1.0, shape=size)
        return pm.Deterministic(name, location + scale * standard)

    with pm.Model() as built:
        if model == "m12_2":
            a = pm.Normal("a", 0.0, 1.0)
            sigma = pm.HalfCauchy("sigma", 1.0)
            a_tank = effect("a_tank", a, sigma, len(data["y"]))
            pm.Binomial("surv", data["n"], logit_p=a_tank, observed=data["y"])
        elif model == "m12_5":
            a = pm.Normal("a", 0.0, 10.0)
            bp = pm.Normal("bp", 0.0, 10.0)
            bpC = pm.Normal("bpC", 0.0, 10.0)
            sigma_actor = pm.HalfCauchy("sigma_actor", 1.0)
            sigma_block = pm.HalfCauchy("sigma_block", 1.0)
            a_actor = effect("a_actor", 0.0, sigma_actor, sizes["actor"])
            a_block = effect("a_block", 0.0, sigma_block, sizes["block"])
            slope = bp + bpC * data["condition"]
            logit = a + a_actor[data["actor"]] + a_block[data["block"]] + slope * data["prosoc"]
            pm.Bernoulli("pulled_left", logit_p=logit, observed=data["y"])
        elif model == "eight_schools":
            mu = pm.Normal("mu", 0.0, 5.0)
            tau = pm.HalfCauchy("tau", 5.0)
            theta = effect("theta", mu, tau, len(data["y"]))
            pm.Normal("y", theta, data["se"], observed=data["y"])
        elif model == "groups":
            a = pm.Normal("a", 0.0, 1.5)
            b = pm.Normal("b", 0.0, 1.0)
            c = pm.Normal("c", 0.0, 1.0)
            sigma = pm.HalfNormal("sigma", 1.0)
            a_group = effect("a_group", a, sigma, sizes["group"])
            logit = a_group[data["group"]] + b * data["x"] + c * data["z"]
            pm.Bernoulli("y", logit_p=logit, observed=data["y"])
        elif model in CORRELATED:
            (intercepts, slopes, scales), prior_a, prior_b = CORRELATED[model]
            a, b = pm.Normal("a", *prior_a), pm.Normal("b", *prior_b)
            sigma = pm.Exponential("sigma", 1.0)
            factor, correlations, tau = pm.LKJCholeskyCov(
                "factor", n=2, eta=2.0, sd_dist=pm.Exponential.dist(1.0, shape=2), compute_corr=True
            )
            pm.Deterministic(scales, tau)
            pm.Deterministic("Rho", correlations[0, 1])
            if form == "conditional":
                a_group = pm.Normal(intercepts, a, tau[0], shape=sizes["group"])
                expected = b + factor[1, 0] / tau[0] * (a_group - a)
                b_group = pm.Normal(slopes, expected, factor[1, 1], shape=sizes["group"])
            else:
                means = pm.math.stack([a, b])
                if form == "centred":
                    both = pm.MvNormal("both", means, chol=factor, shape=(sizes["group"], 2))
                else:
                    standard = pm.Normal("standard", 0.0, 1.0, shape=(sizes["group"], 2))
                    both = means + standard @ factor.T
                a_group = pm.Deterministic(intercepts, both[:, 0])
                b_group = pm.Deterministic(slopes, both[:, 1])
            mean = a_group[data["group"]] + b_group[data["group"]] * data["x"]
            pm.Normal("y", mean, sigma, observed=data["y"])
        else:
            raise ValueError(f"no model {model}")
    return built


def numpyro_model(model, data, form):
    """The NumPyro model as a function without arguments; BlackJAX samples the same density."""
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    sizes = levels(data)
    data = {name: jnp.asarray(values) for name, values in data.items()}

    def effect(name, location, scale, size):
        with numpyro.plate(f"{name}_plate", size):
            if form != "noncentred":
                return numpyro.sample(name, dist.Normal(location, scale))
            standard = numpyro.sample(f"{name}_standard", dist.Normal(0.0, 1.0))
        return numpyro.deterministic(name, location + scale * standard)

    def m12_2():
        a = numpyro.sample("a", dist.Normal(0.0, 1.0))
        sigma = numpyro.sample("sigma", dist.HalfCauchy(1.0))
        a_tank = effect("a_tank", a, sigma, len(data["y"]))
        numpyro.sample("surv", dist.Binomial(data["n"], logits=a_tank), obs=data["y"])

    def m12_5():
        a = numpyro.sample("a", dist.Normal(0.0, 10.0))
        bp = numpyro.sample("bp", dist.Normal(0.0, 10.0))
        bpC = numpyro.sample("bpC", dist.Normal(0.0, 10.0))
        sigma_actor = numpyro.sample("sigma_actor", dist.HalfCauchy(1.0))
        sigma_block = numpyro.sample("sigma_block", dist.HalfCauchy(1.0))
        a_actor = effect("a_actor", 0.0, sigma_actor, sizes["actor"])
        a_block = effect("a_block", 0.0, sigma_block, sizes["block"])
        slope = bp + bpC * data["condition"]
        logit = a + a_actor[data["actor"]] + a_block[data["block"]] + slope * data["prosoc"]
        numpyro.sample("pulled_left", dist.Bernoulli(logits=logit), obs=data["y"])

    def eight_schools():
        mu = numpyro.sample("mu", dist.Normal(0.0, 5.0))
        tau = numpyro.sample("tau", dist.HalfCauchy(5.0))
        theta = effect("theta", mu, tau, len(data["y"]))
        numpyro.sample("y", dist.Normal(theta, data["se"]), obs=data["y"])

    def groups():
        a = numpyro.sample("a", dist.Normal(0.0, 1.5))
        b = numpyro.sample("b", dist.Normal(0.0, 1.0))
        c = numpyro.sample("c", dist.Normal(0.0, 1.0))
        sigma = numpyro.sample("sigma", dist.HalfNormal(1.0))
        a_group = effect("a_group", a, sigma, sizes["group"])
        logit = a_group[data["group"]] + b * data["x"] + c * data["z"]
        numpyro.sample("y", dist.Bernoulli(logits=logit), obs=data["y"])

    def correlated():
        (intercepts, slopes, scales), prior_a, prior_b = CORRELATED[model]
        a, b = numpyro.sample("a", dist.Normal(*prior_a)), numpyro.sample("b", dist.Normal(*prior_b))
        sigma = numpyro.sample("sigma", dist.Exponential(1.0))
        tau = numpyro.sample(scales, dist.Exponential(1.0).expand([2]).to_event(1))
        correlations = numpyro.sample("correlations", dist.LKJCholesky(2, concentration=2.0))
        numpyro.deterministic("Rho", (correlations @ correlations.T)[0, 1])
        factor = tau[:, None] * correlations
        if form == "conditional":
            a_group = effect(intercepts, a, tau[0], sizes["group"])
            b_group = effect(slopes, b + factor[1, 0] / tau[0] * (a_group - a), factor[1, 1], sizes["group"])
        else:
            means = jnp.stack([a, b])
            with numpyro.plate("groups", sizes["group"]):
                if form == "centred":
                    both = numpyro.sample("both", dist.MultivariateNormal(means, scale_tril=factor))
                else:
                    both = means + numpyro.sample("standard", dist.Normal(0.0, 1.0).expand([2]).to_event(1)) @ factor.T
            a_group = numpyro.deterministic(intercepts, both[:, 0])
            b_group = numpyro.deterministic(slopes, both[:, 1])
        mean = a_group[data["group"]] + b_group[data["group"]] * data["x"]
        numpyro.sample("y", dist.Normal(mean, sigma), obs=data["y"])

    models = {"m12_2": m12_2, "m12_5": m12_5, "eight_schools": eight_schools, "groups": groups}
    return models.get(model, correlated)
