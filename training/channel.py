"""The radio channel as training sees it, and the demapper's contract.

One embedding sends k of K_MAX ordered complex symbols; channels (2i, 2i+1) are the real and imaginary part of
symbol i. A symbol on a resource element with SNR s arrives, after equalisation, as z + n with E|n|^2 = 1/s. The
demapper hands f_d  r = s'/(1+s') (z + n)  where s' is the receiver's own estimate, and for each embedding the
capacity-equivalent SNR  2^mean(log2(1+s')) - 1  over its resource elements. Erased: r = 0 and the SNR floor.
"""
import math
import random

import numpy as np
import torch

SNR_FLOOR_DB, SNR_CEIL_DB = -10.0, 30.0
EVA_S = np.array([0, 30, 150, 310, 370, 710, 1090, 1730, 2510]) * 1e-9
EVA_DB = np.array([0, -1.5, -1.4, -3.6, -0.6, -9.1, -7.0, -12.0, -16.9])


def db(x):
    return 10 * torch.log10(x.clamp(min=1e-9))


def undb(x):
    return torch.pow(10.0, x / 10)


def subband_profile_db(rng, n=25, spacing_hz=15e3):
    """SNR of each of n subbands of 12 subcarriers relative to the ensemble mean, dB (TS 36.104 EVA, one Rayleigh
    draw; sometimes an interferer on a third of the band instead)"""
    if rng.random() < 0.2:
        s = np.zeros(n)
        start = rng.integers(0, n - n // 3)
        s[start:start + n // 3] = -rng.uniform(5, 20)
        return s
    p = 10 ** (EVA_DB / 10)
    p /= p.sum()
    h = (rng.normal(size=9) + 1j * rng.normal(size=9)) * np.sqrt(p / 2)
    f = (np.arange(n) * 12 + 6) * spacing_hz
    g = np.abs(np.exp(-2j * np.pi * f[:, None] * EVA_S * rng.uniform(0.2, 1.2)) @ h) ** 2
    return 10 * np.log10(np.maximum(g, 1e-3))


def draw_snr(n, k_max, h, w, snr_db, rng, p_awgn=0.5, p_erase=0.12):
    """True SNR of every symbol: float32 [n, k_max, h, w] linear (0 = erased).

    snr_db: list of n ensemble means, dB. Half the images see AWGN; the others a selective band, its symbols either
    interleaved over all subbands or each embedding on one or two neighbouring subbands.
    """
    s = torch.empty(n, k_max, h, w)
    for i in range(n):
        if rng.random() < p_awgn:
            s[i] = 10 ** (snr_db[i] / 10)
        else:
            prof = torch.from_numpy(10 ** ((snr_db[i] + subband_profile_db(rng)) / 10)).float()
            nb = len(prof)
            if rng.random() < 0.3:
                s[i] = prof[torch.randint(nb, (k_max, h, w))]
            else:
                a = torch.randint(nb, (1, h, w))
                b = (a + 1) % nb
                cut = torch.randint(0, k_max, (1, h, w))
                first = torch.arange(k_max).view(-1, 1, 1) < cut
                s[i] = torch.where(first, prof[a].expand(k_max, h, w), prof[b].expand(k_max, h, w))
        if rng.random() < p_erase:
            lost = torch.rand(1, h, w) < rng.uniform(0.03, 0.25)
            s[i] = s[i] * (~lost)
    return s


def capacity_equivalent(s, mask):
    """2^mean(log2(1+s)) - 1 over the sent symbols. s, mask [N, K, h, w] -> [N, 1, h, w]"""
    c = (torch.log2(1 + s) * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp(min=1)
    return torch.pow(2.0, c) - 1


def transmit(z, mask, s, error_db):
    """z [N, 2K, h, w] unit mean power a complex symbol; mask [N, K, h, w]; s true SNR [N, K, h, w];
    error_db [N, 1, h, w] the receiver's estimation error. Returns r [N, 2K, h, w] and the SNR map in dB
    [N, 1, h, w] as the receiver knows them."""
    est = s * undb(error_db)
    noise = torch.randn_like(z) * torch.rsqrt(2 * s.clamp(min=1e-6)).repeat_interleave(2, 1)
    r = (z + noise) * (est / (1 + est) * mask).repeat_interleave(2, 1)
    return r, db(capacity_equivalent(est, mask)).clamp(SNR_FLOOR_DB, SNR_CEIL_DB)


def awgn(z, mask, snr_db):
    """the same with one known SNR (evaluation)"""
    n, k, h, w = mask.shape
    s = torch.full((n, k, h, w), 10 ** (snr_db / 10))
    return transmit(z, mask, s, torch.zeros(n, 1, h, w))


def seeded(seed):
    random.seed(seed)
    torch.manual_seed(seed)
    return np.random.default_rng(seed)


def uniform(low, high):
    return low + (high - low) * random.random()


def log_uniform(low, high):
    return math.exp(uniform(math.log(low), math.log(high)))
