"""References at the edges of what is taken: correlated sources of 16 rows, letters that never occur, blocks of no gain, exponents at -30 and 60 dB,
the joint error event, finite sources with side information at the decoder.

Run: python3 make_edges.py > edges.json      (NumPy, SciPy, mpmath)
"""
import itertools
import json

import mpmath as mp
import numpy as np
from scipy import integrate, optimize, special, stats

rng = np.random.default_rng(16)
LN2 = np.log(2)


def dual_rate(sx, h, mmse, ds, dx):
    """Lagrange dual of the rate of a Gaussian vector, maximised over both multipliers by Nelder-Mead: a bound from below on any rate that meets the limits."""
    root = np.linalg.cholesky(sx)
    p, q = root.T @ root, (h @ root).T @ (h @ root)

    def negative(z):
        l1, l2 = (np.exp(a) if np.isfinite(d) else 0.0 for a, d in zip(z, (dx, ds)))
        w = np.linalg.eigvalsh(l1 * p + l2 * q)
        e = 1 / np.maximum(1, w)
        spent = (l1 * dx if l1 else 0.0) + (l2 * (ds - mmse) if l2 else 0.0)
        return -0.5 * (np.sum(w * e - np.log(e)) - spent)

    runs = [optimize.minimize(negative, np.log(x), method="Nelder-Mead", options={"xatol": 1e-11, "fatol": 1e-15, "maxiter": 6000})
            for x in ((1, 1), (30, 5), (5, 60))]
    return float(-min(r.fun for r in runs) / LN2)


def vectors():
    a = rng.standard_normal((16, 16))
    markov = [[round(0.9 ** abs(i - j), 6) for j in range(16)] for i in range(16)]
    out = []
    for sx in (np.round(a @ a.T / 16 + 0.01 * np.eye(16), 6), np.array(markov)):
        h = np.round(rng.standard_normal((5, 16)) / 4, 4)
        for fs, fx in ((0.3, 0.3), (0.05, 0.5), (0.6, 0.02), (0.3, np.inf), (np.inf, 0.1)):
            ds, dx = 0.4 + fs * np.trace(h @ sx @ h.T), fx * np.trace(sx)
            out.append({"sx": sx.tolist(), "h": h.tolist(), "mmse": 0.4, "ds": float(ds) if np.isfinite(ds) else None,
                        "dx": float(dx) if np.isfinite(dx) else None, "rateBits": dual_rate(sx, h, 0.4, ds, dx)})
    return out


def unused_letter():
    """A source one of whose letters never occurs: min I over the test channel of the others, SLSQP."""
    px = np.array([0.5, 0.3, 0.2])
    post = np.array([[0.9, 0.1, 0], [0, 0.5, 0.5], [0.1, 0, 0.9]])
    ds_t, dx_t = np.array([[0, 1], [1, 0], [0.5, 2]]), np.array([[0, 1, 4], [4, 1, 0], [2, 3, 1]])
    cs, cx = np.repeat(post @ ds_t, 3, axis=1), np.tile(dx_t, (1, 2))
    out = []
    for ds, dx in ((0.45, 0.5), (0.5, 1.0), (np.inf, 0.3)):
        def information(z):
            p = np.maximum(z.reshape(3, 6), 1e-300)
            return float((px[:, None] * p * np.log(p / (px @ p))).sum() / LN2)

        limits = [{"type": "eq", "fun": lambda z: z.reshape(3, 6).sum(1) - 1}]
        limits += [{"type": "ineq", "fun": lambda z, c=c, d=d: d - (px[:, None] * z.reshape(3, 6) * c).sum()}
                   for c, d in ((cs, ds), (cx, dx)) if np.isfinite(d)]
        runs = [optimize.minimize(information, rng.dirichlet(np.ones(6), 3).ravel(), bounds=[(0, 1)] * 18, constraints=limits,
                                  method="SLSQP", options={"maxiter": 1000, "ftol": 1e-13}) for _ in range(6)]
        out.append({"ds": ds if np.isfinite(ds) else None, "dx": dx, "rateBits": min(r.fun for r in runs if r.success)})
    full = lambda t, row: [*t[:1], row, *t[1:]]
    return {"px": [0.5, 0, 0.3, 0.2], "sGivenX": full(post.tolist(), [1 / 3, 1 / 3, 1 / 3]), "dsTable": ds_t.tolist(),
            "dxTable": full(dx_t.tolist(), [1, 0, 1]), "rates": out}


def exponents():
    """[Gallager68] eq. 7.4.33 and below as printed, with 60 digits."""
    mp.mp.dps = 60
    out = []
    for db, rate in ((60, "19"), (60, "19.9"), (60, "1"), (40, "12.9"), (-30, "0.001"), (-30, "0.0001"), (-30, "0.0014")):
        a, r = mp.mpf(10) ** (mp.mpf(db) / 10), mp.mpf(rate) * mp.log(2) / 2
        root = mp.sqrt(1 + a * a / 4)
        if r <= mp.log(mp.mpf(1) / 2 + a / 4 + root / 2) / 2:
            b = (1 + a / 2 + root) / 2
            e = 1 - b + a / 2 + mp.log(b - a / 2) / 2 + mp.log(b) / 2 - r
        else:
            b = mp.e ** (2 * r)
            q = mp.sqrt(1 + 4 * b / (a * (b - 1)))
            e = a / (4 * b) * (b + 1 - (b - 1) * q) + mp.log(b - a * (b - 1) / 2 * (q - 1)) / 2
        out.append([db, float(rate), float(2 * e / mp.log(2))])
    return out


