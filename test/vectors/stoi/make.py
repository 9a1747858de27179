"""STOI of made signals by pystoi; the signals are those of test/sct/quality/stoi.test.ts."""

import json
import math

import numpy as np
from pystoi import stoi

RATE = 10_000
COUNT = 20_100  # no whole number of hops behind the first window


def noise(seed):
    """Numerical Recipes' 32-bit generator, centred, -1 to 1."""
    out = np.empty(COUNT)
    state = seed
    for i in range(COUNT):
        state = (1664525 * state + 1013904223) % 2**32
        out[i] = state / 2**31 - 1
    return out


def clean():
    """Harmonics of 125 Hz under an envelope of syllables, a pause in the middle."""
    out = np.zeros(COUNT)
    for n in range(COUNT):
        t = n / RATE
        syllable = max(0.0, math.sin(2 * math.pi * 3.7 * t)) ** 2
        pause = 0.0 if 0.9 < t < 1.1 else 1.0
        tone = sum(math.sin(2 * math.pi * 125 * h * t + h * h) / h for h in range(1, 33))
        out[n] = pause * syllable * tone
    return out + 0.02 * noise(7)


x = clean()
cases = [{"noise": level, "stoi": stoi(x, x + level * noise(1), RATE)} for level in (0.0, 0.1, 0.5, 1.0, 3.0, 10.0)]
print(json.dumps({"rateHz": RATE, "count": COUNT, "cases": cases}, indent=2))
