"""Gradients per second of m12_2 (centred, d = 50) in JAX, vmapped and jitted, f32, on the device that JAX takes.

    python3 benches/jax_gradient.py

The yardstick beside benches/fused.rs: the same density at the positions of as many chains, called alone, and within a
compiled loop of leapfrog steps, where positions need not leave the device. The best of five rounds counts.
"""

import csv
import pathlib
import time

import jax
import jax.numpy as jnp

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "data" / "reedfrogs"
STEPS = 64

with open(FOLDER / "reedfrogs.csv") as file:
    rows = list(csv.DictReader(file))
survived = jnp.array([float(row["surv"]) for row in rows])
density = jnp.array([float(row["density"]) for row in rows])


def log_density(q):
    a, log_sigma, tanks = q[0], q[1], q[2:]
    sigma = jnp.exp(log_sigma)
    prior = -0.5 * a * a + log_sigma - jnp.log1p(sigma * sigma)
    effects = jnp.sum(-0.5 * ((tanks - a) / sigma) ** 2) - len(rows) * log_sigma
    return prior + effects + jnp.sum(survived * tanks - density * jax.nn.softplus(tanks))


gradient = jax.vmap(jax.value_and_grad(log_density))


@jax.jit
def trajectory(q, p):
    def step(_, state):
        q, p, g = state
        p = p + 0.05 * g
        q = q + 0.1 * p
        _, g = gradient(q)
        return q, p + 0.05 * g, g

    _, g = gradient(q)
    return jax.lax.fori_loop(0, STEPS, step, (q, p, g))


def best(run, rounds=5):
    run()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


print(f"jax {jax.__version__} on {jax.devices()[0]}")
for chains in (65_536, 262_144, 1_048_576):
    q, p = (jax.random.normal(jax.random.PRNGKey(seed), (chains, 50), jnp.float32) for seed in (1, 2))
    alone = jax.jit(gradient)
    calls = 50

    def call():
        for _ in range(calls):
            result = alone(0.3 * q)
        result[1].block_until_ready()

    rate = chains * calls / best(call)
    print(f"{chains} chains, gradient alone: {rate:.3e} gradients/s", flush=True)
    rate = chains * STEPS / best(lambda: trajectory(0.3 * q, p)[0].block_until_ready())
    print(f"{chains} chains, in a loop of {STEPS} leapfrog steps: {rate:.3e} gradients/s", flush=True)