def missing_blocks():
    """Water-filling over resource blocks some of which carry nothing; mean SNR as asked for."""
    out = []
    for blocks, db in (([None, 3, -2, 10, None], 5), ([None, 0], -20), ([20, -30, 0, None], 30)):
        s = np.array([0 if b is None else 10 ** (b / 10) for b in blocks])
        s = s / s.mean() * 10 ** (db / 10)
        w = s[s > 0]
        level = optimize.brentq(lambda m: np.maximum(0, m - 1 / w).sum() - len(s), 0, len(s) + (1 / w).max() + 1, xtol=1e-14)
        out.append({"rbSnrDb": blocks, "snrDb": db, "bits": float(np.log2(1 + np.maximum(0, level - 1 / w) * w).sum() / len(s)),
                    "equal": float(np.log2(1 + s).mean())})
    return out


def joint_event():
    """P{ds > Ds or dx > Dx} of k samples sent uncoded over AWGN: quadrature of the noncentral chi-square over the error of the pixels."""
    out = []
    for rho, db, k, ds, dx in [(0.8, 9, 100, 0.5, 0.11), (0.8, 10, 100, 0.5, 0.11), (0.8, 11, 100, 0.5, 0.11), (-0.5, 3, 10, 0.9, 0.4),
                               (0.99, 0, 7, 0.6, 0.6), (0.3, 20, 1000, 0.95, 0.0105), (0.8, 5, 1, 0.5, 0.3), (0.9, 10, 2000, 0.27, 0.091)]:
        error, mmse = 1 / (1 + 10 ** (db / 10)), 1 - rho**2
        end = min(k * dx / error, k + 12 * np.sqrt(2 * k) + 60)
        fine = lambda r: stats.chi2.pdf(r, k) * stats.ncx2.cdf(k * ds / mmse, k, rho**2 * error * r / mmse)
        none = integrate.quad(fine, max(0, k - 12 * np.sqrt(2 * k) - 40), end, epsabs=1e-13, epsrel=1e-12, limit=500)[0]
        out.append([rho, db, k, ds, dx, 1 - none])
    return out


def wyner_ziv():
    """Finite sources with V at the decoder alone: I(X; T|V) over P(t|x) by L-BFGS inside of its Lagrange dual, t a rule from v to (shat, xhat)."""
    out, random = [], np.random.default_rng(31)
    for letters, limits in [(2, (0.1, None)), (3, (0.2, None)), (2, (None, 0.3)), (3, (None, 0.5))]:
        px, s_x, v_x = random.dirichlet(np.ones(letters) * 9), random.dirichlet((0.3, 0.3), letters), random.dirichlet((1, 1), letters)
        ds, dx = np.array([[0, 1.0], [0.7, 0]]), random.uniform(0.5, 1, (letters, 2)) * [[i % 2, 1 - i % 2] for i in range(letters)]
        pairs = list(itertools.product(range(2), range(2)))
        rules = list(itertools.product(pairs, repeat=2))
        cost_s = np.array([[sum(v_x[x, v] * (s_x[x] @ ds[:, t[v][0]]) for v in (0, 1)) for t in rules] for x in range(letters)])
        cost_x = np.array([[sum(v_x[x, v] * dx[x, t[v][1]] for v in (0, 1)) for t in rules] for x in range(letters)])
        joint = px[:, None] * v_x  # [x][v]
        least = [px @ cost_s.min(1), px @ cost_x.min(1)]
        most = [(px @ cost_s).min(), (px @ cost_x).min()]
        bound = [None if f is None else a + f * (b - a) for f, a, b in zip(limits, least, most)]

        def inner(s1, s2):
            """min over P(t|x) = softmax of I(X; T|V) + s1 ds + s2 dx, less s1 Ds + s2 Dx: a bound from below on the rate, and at its largest the rate."""
            cost = s1 * cost_s + s2 * cost_x

            def value(z):
                z = z.reshape(letters, -1)
                log_p = z - special.logsumexp(z, axis=1, keepdims=True)
                p = np.exp(log_p)
                log_v = np.log((joint.T @ p) / joint.sum(0)[:, None] + 1e-300)
                slope = px[:, None] * (log_p + cost) - joint @ log_v
                return (p * slope).sum(), (p * (slope - (p * slope).sum(1, keepdims=True))).ravel()

            best = min(optimize.minimize(value, z, jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 4000}).fun
                       for z in (-cost.ravel(), *starts))
            return best - sum(s * b for s, b in zip((s1, s2), bound) if b is not None)

        free = [b is not None for b in bound]
        starts = random.normal(size=(3, letters * len(rules)))
        outer = lambda z: -inner(*[abs(z[sum(free[:i])]) if f else 0.0 for i, f in enumerate(free)])
        best = optimize.minimize(outer, [2.0] * sum(free), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-11, "maxiter": 200})
        best.fun = -best.fun
        out.append({"px": px.tolist(), "sGivenX": s_x.tolist(), "vGivenX": v_x.tolist(), "dsTable": ds.tolist(), "dxTable": dx.tolist(),
                    "ds": bound[0], "dx": bound[1], "rateBits": max(0.0, float(best.fun / np.log(2)))})
    return out


print(json.dumps({"vector": vectors(), "unusedLetter": unused_letter(), "exponent": exponents(), "missingBlocks": missing_blocks(),
                  "jointEvent": joint_event(), "wynerZiv": wyner_ziv()}))
