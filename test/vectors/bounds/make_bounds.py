"""Independent references of the information-theoretic bounds: general optimisers and quadrature of SciPy, none of the product's algorithms.

Run: python3 make_bounds.py > bounds.json      (NumPy, SciPy)
"""
import json

import numpy as np
from scipy import integrate, optimize, special, stats

rng = np.random.default_rng(1)
LN2 = np.log(2)


def gaussian_rate(sx, h, mmse, ds, dx):
    """min 1/2 log2 det(I + Sx M M') with D^-1 = Sx^-1 + M M', whatever M: SLSQP from several starts."""
    n = len(sx)
    inverse = np.linalg.inv(sx)
    unpack = lambda m: np.linalg.inv(inverse + m.reshape(n, n) @ m.reshape(n, n).T)
    rate = lambda m: 0.5 * np.linalg.slogdet(np.eye(n) + sx @ m.reshape(n, n) @ m.reshape(n, n).T)[1] / LN2
    limits = []
    if np.isfinite(dx):
        limits.append({"type": "ineq", "fun": lambda m: (dx - np.trace(unpack(m))) / dx})
    if np.isfinite(ds):
        limits.append({"type": "ineq", "fun": lambda m: (ds - mmse - np.trace(h @ unpack(m) @ h.T)) / (ds - mmse)})
    best = np.inf
    for start in range(6):
        m0 = (np.eye(n) * 2 + 0.3 * rng.standard_normal((n, n))).ravel() * (1 + start)
        r = optimize.minimize(rate, m0, constraints=limits, method="SLSQP", options={"maxiter": 2000, "ftol": 1e-14})
        if all(c["fun"](r.x) > -1e-8 for c in limits):
            best = min(best, r.fun)
    return float(best)


def scalar():
    out = []
    for rho, vs, vx, ds, dx in [(0.8, 1, 1, 0.4, 1), (0.8, 1, 1, 0.4, 0.05), (0.8, 1, 1, 0.5, 0.1), (-0.6, 2, 3, 1.5, np.inf),
                                (0.9, 1, 4, np.inf, 0.5), (0.3, 1, 1, 0.95, 0.5)]:
        cov = rho * np.sqrt(vs * vx)
        h, mmse = np.array([[cov / vx]]), vs - cov**2 / vx
        out.append({"rho": rho, "varS": vs, "varX": vx, "ds": ds if np.isfinite(ds) else None,
                    "dx": dx if np.isfinite(dx) else None, "rateBits": gaussian_rate(np.array([[float(vx)]]), h, mmse, ds, dx)})
    return out


def random_joint(n):
    a = rng.standard_normal((n, n))
    return np.round(a @ a.T + 0.2 * np.eye(n), 3)


def vector():
    out = []
    for n, m, fs, fx in [(2, 1, 0.3, 0.3), (3, 2, 0.2, 0.4), (3, 3, 0.5, 0.1), (4, 2, 0.1, 0.3)]:
        sx, h = random_joint(n), np.round(rng.standard_normal((m, n)), 3)
        dx, ds = float(fx * np.trace(sx)), float(0.7 + fs * np.trace(h @ sx @ h.T))
        out.append({"sx": sx.tolist(), "h": h.tolist(), "mmse": 0.7, "ds": ds, "dx": dx, "rateBits": gaussian_rate(sx, h, 0.7, ds, dx)})
    return out


def side_information():
    """Covariances given V by the inverse of a block of the precision matrix, not by Schur complements."""
    out = []
    for s, x, v in [(1, 1, 1), (1, 2, 1), (2, 2, 2)]:
        joint = random_joint(s + x + v)
        given = np.linalg.inv(np.linalg.inv(joint)[: s + x, : s + x])
        rates = []
        rest = joint[: s + x, : s + x]
        parts = []
        for c in (rest, given):
            xx, sx = c[s:, s:], c[:s, s:]
            h = sx @ np.linalg.inv(xx)
            parts.append((xx, h, float(np.trace(c[:s, :s] - h @ sx.T))))
        xx, h, mmse = parts[1]
        ds, dx = float(parts[0][2] + 0.3 * np.trace(h @ xx @ h.T)), float(0.35 * np.trace(xx))
        rates = [gaussian_rate(xx, h, mmse, ds, dx) for xx, h, mmse in parts]
        out.append({"covariance": joint.tolist(), "s": s, "x": x, "v": v, "ds": ds, "dx": dx, "without": rates[0], "conditional": rates[1]})
    return out


