"""Writes the reference tables of the special functions, x and f(x), with mpmath in 60 digits.

Run in this folder: python tables.py. Every x is exact in f32, so that the GPU's functions meet the same arguments.
"""
import struct

from mpmath import mp, mpf, exp, expm1, log, log1p, loggamma, digamma, erfc, sqrt

mp.dps = 60


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def span(low, high, count):
    """Points from low to high with equal ratios."""
    return [low * (high / low) ** (i / (count - 1)) for i in range(count)]


def both(xs):
    return [-x for x in reversed(xs)] + xs


def normal(x):
    return erfc(-x / sqrt(2)) / 2


SIGNED = both(span(1e-7, 87, 60)) + [0.0]
POSITIVE = span(1e-6, 1e6, 80) + [0.5, 1, 1.001, 1.25, 1.4616321, 1.5, 1.999, 2, 2.5, 3, 7.99, 8, 8.01, 100.5]
TABLES = {
    "exp": (exp, SIGNED),
    "expm1": (expm1, SIGNED),
    "ln": (log, span(1e-30, 1e30, 60) + [0.7, 0.70710678, 0.75, 0.9, 0.99, 0.9999, 1, 1.0001, 1.01, 1.1, 1.4142135, 1.5]),
    "log1p": (log1p, [-x for x in span(1e-7, 0.999, 40)] + span(1e-7, 1e6, 50) + [0.0]),
    "softplus": (lambda x: log1p(exp(x)), SIGNED),
    "inv_logit": (lambda x: 1 / (1 + exp(-x)), SIGNED),
    "lgamma": (loggamma, POSITIVE),
    "digamma": (digamma, POSITIVE),
    "std_normal_cdf": (normal, both(span(1e-4, 12, 40)) + [0.0]),
    "log_std_normal_cdf": (lambda x: log(normal(x)), [-x for x in span(1e-4, 1000, 60)] + span(1e-4, 12, 30) + [0.0]),
}

if __name__ == "__main__":
    for name, (f, points) in TABLES.items():
        with open(f"{name}.csv", "w") as out:
            out.write("x,f\n")
            for x in sorted({f32(x) for x in points}):
                out.write(f"{x!r},{mp.nstr(f(mpf(x)), 20)}\n")
