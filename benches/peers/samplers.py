"""The samplers, each behind the same face: made for a model, then run with a number of draws and a seed.

`prepare` compiles for a number of draws and runs once; `run` then returns the seconds that tuning and drawing took by
the clock, the seconds that cores worked for them, and the draws by name as arrays `[chain, draw, ...]`. tadpool alone is timed whole, by
its own `total_seconds`: reading the files, compiling, tuning, drawing, diagnostics.
"""

import json
import os
import resource
import subprocess
import tempfile
import time

import models

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def core_seconds():
    """Seconds that cores have worked for this process, all threads and finished children together."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


class Stopwatch:
    """Both clocks from the moment it is made."""

    def __init__(self):
        self.cores, self.wall = core_seconds(), time.perf_counter()

    def stop(self):
        """Seconds by the clock, seconds that cores worked."""
        return time.perf_counter() - self.wall, core_seconds() - self.cores


class Nutpie:
    """nutpie over PyMC and Numba: NUTS with the draw and gradient metric, its own number of tuning steps."""

    chains, warmup, draws = 4, None, 1000

    def __init__(self, model, data, form, low_rank=False):
        import nutpie

        self.sampler = nutpie
        self.model = model
        self.low_rank = low_rank
        self.compiled = nutpie.compile_pymc_model(models.pymc_model(model, models.load(model, data), form))

    def prepare(self, draws):
        # Nothing depends on the number of draws; a short first run pays for what is done once.
        if not hasattr(self, "divergences"):
            self.run(10, 1000, tune=10)

    def run(self, draws, seed, tune=None):
        watch = Stopwatch()
        trace = self.sampler.sample(
            self.compiled,
            draws=draws,
            tune=tune,
            chains=self.chains,
            cores=CORES,
            seed=seed,
            low_rank_modified_mass_matrix=self.low_rank,
            save_warmup=False,
            progress_bar=False,
        )
        seconds, cores = watch.stop()
        self.divergences = int(trace.sample_stats["diverging"].sum())
        return seconds, cores, {name: trace.posterior[name].to_numpy() for name in models.PARAMETERS[self.model]}


class NumPyro:
    """NumPyro's NUTS on JAX's CPU, f32 as JAX has it: the chains vectorised, or a device each.

    A run is one compiled program, as NumPyro's documentation shows (`vmap` or `pmap` of a function that makes and runs
    an MCMC); `MCMC.run` itself would compile parts anew in every call.
    """

    chains, warmup, draws = 4, 500, 1000

    def __init__(self, model, data, form, chain_method):
        import numpyro

        if chain_method == "parallel":
            numpyro.set_host_device_count(self.chains)
        self.model = model
        self.density = models.numpyro_model(model, models.load(model, data), form)
        self.chain_method = chain_method
        self.compiled = {}

    def _program(self, draws):
        import jax
        from numpyro.infer import MCMC, NUTS

        def chain(key):
            mcmc = MCMC(
                NUTS(self.density), num_warmup=self.warmup, num_samples=draws, num_chains=1, progress_bar=False
            )
            mcmc.run(key, extra_fields=("diverging",))
            samples = mcmc.get_samples()
            named = {name: samples[name] for name in models.PARAMETERS[self.model]}
            return named, mcmc.get_extra_fields()["diverging"]

        return jax.pmap(chain) if self.chain_method == "parallel" else jax.jit(jax.vmap(chain))

    def prepare(self, draws):
        import jax

        if draws not in self.compiled:
            self.compiled[draws] = self._program(draws)
            jax.block_until_ready(self.compiled[draws](self._keys(1000)))

    def _keys(self, seed):
        import jax

        return jax.block_until_ready(jax.random.split(jax.random.PRNGKey(seed), self.chains))

    def run(self, draws, seed):
        import jax

        given = self._keys(seed)
        watch = Stopwatch()
        samples, divergent = jax.block_until_ready(self.compiled[draws](given))
        seconds, cores = watch.stop()
        self.divergences = int(divergent.sum())
        return seconds, cores, jax.device_get(samples)


class BlackJax:
    """BlackJAX: window adaptation, then NUTS, the chains vmapped; the density is NumPyro's."""

    chains, warmup, draws = 4, 500, 1000

    def __init__(self, model, data, form):
        import jax
        from numpyro.infer.util import initialize_model

        self.model = model
        density = models.numpyro_model(model, models.load(model, data), form)
        info = initialize_model(jax.random.PRNGKey(0), density)
        self.start = info.param_info.z
        self.log_density = lambda position: -info.potential_fn(position)
        self.constrain = jax.jit(jax.vmap(jax.vmap(info.postprocess_fn)))
        self.compiled = {}

    def _program(self, draws):
        import blackjax
        import jax

        warmup = blackjax.window_adaptation(blackjax.nuts, self.log_density)

        def chain(key, position):
            tuning, drawing = jax.random.split(key)
            (state, parameters), _ = warmup.run(tuning, position, num_steps=self.warmup)
            kernel = blackjax.nuts(self.log_density, **parameters)

            def step(state, key):
                state, info = kernel.step(key, state)
                return state, (state.position, info.is_divergent)

            return jax.lax.scan(step, state, jax.random.split(drawing, draws))[1]

        return jax.jit(jax.vmap(chain))

    def prepare(self, draws):
        import jax

        if draws not in self.compiled:
            self.compiled[draws] = self._program(draws)
            jax.block_until_ready(self.compiled[draws](*self._arguments(1000)))

    def _arguments(self, seed):
        """A key and a starting point, uniform on (-2, 2) per coordinate, for each chain."""
        import jax

        keys = jax.random.split(jax.random.PRNGKey(seed), 2 * self.chains).reshape(2, self.chains, -1)
        leaves, tree = jax.tree_util.tree_flatten(self.start)
        starts = [
            jax.random.uniform(jax.random.fold_in(keys[1, 0], place), (self.chains, *leaf.shape), minval=-2.0, maxval=2.0)
            for place, leaf in enumerate(leaves)
        ]
        return jax.block_until_ready((keys[0], jax.tree_util.tree_unflatten(tree, starts)))

    def run(self, draws, seed):
        import jax

        given = self._arguments(seed)
        watch = Stopwatch()
        positions, divergent = jax.block_until_ready(self.compiled[draws](*given))
        seconds, cores = watch.stop()
        self.divergences = int(divergent.sum())
        named = self.constrain(positions)
        return seconds, cores, {name: jax.device_get(named[name]) for name in models.PARAMETERS[self.model]}


