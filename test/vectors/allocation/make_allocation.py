"""Independent golden vectors of the allocation: exact fractions, one resource element at a time.

Run: python3 make_allocation.py > allocation.json      (standard library only)
"""
import json
import math
from fractions import Fraction

CAP = [round(1024 * math.log2(1 + 10 ** ((-20 + c / 4) / 10))) for c in range(256)]


def lcg(seed):
    while True:
        seed = (seed * 1103515245 + 12345) % 2**31
        yield seed >> 8


def allocate(csi, slots, re_per_rb, scores):
    n = len(csi)
    order = sorted(range(n), key=lambda s: (-csi[s], s))
    line = [(s, t, k) for s in order for t in range(slots) for k in range(re_per_rb[t * n + s])]
    total = sum(CAP[csi[s]] for s, _, _ in line)
    at, placed, dropped = 0, [], []
    for i in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        share = Fraction(scores[i] * total, max(1, sum(scores)))
        count, capacity = 0, 0
        while capacity < share and at < len(line):
            capacity += CAP[csi[line[at][0]]]
            at += 1
            count += 1
        if count:
            placed.append([i, count, capacity])
        else:
            dropped.append(i)
    return dict(subbandOrder=order, sfvs=placed, dropped=sorted(dropped), totalCapacity=total)


cases = []
for seed, (n, slots, sfvs) in enumerate([(6, 1, 1), (6, 2, 5), (15, 3, 32), (25, 4, 32), (50, 2, 100), (25, 1, 255), (4, 9, 3)]):
    r = lcg(seed + 1)
    csi = [40 + next(r) % 150 if seed != 4 else 80 + 4 * (next(r) % 8) for _ in range(n)]
    if seed == 6:
        csi = [0, 255, 255, 0]
    re = [next(r) % 20 + 140 if next(r) % 5 else next(r) % 30 for _ in range(n * slots)]
    scores = [next(r) % 256 if next(r) % 7 else 0 for _ in range(sfvs)]
    if seed == 0:
        scores = [255]
    cases.append(dict(csi=csi, slots=slots, rePerRb=re, scores=scores, **allocate(csi, slots, re, scores)))
print("{\n \"schema\": \"sct-allocation-vectors/1\",\n \"cases\": [")
print(",\n".join("  " + json.dumps(c, separators=(",", ":")) for c in cases))
print(" ]\n}")