def finite():
    """min I(X; Y) over the test channel itself, SLSQP."""
    out = []
    for nx, ns, fs, fx in [(2, 2, 0.5, 0.5), (3, 2, 0.4, 0.3), (3, 3, 0.3, 0.6)]:
        px = np.round(rng.dirichlet(np.ones(nx) * 3), 3)
        px[-1] = 1 - px[:-1].sum()
        post = np.round(rng.dirichlet(np.ones(ns), nx), 3)
        post[:, -1] = 1 - post[:, :-1].sum(1)
        ds_t, dx_t = np.round(rng.random((ns, ns)), 2), np.round(rng.random((nx, nx)), 2)
        np.fill_diagonal(ds_t, 0), np.fill_diagonal(dx_t, 0)
        semantic = post @ ds_t
        cs = np.repeat(semantic, nx, axis=1)
        cx = np.tile(dx_t, (1, ns))
        least = [float(px @ c.min(1)) for c in (cs, cx)]
        rest = [float((px @ c).min()) for c in (cs, cx)]
        limit = [lo + f * (hi - lo) for lo, hi, f in zip(least, rest, (fs, fx))]
        ny = cs.shape[1]

        def information(p):
            p = np.maximum(p.reshape(nx, ny), 1e-300)
            q = px @ p
            return float((px[:, None] * p * np.log(p / q)).sum() / LN2)

        def slope(p):
            p = np.maximum(p.reshape(nx, ny), 1e-300)
            return (px[:, None] * np.log(p / (px @ p)) / LN2).ravel()

        limits = [{"type": "eq", "fun": lambda p: p.reshape(nx, ny).sum(1) - 1, "jac": lambda p: np.kron(np.eye(nx), np.ones(ny))}]
        for c, d in zip((cs, cx), limit):
            limits.append({"type": "ineq", "fun": lambda p, c=c, d=d: d - (px[:, None] * p.reshape(nx, ny) * c).sum(),
                           "jac": lambda p, c=c: -(px[:, None] * c).ravel()})
        best = np.inf
        for _ in range(6):
            p0 = rng.dirichlet(np.ones(ny), nx).ravel()
            r = optimize.minimize(information, p0, jac=slope, bounds=[(1e-12, 1)] * (nx * ny), constraints=limits, method="SLSQP",
                                  options={"maxiter": 400, "ftol": 1e-12})
            if all(np.min(np.append(c["fun"](r.x), 0)) > -1e-8 for c in limits[1:]) and abs(limits[0]["fun"](r.x)).max() < 1e-8:
                best = min(best, r.fun)
        out.append({"px": px.tolist(), "sGivenX": post.tolist(), "dsTable": ds_t.tolist(), "dxTable": dx_t.tolist(),
                    "ds": limit[0], "dx": limit[1], "rateBits": best})
    return out


def capacities():
    out = {"rayleigh": [], "mimo": [], "parallel": [], "fixed": []}
    for db in (-20, -5, 0, 10, 30, 50):
        snr = 10 ** (db / 10)
        f = lambda g: np.log2(1 + snr * g) * np.exp(-g)
        ray = sum(integrate.quad(f, a, b, epsabs=1e-14, epsrel=1e-13)[0] for a, b in ((0, 1e-4), (1e-4, 0.1), (0.1, 2), (2, 60)))
        lag = lambda l: 1 + special.eval_laguerre(1, l) ** 2
        g = lambda l: np.log2(1 + snr * l / 2) * lag(l) * np.exp(-l)
        mimo = sum(integrate.quad(g, a, b, epsabs=1e-14, epsrel=1e-13)[0] for a, b in ((0, 1e-4), (1e-4, 0.1), (0.1, 2), (2, 80)))
        out["rayleigh"].append([db, ray])
        out["mimo"].append([db, mimo])
    for snr in ([10, 1, 0.1, 0], [0.01, 0.02], [100, 100, 50, 0.5, 3]):
        s = np.array([x for x in snr if x > 0])
        level = optimize.brentq(lambda m: np.maximum(0, m - 1 / s).sum() - len(snr), 0, len(snr) + (1 / s).max() + 1, xtol=1e-14)
        out["parallel"].append({"snr": snr, "bits": float(np.log2(1 + np.maximum(0, level - 1 / s) * s).sum() / len(snr))})
    for db in (-10, 5, 20):
        h = np.round(rng.standard_normal((2, 2)) + 1j * rng.standard_normal((2, 2)), 2)
        snr = 10 ** (db / 10)
        g = np.linalg.svd(h)[1] ** 2
        level = optimize.brentq(lambda m: np.maximum(0, m - 1 / g).sum() - snr, 0, snr + (1 / g).max() + 1, xtol=1e-14)
        equal = np.linalg.slogdet(np.eye(2) + snr / 2 * h @ h.conj().T)[1] / LN2
        out["fixed"].append({"h": [float(p) for z in h.ravel() for p in (z.real, z.imag)], "db": db,
                             "bits": float(np.log2(1 + np.maximum(0, level - 1 / g) * g).sum()), "equal": float(equal)})
    return out