class Tadpool:
    """tadpool as the command that a person types, with the flags given beside the defaults.

    Its seconds are warm-up and drawing, as those of the others; `whole_seconds` has reading, compiling, diagnostics and
    writing the draws beside, and so have its core seconds.
    """

    def __init__(self, model, data, text, flags):
        self.binary = os.environ["TADPOOL"]
        self.model, self.data, self.text, self.flags = model, data, text, list(flags)
        given = None
        if "--draws" in self.flags:
            place = self.flags.index("--draws")
            given = int(self.flags[place + 1])
            del self.flags[place : place + 2]
        self.folder = tempfile.TemporaryDirectory()
        first = self._command(given, 0)
        self.chains, self.warmup, self.draws = first["chains"], first["warmup"], first["draws"]

    def prepare(self, draws):
        """Nothing: every command compiles anew, which is part of its time."""

    def _command(self, draws, seed):
        self.out = os.path.join(self.folder.name, "fit.nc")
        line = [self.binary, "fit", self.text, "--data", self.data, "--seed", str(seed)]
        line += ["--out", self.out, "--quiet", "--format", "json", "--log-lik", "none", *self.flags]
        if draws is not None:
            line += ["--draws", str(draws)]
        return json.loads(subprocess.run(line, check=True, stdout=subprocess.PIPE).stdout)

    def run(self, draws, seed):
        import xarray

        watch = Stopwatch()
        timing = (told := self._command(draws, seed))["timing"]
        _, cores = watch.stop()
        self.whole_seconds = timing["total_seconds"]
        self.divergences = told["diagnostics"]["divergences"]
        posterior = xarray.open_dataset(self.out, group="posterior", engine="h5netcdf")
        with posterior:
            draws = {name: posterior[name].to_numpy() for name in models.PARAMETERS[self.model]}
        return timing["warmup_seconds"] + timing["sampling_seconds"], cores, draws


def make(name, model, data, text, form, warmup):
    """The sampler of a name, compiled; `text` is tadpool's model file. A name is SAMPLER, or SAMPLER and its flags.

    `warmup` replaces the number of warm-up iterations of NumPyro and BlackJAX, which have none of their own.
    """
    word, *flags = name.split()
    if warmup is not None:
        NumPyro.warmup = BlackJax.warmup = warmup
    if word == "tadpool":
        return Tadpool(model, data, text, flags)
    if word == "nutpie":
        return Nutpie(model, data, form, low_rank="low-rank" in flags)
    if word == "numpyro":
        return NumPyro(model, data, form, *flags)
    if word == "blackjax":
        return BlackJax(model, data, form)
    raise ValueError(f"no sampler {name}")
