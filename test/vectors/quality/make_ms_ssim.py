"""Independent SSIM / MS-SSIM figures for the tests: numpy float64, a direct 2-D window (not separable).

Run: python3 make_ms_ssim.py > ms-ssim.json      (needs numpy and scipy)
"""
import json
import numpy as np
from scipy.signal import convolve2d

WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]


def source(w, h):
    x, y, c = np.meshgrid(np.arange(w), np.arange(h), np.arange(3), indexing="xy")
    v = (x * (3 + 2 * c) + y * (7 - c) + (x * y) // 16) % 510
    return np.abs(v - 255).astype(np.int64)


def noisy(a, amplitude):
    h, w, _ = a.shape
    x, y, c = np.meshgrid(np.arange(w), np.arange(h), np.arange(3), indexing="xy")
    k = ((x * 73856093) & 0xFFFFFFFF) ^ ((y * 19349663) & 0xFFFFFFFF) ^ ((c * 83492791) & 0xFFFFFFFF)
    return np.clip(a + (k >> 13) % (2 * amplitude + 1) - amplitude, 0, 255)


def coarse(a):
    return (a >> 5 << 5) + 16


def inverted(a):
    return 255 - a


def window():
    g = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    g2 = np.outer(g, g)
    return g2 / g2.sum()


def maps(x, y):
    f = lambda p: convolve2d(p, window(), mode="valid")
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mx, my = f(x), f(y)
    vx, vy, cov = f(x * x) - mx * mx, f(y * y) - my * my, f(x * y) - mx * my
    cs = (2 * cov + c2) / (vx + vy + c2)
    return (cs * (2 * mx * my + c1) / (mx * mx + my * my + c1)).mean(), cs.mean()


def halve(p):
    h, w = p.shape
    p = np.pad(p, ((h % 2, h % 2), (w % 2, w % 2)))  # zeros on both sides of an odd length, as pytorch-msssim pads
    h, w = p.shape[0] // 2 * 2, p.shape[1] // 2 * 2
    return p[:h, :w].reshape(h // 2, 2, w // 2, 2).mean(axis=(1, 3))


def ms_ssim(a, b):
    out = []
    for c in range(3):
        x, y, v = a[:, :, c].astype(float), b[:, :, c].astype(float), 1.0
        for j, weight in enumerate(WEIGHTS):
            s, cs = maps(x, y)
            v *= max(0.0, s if j == 4 else cs) ** weight
            x, y = halve(x), halve(y)
        out.append(v)
    return float(np.mean(out))


def ssim_luma(a, b):
    luma = lambda p: p @ np.array([0.299, 0.587, 0.114])
    return float(maps(luma(a), luma(b))[0])


def psnr(a, b):
    return float(10 * np.log10(255**2 / np.mean((a - b) ** 2)))


cases = []
for w, h in [(192, 176), (195, 161), (161, 230)]:
    a = source(w, h)
    for name, b in [("noise8", noisy(a, 8)), ("noise60", noisy(a, 60)), ("coarse", coarse(a)), ("inverted", inverted(a))]:
        cases.append(dict(width=w, height=h, distortion=name, sourceSum=int(a.sum()), receivedSum=int(b.sum()),
                          psnrDb=psnr(a, b), ssim=ssim_luma(a, b), msSsim=ms_ssim(a, b)))
print(json.dumps(dict(schema="sct-quality-vectors/1", cases=cases), indent=1))
