"""Prints the polynomial coefficients of src/num/lanes: near-minimax fits in 60-digit arithmetic.

Each fit interpolates the function at Chebyshev nodes and is rewritten in powers, lowest first. The relative error
that the rounded coefficients leave is printed beside it.
"""
from mpmath import atanh, mp, mpf, cos, pi, exp, log, erfc, sqrt, log1p

mp.dps = 60


def fit(f, low, high, degree):
    low, high = mpf(low), mpf(high)
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * (degree + 1))) for i in range(degree + 1)]
    # Newton's divided differences, then expansion in powers.
    table = [f(x) for x in nodes]
    for level in range(1, degree + 1):
        for i in range(degree, level - 1, -1):
            table[i] = (table[i] - table[i - 1]) / (nodes[i] - nodes[i - level])
    powers = [mpf(0)] * (degree + 1)
    for i in range(degree, -1, -1):
        shifted = [mpf(0)] + powers[:-1]
        powers = [s - nodes[i] * p for s, p in zip(shifted, powers)]
        powers[0] += table[i]
    return [float(c) for c in powers]


def worst(f, coefficients, low, high, weight=lambda x: mpf(1)):
    error = mpf(0)
    for i in range(2001):
        x = mpf(low) + (mpf(high) - mpf(low)) * i / 2000 + mpf(10) ** -20
        p = mpf(0)
        for c in reversed(coefficients):
            p = p * x + mpf(c)
        error = max(error, abs((p / f(x) - 1) * weight(x)))
    return error


def rust(c):
    """A literal in the form that clippy wants: digits in groups of three."""
    text = repr(c)
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    groups = [fraction[i : i + 3] for i in range(0, len(fraction), 3)]
    return whole + "." + "_".join(groups or ["0"]) + ("e" + exponent if exponent else "")


def report(name, f, low, high, degree, weight=lambda x: mpf(1), checked_to=None):
    c = fit(f, low, high, degree)
    print(f"// {name}: degree {degree} on [{low}, {high}], relative error {mp.nstr(worst(f, c, low, checked_to or high, weight), 3)}")
    print(f"const {name}: [f64; {len(c)}] = [")
    for value in c:
        print(f"    {rust(value)},")
    print("];")


if __name__ == "__main__":
    # (e^r − 1 − r)/r² on half a binary step; its weight in e^r is r².
    report("EXP", lambda r: (exp(r) - 1 - r) / r**2, -0.34658, 0.34658, 9, lambda r: r**2)
    # (ln(1 + f) − f + f²/2)/f³ on [√½ − 1, √2 − 1]; its weight in ln(1 + f) is f².
    report("LN", lambda f: (log1p(f) - f + f**2 / 2) / f**3, -0.2929, 0.4143, 19, lambda f: f**2)
    # (2 artanh z − 2z)/z³ as a function of z², for z = t/(2 + t), 0 ≤ t ≤ 1; its weight in ln(1 + t) is z²/3.
    report("ARTANH", lambda w: (2 * atanh(sqrt(w)) - 2 * sqrt(w)) / sqrt(w) ** 3, mpf(10) ** -24, mpf(1) / 9, 9, lambda w: w / 3)
    # At t = 1 the function is a limit; it is checked up to z = 8000.
    # (1 + 2z)·½·erfcx(z/√2) as a function of t = (z − 4)/(z + 4).
    def mills(t):
        z = 4 * (1 + t) / (1 - t)
        return (1 + 2 * z) * exp(z**2 / 2) * erfc(z / sqrt(2)) / 2
    report("MILLS", mills, -1, 1, 24, checked_to=0.999)
    # The same for shaders/special.wgsl, in f32.
    report("MILLS_F32", mills, -1, 1, 10, checked_to=0.999)
