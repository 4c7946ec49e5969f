"""Writes densities.csv: log densities of every distribution in 50-digit arithmetic (mpmath).

Run in this folder: python densities.py > densities.csv
The formulae are those of Wikipedia's or SciPy's pages, written apart from the Rust ones.
"""
from mpmath import mp, mpf, log, gamma, loggamma, pi, exp, binomial, beta, power, sqrt

mp.dps = 50


def choose(n, y):
    return log(binomial(n, y))


DENSITIES = {
    "Normal": lambda y, m, s: log(mp.npdf(y, m, s)),
    "HalfNormal": lambda y, s: log(2 * mp.npdf(y, 0, s)),
    "Cauchy": lambda y, m, s: log(1 / (pi * s * (1 + ((y - m) / s) ** 2))),
    "HalfCauchy": lambda y, s: log(2 / (pi * s * (1 + (y / s) ** 2))),
    "StudentT": lambda y, v, m, s: loggamma((v + 1) / 2) - loggamma(v / 2)
    + log((1 + ((y - m) / s) ** 2 / v) ** (-(v + 1) / 2) / (sqrt(v * pi) * s)),
    "HalfStudentT": lambda y, v, s: loggamma((v + 1) / 2) - loggamma(v / 2)
    + log(2 * (1 + (y / s) ** 2 / v) ** (-(v + 1) / 2) / (sqrt(v * pi) * s)),
    "Exponential": lambda y, r: log(r * exp(-r * y)),
    "Gamma": lambda y, a, b: log(b**a * y ** (a - 1) * exp(-b * y) / gamma(a)),
    "InvGamma": lambda y, a, b: log(b**a * y ** (-a - 1) * exp(-b / y) / gamma(a)),
    "Beta": lambda y, a, b: log(y ** (a - 1) * (1 - y) ** (b - 1) / beta(a, b)),
    "Uniform": lambda y, l, u: log(1 / (u - l)),
    "LogNormal": lambda y, m, s: log(exp(-((log(y) - m) ** 2) / (2 * s**2)) / (y * s * sqrt(2 * pi))),
    "Logistic": lambda y, m, s: log(exp(-(y - m) / s) / (s * (1 + exp(-(y - m) / s)) ** 2)),
    "Laplace": lambda y, m, s: log(exp(-abs(y - m) / s) / (2 * s)),
    "Weibull": lambda y, k, s: log(k / s * (y / s) ** (k - 1) * exp(-((y / s) ** k))),
    "Binomial": lambda y, n, p: choose(n, y) + log(p**y * (1 - p) ** (n - y)),
    "Bernoulli": lambda y, p: log(p if y == 1 else 1 - p),
    "Poisson": lambda y, m: log(m**y * exp(-m)) - loggamma(y + 1),
    "NegBinomial": lambda y, m, f: choose(y + f - 1, y) + y * log(m / (m + f)) + f * log(f / (m + f)),
    "Geometric": lambda y, p: log(p * (1 - p) ** y),
    "BetaBinomial": lambda y, n, a, b: choose(n, y) + log(beta(y + a, n - y + b) / beta(a, b)),
}

POINTS = {
    "Normal": [(0, 0, 1), (1.5, -0.5, 2), (-30, 1, 0.25), (1e-3, 0, 1e-2)],
    "HalfNormal": [(0.5, 1), (0.001, 3), (12, 2.5)],
    "Cauchy": [(0, 0, 1), (3, 1, 0.5), (-1e4, 2, 2)],
    "HalfCauchy": [(0.5, 1), (200, 1), (1e-3, 25)],
    "StudentT": [(0, 3, 0, 1), (2.5, 1, 0.5, 2), (-7, 30, 1, 0.5), (0.2, 0.5, 0, 1), (1, 500, 0, 1)],
    "HalfStudentT": [(1, 3, 2.5), (40, 3, 2.5), (0.01, 7, 0.2)],
    "Exponential": [(0.5, 1), (10, 0.25), (1e-4, 100)],
    "Gamma": [(1, 2, 3), (0.01, 0.5, 1), (40, 30, 0.8), (2.5, 1, 2)],
    "InvGamma": [(1, 2, 3), (0.1, 0.5, 1), (40, 3, 80)],
    "Beta": [(0.5, 2, 3), (0.001, 0.5, 0.5), (0.97, 30, 2)],
    "Uniform": [(0.5, 0, 1), (-2, -3, 5)],
    "LogNormal": [(1, 0, 1), (0.02, -3, 0.5), (1e5, 8, 2)],
    "Logistic": [(0, 0, 1), (-9, 1, 0.5), (50, 1, 2)],
    "Laplace": [(0, 0, 1), (-4, 1, 0.5), (5.5, 1, 3)],
    "Weibull": [(1, 1, 1), (0.3, 0.7, 2), (4, 3.5, 3)],
    "Binomial": [(0, 10, 0.3), (10, 10, 0.3), (4, 10, 0.5), (700, 1000, 0.71)],
    "Bernoulli": [(0, 0.3), (1, 0.3), (1, 0.999)],
    "Poisson": [(0, 0.5), (3, 2.5), (120, 100), (0, 1e-3)],
    "NegBinomial": [(0, 2, 0.5), (7, 3, 2), (150, 80, 12), (4, 5, 1000)],
    "Geometric": [(0, 0.25), (12, 0.1), (1, 0.9)],
    "BetaBinomial": [(0, 10, 2, 3), (10, 10, 0.5, 0.5), (35, 100, 8, 12)],
}

if __name__ == "__main__":
    print("# family, y, log density, arguments: written by densities.py with mpmath")
    for family, points in POINTS.items():
        for point in points:
            value = DENSITIES[family](*[mpf(x) for x in point])
            y, *arguments = point
            print(",".join([family, repr(y), mp.nstr(value, 20)] + [repr(a) for a in arguments]))
