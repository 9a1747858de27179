"""Independent golden vectors of the allocation: exact fractions, one resource element at a time.

Run: python3 make_allocation.py > allocation.json      (standard library only)
"""
import binascii
import hashlib
import json
import math
import struct
from fractions import Fraction

CAP = [round(1024 * math.log2(1 + 10 ** ((-20 + c / 4) / 10))) for c in range(256)]


def lcg(seed):
    while True:
        seed = (seed * 1103515245 + 12345) % 2**31
        yield seed >> 8


def mantissa(i):
    """Whole number nearest to the 16th root of 2^(240 + i), that is to 2^15 x 2^(i/16)."""
    m = 2**15
    while (2 * m + 1) ** 16 <= 2 ** (240 + i + 16):
        m += 1
    return m


MANTISSA = [mantissa(i) for i in range(16)]


def weight(code):
    return 0 if code == 0 else (MANTISSA[(code + 1) % 16] << ((code + 1) // 16)) // 2


def weights_of(scores, ranking):
    w = [weight(c) for c in scores]
    return w if any(w[i] for i in ranking) else [2**15] * len(w)


def usable(n, slots, re_per_rb, reserved):
    """Data RE [(slot, subband, k)] in order of time in each RB, less the first `reserved` of each subband."""
    left = {s: [(t, s, k) for t in range(slots) for k in range(re_per_rb[t * n + s])][reserved:] for s in range(n)}
    return {re for s in left for re in left[s]}


def fill(csi, line, ranking, w):
    total = sum(CAP[csi[s]] for _, s, _ in line)
    at, reached, shares, out = 0, 0, Fraction(0), []
    for i in ranking:
        shares += Fraction(w[i] * total, sum(w[j] for j in ranking))
        start, before = at, reached
        while reached < shares:
            reached += CAP[csi[line[at][1]]]
            at += 1
        out.append([i, at - start, reached - before])
    return out, total


def allocate(c):
    csi, slots, scores = c["csi"], c["slots"], c["scores"]
    n = len(csi)
    ranking = c["ranking"] or sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    least = c["minRe"] or [1] * len(scores)
    w = c["weights"] or weights_of(scores, ranking)
    res = usable(n, slots, c["rePerRb"], c["reserved"])
    best = sorted(range(n), key=lambda s: (-csi[s], s))
    line = sorted(res, key=lambda re: (best.index(re[1]), re[0], re[2]))
    active = [i for i in ranking if w[i]]

    def failing():
        return [i for i, count, _ in fill(csi, line, active, w)[0] if count < max(1, least[i])]

    while failing():
        active.remove(failing()[-1])
    for i in [i for i in ranking if w[i] and i not in active]:
        kept, active = active, [j for j in ranking if j in active or j == i]
        if failing():
            active = kept
    placed, total = fill(csi, line, active, w)
    round_robin = sorted(res, key=lambda re: (re[2], re[0], re[1]))
    worst = sorted(res, key=lambda re: (-best.index(re[1]), re[0], re[2]))
    maps = {}
    for name, places, order in (("matched", line, best), ("uniform", round_robin, list(range(n))), ("worst", worst, best[::-1])):
        used = places[: sum(count for _, count, _ in placed)]
        text = bytes([name == "uniform", n, *order, len(placed)]) + b"".join(struct.pack(">BI", i, k) for i, k, _ in placed)
        at, snr = 0, []
        for _, count, _ in placed:
            m = sum(CAP[csi[s]] for _, s, _ in used[at:at + count]) / 1024 / count
            snr.append(round(10 * math.log10(2**m - 1), 6))
            at += count
        symbols = struct.pack(f"<{len(used)}I", *((t * n + s) * 168 + k for t, s, k in used))
        maps[name] = dict(sha256=hashlib.sha256(symbols).hexdigest(), crc16=binascii.crc_hqx(text, 0), snrDb=snr)
    return dict(subbandOrder=best, sfvs=placed, dropped=sorted(set(ranking) - {i for i, _, _ in placed}), totalCapacity=total, maps=maps)


def split(scores, ranking, least, capacities):
    """Rule of splitOverBursts, with a queue of [id, weight left]."""
    w = weights_of(scores, ranking)
    queue, bursts = [[i, w[i]] for i in ranking], []
    for b, c in enumerate(capacities):
        rest, after = sum(v for _, v in queue), sum(capacities[b:])
        quota = math.floor(Fraction(rest * c, after))
        following = math.floor(Fraction(rest * capacities[b + 1], after)) if b + 1 < len(capacities) else 0
        parts, room, cut = [], quota, False
        while queue and not cut:
            i, v = queue[0]
            half_fits = room > 0 and Fraction(room, v) >= Fraction(1, 2) and v <= following
            divide = room > 0 and (not parts or (v > following and Fraction(room, quota) >= Fraction(1, 8)))
            if v <= room or half_fits:
                parts.append([i, v])
                queue.pop(0)
                room -= v
            elif divide:
                parts.append([i, room])
                queue[0][1] -= room
                cut = True
            else:
                break
        bursts.append(dict(parts=[[i, v, math.ceil(Fraction(least[i] * v, w[i]))] for i, v in parts], continues=cut))
    return bursts


def shuffled(r, n, count):
    ids = list(range(n))
    for i in range(n - 1, 0, -1):
        j = next(r) % (i + 1)
        ids[i], ids[j] = ids[j], ids[i]
    return ids[:count]


# subbands, slots, SFVs; RE reserved of each subband; ranked SFVs (0: all, by score); largest minimum; weights in place of scores
SHAPES = [(6, 1, 1, 0, 0, 0, 0), (6, 2, 5, 0, 0, 0, 0), (15, 3, 32, 11, 0, 0, 0), (25, 4, 32, 0, 0, 0, 0), (50, 2, 100, 0, 0, 0, 0),
          (25, 1, 255, 0, 0, 0, 0), (4, 9, 3, 0, 0, 0, 0), (25, 3, 20, 22, 20, 0, 0), (25, 4, 30, 170, 17, 400, 0), (6, 8, 40, 33, 0, 300, 0),
          (15, 2, 12, 11, 12, 900, 1), (6, 1, 9, 0, 6, 100, 0), (4, 2, 3, 0, 0, 5000, 0)]
allocations, splits = [], []
for number, (n, slots, sfvs, reserved, ranked, most, weighted) in enumerate(SHAPES):
    r = lcg(number + 1)
    csi = [40 + next(r) % 150 if number != 4 else 80 + 4 * (next(r) % 8) for _ in range(n)]
    if number == 6:
        csi = [0, 255, 255, 0]
    re = [154] * (n * slots) if reserved else [next(r) % 20 + 140 if next(r) % 5 else next(r) % 30 for _ in range(n * slots)]
    scores = [150 + next(r) % 106 if next(r) % 7 else next(r) % 150 for _ in range(sfvs)]
    if number == 0:
        scores = [255]
    if number == 11:
        scores = [0] * sfvs
    c = dict(csi=csi, slots=slots, rePerRb=re, reserved=reserved, scores=scores,
             ranking=shuffled(r, sfvs, ranked) if ranked else None,
             minRe=[next(r) % most if next(r) % 3 else 0 for _ in range(sfvs)] if most else None,
             weights=[next(r) * 64 % (2**30 + 1) if next(r) % 4 else 0 for _ in range(sfvs)] if weighted else None)
    allocations.append({**c, **allocate(c)})
for number, (sfvs, bursts, low, high) in enumerate([(1, 3, 255, 255), (12, 2, 180, 240), (25, 4, 150, 230), (5, 6, 100, 255), (40, 3, 0, 255), (9, 1, 1, 200), (255, 256, 0, 255), (7, 5, 0, 0)]):
    r = lcg(100 + number)
    scores = [low + next(r) % (high - low + 1) for _ in range(sfvs)]
    ranking = shuffled(r, sfvs, max(1, sfvs - next(r) % 3))
    least = [next(r) % 500 for _ in range(sfvs)]
    capacities = [1 + (next(r) * 2**16 + next(r)) % 2**(20 + 3 * number) if number % 2 else 10**7 + b for b in range(bursts)]
    splits.append(dict(scores=scores, ranking=ranking, minRe=least, capacities=capacities, bursts=split(scores, ranking, least, capacities)))
print("{\n \"schema\": \"sct-allocation-vectors/2\",\n \"allocations\": [")
print(",\n".join("  " + json.dumps(c, separators=(",", ":")) for c in allocations))
print(" ],\n \"splits\": [")
print(",\n".join("  " + json.dumps(c, separators=(",", ":")) for c in splits))
print(" ]\n}")