def finite_blocks():
    out = []
    for db, n, eps in [(1, 1024, 1e-2), (1, 16384, 1e-2), (1, 73728, 1e-2), (10, 1024, 1e-2), (10, 16384, 1e-2), (10, 73728, 1e-2), (-3, 200, 1e-5)]:
        snr = 10 ** (db / 10)
        v = (1 - 1 / (1 + snr) ** 2) / LN2**2
        out.append([db, n, eps, float(np.log2(1 + snr) - np.sqrt(v / n) * stats.norm.isf(eps) + np.log2(n) / (2 * n))])
    return out


def exponents():
    """AWGN with code words of one power: max over rho and the tilt r of E_0(rho, r) - rho R, per real use, times two."""
    out = {"awgn": [], "bsc": [], "bec": [], "rayleigh": []}
    for db, rate in [(10, 0.5), (10, 2.4), (10, 2.6), (10, 3.0), (10, 3.4), (0, 0.2), (0, 0.7), (20, 5.5)]:
        a, r = 10 ** (db / 10), rate * LN2 / 2

        def cost(p):
            rho, t = p
            u = t / (2 * a)  # r = t / (2 A), 0 <= t < 1
            return -(u * a * (1 + rho) + 0.5 * np.log(1 - 2 * u * a) + rho / 2 * np.log(1 - 2 * u * a + a / (1 + rho)) - rho * r)

        best = min((optimize.minimize(cost, (p, t), bounds=[(0, 1), (0, 0.999)], method="L-BFGS-B", options={"ftol": 1e-16, "gtol": 1e-12})
                    for p in (0.1, 0.5, 0.9) for t in (0.05, 0.3, 0.6)), key=lambda q: q.fun)
        out["awgn"].append([db, rate, max(0.0, -2 * best.fun / LN2)])

    def maximum(e0, rate):
        q = optimize.minimize_scalar(lambda p: -(e0(p) - p * rate * LN2), bounds=(0, 1), method="bounded", options={"xatol": 1e-12})
        return float(max(0, -q.fun, e0(1) - rate * LN2) / LN2)

    for p, rate in [(0.1, 0.05), (0.1, 0.3), (0.01, 0.5), (0.01, 0.9)]:
        e0 = lambda r: r * LN2 - (1 + r) * np.log(p ** (1 / (1 + r)) + (1 - p) ** (1 / (1 + r)))
        out["bsc"].append([p, rate, maximum(e0, rate)])
    for p, rate in [(0.3, 0.1), (0.3, 0.5), (0.05, 0.9)]:
        e0 = lambda r: -np.log((1 - p) * 2**-r + p)
        out["bec"].append([p, rate, maximum(e0, rate)])
    for db, rate in [(0, 0.2), (10, 0.5), (10, 2.0), (20, 4.0)]:
        snr = 10 ** (db / 10)
        # E[(1 + c g)^-rho] by Tricomi's function: e^(1/c) ... = U(1, 2 - rho, 1/c) / c
        e0 = lambda r: -np.log(special.hyperu(1, 2 - r, (1 + r) / snr) * (1 + r) / snr) if r > 0 else 0.0
        out["rayleigh"].append([db, rate, maximum(e0, rate)])
    return out


def tails():
    return [[a, x, float(special.gammaincc(a, x))] for a, x in [(0.5, 0.1), (0.5, 8), (2, 1), (50, 55), (50, 40), (5000, 5100), (250000, 249000)]]


print(json.dumps({"scalar": scalar(), "vector": vector(), "sideInformation": side_information(), "finite": finite(),
                  "capacity": capacities(), "finiteBlocks": finite_blocks(), "exponent": exponents(), "gammaTail": tails(),
                  "scaledE1": [[x, float(special.exp1(x) * np.exp(x))] for x in (1e-6, 1e-3, 0.1, 0.99, 1.01, 5, 50, 500)]}, indent=1))
