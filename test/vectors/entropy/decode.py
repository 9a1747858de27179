"""A second decoder of the entropy codes, written from the format alone (standard library only).

  python3 decode.py entropy.json       decodes every stream and compares; prints a line each, exit code 1 on a difference

Stream of bytes: state x (4 bytes, high byte first, 2^23 <= x < 2^31), then bytes in the order in which they are taken in.
A symbol with interval [start, start + freq) of 65536: slot = x mod 65536 lies in it; then
x = freq * (x div 65536) + slot - start, and while x < 2^23: x = 256 x + next byte. In the end x = 2^23 (plus the salt of a
packet's segment) and no byte is left.
"""
import json
import sys

LOWEST = 1 << 23


class Reader:
    def __init__(self, data):
        if len(data) < 4 or not LOWEST <= int.from_bytes(data[:4], "big") < 1 << 31:
            raise ValueError("no state")
        self.x, self.data, self.at = int.from_bytes(data[:4], "big"), data, 4

    def symbol(self, frequencies):
        """index of the entry that the stream names"""
        slot, start = self.x % 65536, 0
        for i, freq in enumerate(frequencies):
            if slot < start + freq:
                break
            start += freq
        self.x = freq * (self.x >> 16) + slot - start
        while self.x < LOWEST:
            if self.at >= len(self.data):
                raise ValueError("too short")
            self.x = self.x << 8 | self.data[self.at]
            self.at += 1
        return i

    def bit(self):
        return self.symbol((32768, 32768))

    def end(self, salt=0):
        if self.x != LOWEST + salt or self.at != len(self.data):
            raise ValueError("does not end")


def coded_value(r, t):
    """a symbol or difference by table t"""
    i = r.symbol(t["frequencies"])
    if i < len(t["frequencies"]) - 1:
        return t["low"] + i
    above, zeros, distance = r.bit(), 0, 1          # escape: side, then Exp-Golomb of the distance
    while not r.bit():
        zeros += 1
    for _ in range(zeros):
        distance = 2 * distance + r.bit()
    return t["low"] + i - 1 + distance if above else t["low"] - distance


def near_two(cell, done, columns):
    """the nearest two of the cells in `done` above, or to the left in the same row, at most sqrt(20) away: by distance, then row, then
    column"""
    row, column = divmod(cell, columns)
    rank = []
    for other in done:
        up, aside = other // columns - row, other % columns - column
        if (up < 0 or up == 0 and aside < 0) and up * up + aside * aside <= 20:
            rank.append((up * up + aside * aside, up, aside, other))
    return [other for _, _, _, other in sorted(rank)[:2]]


def carried_class(r, tables, west, north):
    """an even class by the counts that the model set has for this context, without a step to the north-east"""
    at = (((west // 2 + 1) * 9 + north // 2 + 1) * 5 + 2) * 8
    row = tables["classContext"]["coarse"][at:at + 8]
    freq = [1 + v * (65536 - 8) // sum(row) for v in row]
    freq[row.index(max(row))] += 65536 - sum(freq)
    return 2 * r.symbol(freq)


def feature_symbols(data, tables, level, classes, cells, columns=1, carries=None, salt=0):
    """embedding by embedding, channel by channel: table of (level, class of the cell, channel); channels in `predicted` as differences
    from the mean, rounded down, of the near two embeddings (or from the one there is) by tables of their own. With `carries`, the
    class of the SFV, the class of each cell comes before its symbols, by those of the near two (that of the SFV for one that is not
    there); the classes given are then only compared."""
    r, n, done, out = Reader(data), tables["channels"], {}, []
    guesses, class_of = tables.get("predicted", []), {}
    for cell in cells:
        near = near_two(cell, done, columns)
        k = classes[cell]
        if carries is not None:
            around = [class_of[other] for other in near] + [carries, carries]
            class_of[cell] = k = carried_class(r, tables, around[0], around[1])
            if k != classes[cell]:
                raise ValueError("another class")
        own = []
        for c in range(n):
            context = level * 16 + k
            if c in guesses and near:
                t = tables["differenceOf"][context * len(guesses) + guesses.index(c)]
                own.append(coded_value(r, tables["cdfTables"][t]) + sum(done[other][c] for other in near) // len(near))
            else:
                own.append(coded_value(r, tables["cdfTables"][tables["tableOf"][context * n + c]]))
        done[cell] = own
        out += own
    r.end(salt)
    return out


def class_map(data, tables, rows, columns):
    """one bit (coarse), then each class by the adaptive counts of its context west, north, step to the north-east"""
    r = Reader(data)
    coarse = r.bit()
    n = 8 if coarse else 16
    counts = list(tables["classContext"]["coarse" if coarse else "fine"])
    out = []
    for i in range(rows * columns):
        west = out[i - 1] if i % columns else -1
        north = out[i - columns] if i >= columns else -1
        east = out[i - columns + 1] if i >= columns and (i + 1) % columns else north
        at = (((west + 1) * (n + 1) + north + 1) * 5 + max(-2, min(2, east - north)) + 2) * n
        row = counts[at:at + n]
        total = sum(row)
        freq = [1 + v * (65536 - n) // total for v in row]
        freq[row.index(max(row))] += 65536 - sum(freq)
        s = r.symbol(freq)
        row[s] += 256
        if total + 256 > 65536:
            row = [max(1, v // 2) for v in row]
        counts[at:at + n] = row
        out.append(s)
    r.end()
    return [2 * s for s in out] if coarse else out


def main(path):
    with open(path) as f:
        vectors = json.load(f)
    wrong = 0
    plain, differences = vectors["tables"], vectors["differences"]
    both = dict(plain, predicted=differences["predicted"], differenceOf=differences["differenceOf"])
    for tables, s in [(plain, s) for s in vectors["streams"]] + [(both, s) for s in differences["streams"]]:
        classes = class_map(bytes.fromhex(s["classMapBytes"]), tables, s["rows"], s["columns"])
        symbols = feature_symbols(bytes.fromhex(s["featureBytes"]), tables, s["level"], classes, s["cells"], s["columns"],
                                  s.get("carries"), s.get("salt", 0))
        ok = classes == s["classes"] and symbols == s["symbols"]
        wrong += not ok
        print(f"{s['rows']}x{s['columns']} level {s['level']}: {'equal' if ok else 'DIFFERENT'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
