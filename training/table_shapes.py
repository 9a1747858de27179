"""Integer frequency tables for the static entropy coder: many histograms share at most T shapes.

A table is {low, frequencies}: symbol low + i has frequencies[i] of 65536, the last entry is the escape. A symbol outside
the table costs the escape, one bit for its side, and an Exp-Golomb code of its distance from the table's end.
Shapes are found by Lloyd's algorithm with the code length as distance: assign each histogram to the table that codes it in
the fewest bits; count each table anew over the histograms that chose it.
"""
import numpy as np

TOTAL = 65536
SPARSE = 2000                 # contexts with fewer counts choose their table with borrowed ones
SMALLEST = 0.7 / TOTAL        # a symbol less likely than this is left to the escape


def smooth(p):
    """p [S] about its middle -> mean of p over a window that grows with the distance from the mode (thin tails)"""
    s = np.arange(len(p))
    d = np.abs(s - int(p.argmax())) // 10
    c = np.concatenate([[0.0], np.cumsum(p)])
    low, high = np.maximum(s - d, 0), np.minimum(s + d, len(p) - 1)
    return (c[high + 1] - c[low]) / (high - low + 1)


def to_table(counts, middle):
    """counts [S] float, symbol 0 at index `middle` -> (low, integer frequencies with the escape last)"""
    p = smooth(counts / counts.sum())
    p = p / p.sum()
    kept = np.flatnonzero(p >= SMALLEST)
    low, high = kept[0], kept[-1]
    inside = p[low:high + 1]
    share = np.append(inside, max(1.0 - inside.sum(), 0.0))
    room = TOTAL - len(share)
    exact = share / share.sum() * room
    freq = 1 + np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - np.floor(exact)), kind="stable")
    freq[order[:TOTAL - freq.sum()]] += 1
    return int(low) - middle, freq


def code_length(table, middle, size):
    """bits of each symbol -middle .. size - middle - 1, float64 [size]"""
    low, freq = table
    s = np.arange(size) - middle
    high = low + len(freq) - 2
    beyond = np.maximum(np.maximum(low - s, s - high), 1)
    escape = 16 - np.log2(freq[-1]) + 2 + 2 * np.floor(np.log2(beyond))
    inside = (s >= low) & (s <= high)
    return np.where(inside, 16 - np.log2(freq[np.clip(s - low, 0, len(freq) - 2)]), escape)


def lengths(tables, middle, size):
    """[size, T] float32"""
    return np.stack([code_length(t, middle, size) for t in tables], 1).astype(np.float32)


def window(full, middle, h):
    """rows of a full-range array that belong to the narrower histogram h [contexts, 2 R + 1]"""
    r = (h.shape[1] - 1) // 2
    return full[middle - r:middle + r + 1]


def entropy_bits(h):
    """empirical entropy of each row of counts h [n, S], in bits for all its symbols together"""
    n = h.sum(1, keepdims=True)
    return -(h * np.log2(np.maximum(h, 1) / np.maximum(n, 1))).sum(1)


def share_shapes(hists, weights, n_tables=64, rounds=16, borrow=None):
    """hists: one array [contexts, 2 R + 1] of counts for each level (R may differ); weights: one factor for each level.
    borrow: the same, with counts of neighbouring contexts added; used only to choose a table for sparse contexts.
    -> tables, [index of the table for each context] for each level, weighted bits by round"""
    middle = max((h.shape[1] - 1) // 2 for h in hists)
    size = 2 * middle + 1
    borrow = borrow or hists
    spread = []
    for h in hists:
        s = np.abs(np.arange(h.shape[1]) - (h.shape[1] - 1) // 2)
        spread.append((h @ s.astype(np.float32)) / np.maximum(h.sum(1), 1))
    key = np.concatenate(spread)
    mass = np.concatenate([w * (entropy_bits(h) + 0.02 * h.sum(1)) for h, w in zip(hists, weights)])
    order = np.argsort(key, kind="stable")
    place = np.empty(len(key))
    place[order] = np.cumsum(mass[order]) / mass.sum()
    of = np.minimum((place * n_tables).astype(int), n_tables - 1)
    starts = np.cumsum([0] + [len(h) for h in hists])
    tables, history, best = [None] * n_tables, [], None
    for turn in range(rounds):
        pooled = np.zeros((n_tables, size))
        for i, (h, w) in enumerate(zip(hists, weights)):
            choice = np.zeros((n_tables, len(h)), np.float32)
            choice[of[starts[i]:starts[i + 1]], np.arange(len(h))] = w
            r = (h.shape[1] - 1) // 2
            pooled[:, middle - r:middle + r + 1] += choice @ h
        for t in np.flatnonzero(pooled.sum(1)):
            tables[t] = to_table(pooled[t], middle)
        full = lengths([t or (0, np.array([TOTAL - 1, 1])) for t in tables], middle, size)
        now, excess, bits = [], [], 0.0
        for h, b, w in zip(hists, borrow, weights):
            part = window(full, middle, h)
            cost = h @ part
            sparse = h.sum(1, keepdims=True) < SPARSE
            choice = np.where(sparse, b @ part, cost).argmin(1)
            taken = cost[np.arange(len(h)), choice]
            now.append(choice)
            excess.append(w * (taken - entropy_bits(h)))
            bits += float(w * taken.sum())
        of = np.concatenate(now)
        history.append(bits)
        if best is None or bits < best[0]:
            best = (bits, list(tables), of.copy())
        if turn < rounds - 5:
            split_worst(of, np.concatenate(excess), key, n_tables)
    _, tables, of = best
    used = np.unique(of)
    of = np.searchsorted(used, of)
    return [tables[t] for t in used], [of[a:b] for a, b in zip(starts, starts[1:])], history


def split_worst(of, excess, key, n_tables):
    """gives unused tables the wider half (by `key`) of the contexts of those tables that lose most bits; changes `of`"""
    loss = np.bincount(of, np.maximum(excess, 0), minlength=n_tables)
    free = list(np.flatnonzero(np.bincount(of, minlength=n_tables) == 0))
    for t in np.argsort(-loss)[:len(free)]:
        mine = np.flatnonzero(of == t)
        half = mine[key[mine] > np.median(key[mine])]
        if 0 < len(half) < len(mine):
            of[half] = free.pop()


def bits_of_rows(hists, tables, of):
    """bits of each context's symbols under its table: one float array [contexts] for each level"""
    middle = max((h.shape[1] - 1) // 2 for h in hists)
    full = lengths(tables, middle, 2 * middle + 1)
    return [(h * window(full, middle, h)[:, o].T).sum(1) for h, o in zip(hists, of)]
