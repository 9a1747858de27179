"""Receiver of the air interface, version 4, written from docs/air-interface.md alone (NumPy, nothing of ours).

    python3 receiver.py ID FILE.ci16 [streams]     decodes the one burst in a file of interleaved little-endian int16

Prints one JSON object: header fields, extension (hex), hard-decided 16-QAM payload bits (hex), with `streams` also the
extension's fields, its power levels divided out, and the blocks of its first stream (hex). Exit code 1 when any CRC fails.
It is a check of the document, not a good receiver: mild frequency offset, one burst, short delay spread.
"""
import json, os, sys

import numpy as np

# Section 1: id -> subbands, N, prefix, segments P.
NUMEROLOGIES = {0: (4, 64, 16, 33), 1: (6, 128, 9, 33), 2: (15, 256, 18, 17), 3: (25, 512, 36, 9), 4: (50, 1024, 72, 9)}
PRODUCTS = {9: "-++-+--+", 17: "-+++-++--+-+---+", 33: "-++++-++-+--++-----+++--+---+-++"}
HEADER_RE = 640
# Sections 6.1 and 6.2: name:bits, ?flag where it depends on one.
HEADER = ("version:3 numerology:3 session:8 burst:10 kind:3 slotsLess1:7 csiNumber:6 modelSet:32 extensionUnits:6 "
          "extensionMcs:2")
BEFORE = ("codec:3 image:8 hasParts:1 part:8?hasParts partsLess1:8?hasParts hasTime:1 time:24?hasTime process:4 "
          "redundancyVersion:2 newData:1 repeats:1 original:10?repeats hasSide:1 sideBytes:14?hasSide "
          "sideRate:2?hasSide interleaved:1 sameModulation:1 commonModulation:3?sameModulation")
AFTER = ("hasEarlier:1 earlier:28?hasEarlier hasLater:1 later:28?hasLater streamCount:8 allAnalog:1 mixed:1 idBits:4 "
         "scoreFloor:8 scoreBits:4 reBits:5")
RATES = [1 / 5, 1 / 3, 1 / 2, 2 / 3]
SIDE_RATES = [1 / 6, 1 / 4, 1 / 3, 1 / 2]


def gold(c_init, length):
    """Section 7."""
    total = length + 1600 + 31
    x1, x2 = np.zeros((2, total), dtype=np.int8)
    x1[0], x2[:31] = 1, (c_init >> np.arange(31)) & 1
    for i in range(total - 31):
        x1[i + 31] = x1[i + 3] ^ x1[i]
        x2[i + 31] = x2[i + 3] ^ x2[i + 2] ^ x2[i + 1] ^ x2[i]
    return (x1 ^ x2)[1600:1600 + length]


def qpsk(bits):
    pairs = 1 - 2.0 * bits.reshape(-1, 2)
    return (pairs[:, 0] + 1j * pairs[:, 1]) / np.sqrt(2)


class Grid:
    """Sections 1, 3 and 5 for one numerology."""

    def __init__(self, number):
        self.id = number
        self.subbands, self.n, self.prefix, self.segments = NUMEROLOGIES[number]
        k = 12 * self.subbands
        self.carriers = np.concatenate([np.arange(-k // 2, 0), np.arange(1, k // 2 + 1)])
        self.data_re = 11 * self.subbands
        self.header_symbols = -(-HEADER_RE // self.data_re)
        self.training = qpsk(gold(0x1000 + number, 2 * k))
        self.pilots = qpsk(gold(0x2000 + number, 2 * 64 * self.subbands)).reshape(64, self.subbands)
        turns = gold(0x3000 + number, 2 * 64 * self.data_re).reshape(64, self.data_re, 2)
        self.scrambling = 1j ** (2 * turns[:, :, 0] + turns[:, :, 1])

    def pilot_carriers(self, t):
        return 12 * np.arange(self.subbands) + (5 * t + 2) % 12

    def data_carriers(self, t):
        return np.setdiff1d(np.arange(12 * self.subbands), self.pilot_carriers(t))


def detect(r, grid):
    """Start of the preamble and frequency offset (cycles a sample) from the signed lag products of section 3."""
    d = grid.n // 4
    products = np.array([1 if c == "+" else -1 for c in PRODUCTS[grid.segments]])
    lag = np.concatenate([[0], np.cumsum(np.conj(r[:-d]) * r[d:])])
    energy = np.concatenate([[0], np.cumsum(np.abs(r) ** 2)])
    span = (len(products) + 1) * d
    starts = np.arange(len(r) - span)
    metric = np.zeros(len(starts), dtype=complex)
    for i, c in enumerate(products):
        metric += c * (lag[starts + (i + 1) * d] - lag[starts + i * d])
    power = energy[starts + span] - energy[starts]
    best = int(np.argmax(np.abs(metric) / (power + power.max() / 10)))
    return best, np.angle(metric[best]) / (2 * np.pi * d)


def synchronise(r, grid):
    """Corrected samples and the position of the first training symbol (its first full copy)."""
    n = grid.n
    start, cfo = detect(r, grid)
    m = np.arange(len(r))
    y = r * np.exp(-2j * np.pi * cfo * m)
    spectrum = np.zeros(n, dtype=complex)
    spectrum[grid.carriers % n] = grid.training
    symbol = np.fft.ifft(spectrum)
    expected = start + grid.segments * (n // 4) + 2 * grid.prefix
    around = range(max(0, expected - n // 8), expected + n // 8)
    peaks = [abs(np.vdot(symbol, y[a:a + n])) + abs(np.vdot(symbol, y[a + n:a + 2 * n])) for a in around]
    at = around[int(np.argmax(peaks))]
    fine = np.angle(np.vdot(y[at:at + n], y[at + n:at + 2 * n])) / (2 * np.pi * n)
    return y * np.exp(-2j * np.pi * fine * m), at


def transform(y, at, grid):
    """Carriers of the window that begins at `at`, in ascending order."""
    return np.fft.fft(y[at:at + grid.n])[grid.carriers % grid.n] / np.sqrt(grid.n)


class Demodulator:
    """Equalised symbols one after the other: channel of the training symbols, common phase of each symbol's pilots."""

    def __init__(self, y, at, grid):
        self.y, self.grid, self.early = y, grid, grid.prefix // 3
        a, b = (transform(y, at + copy * grid.n - self.early, grid) for copy in (0, 1))
        self.channel = (a + b) / 2 * np.conj(grid.training)
        self.noise = np.mean(np.abs(a - b) ** 2) / 2
        self.origin = at + 2 * grid.n

    def symbol(self, q, t):
        """Descrambled data RE of symbol q (local t), equalised, and their SNR."""
        grid = self.grid
        begin = self.origin + q * (grid.n + grid.prefix) + grid.prefix - self.early
        row = transform(self.y, begin, grid)
        p = grid.pilot_carriers(t)
        turn = np.vdot(self.channel[p] * grid.pilots[q % 64], row[p])
        h = self.channel * turn / abs(turn)
        data = grid.data_carriers(t)
        return row[data] / h[data] / grid.scrambling[q % 64], np.abs(h[data]) ** 2 / self.noise


def base_graph():
    """Appendix A."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "base-graph-2.txt")) as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return [[(int(e.split(":")[0]), [int(v) for v in e.split(":")[1].split(",")]) for e in line] for line in lines]


def lifting(k_prime):
    kb = 10 if k_prime > 640 else 9 if k_prime > 560 else 8 if k_prime > 192 else 6
    sizes = [(a << e, i) for i, a in enumerate((2, 3, 5, 7, 9, 11, 13, 15)) for e in range(9) if a << e <= 384]
    return min((z, i) for z, i in sizes if kb * z >= k_prime)


def ldpc_decode(llr, k_prime, version=0, iterations=40):
    """Layered normalised min-sum in floating point; llr of the E coded bits. Returns the K' bits and whether checks hold."""
    z, which = lifting(k_prime)
    rows = [[(c, v[which] % z) for c, v in row] for row in base_graph()]
    order = np.concatenate([np.arange(0, k_prime - 2 * z), np.arange(8 * z, 50 * z)])
    app = np.zeros(52 * z)
    start = np.searchsorted(order, (0, 13, 25, 43)[version] * z)  # TS 38.212 table 5.4.2.1-2
    np.add.at(app, 2 * z + order[(start + np.arange(len(llr))) % len(order)], llr)
    app[k_prime:10 * z] = 1e6
    lanes = np.arange(z)
    index = [np.array([c * z + (lanes + s) % z for c, s in row]) for row in rows]
    messages = [np.zeros(i.shape) for i in index]
    for _ in range(iterations):
        for i, old in zip(index, messages):
            v = app[i] - old
            size, sign = np.abs(v), np.where(v < 0, -1.0, 1.0)
            least = np.sort(size, axis=0)[:2]
            others = np.where(np.arange(len(i))[:, None] == np.argmin(size, axis=0), least[1], least[0])
            old[:] = 0.75 * others * sign * np.prod(sign, axis=0)
            app[i] = v + old
        hard = (app < 0).astype(np.uint8)
        if all(not np.bitwise_xor.reduce(hard[i], axis=0).any() for i in index):
            return hard[:k_prime], True
    return hard[:k_prime], False


def crc(bits, polynomial, length):
    register = 0
    for bit in bits:
        differs = (register >> (length - 1)) ^ int(bit)
        register = (register << 1 ^ polynomial * differs) & ((1 << length) - 1)
    return register


def number(bits):
    return int("0" + "".join(str(int(b)) for b in bits), 2)


def read_control(demodulator, first, symbols, n_bytes, polynomial, length):
    """Section 6: message bits of one control part, or None when a check fails."""
    x, snr = np.concatenate([demodulator.symbol(q, q) for q in range(first, first + symbols)], axis=1)
    return read_qpsk(x, snr.real, n_bytes, polynomial, length)


def read_qpsk(x, snr, n_bytes, polynomial, length):
    bits, ok = ldpc_decode((2 * np.sqrt(2) * snr[:, None] * np.stack([x.real, x.imag], axis=1)).ravel(), 8 * n_bytes + length)
    message, check = bits[:8 * n_bytes], bits[8 * n_bytes:]
    inverted = (1 << length) - 1 - crc(message, polynomial, length)
    return message if ok and number(check) == inverted else None


def decide_16qam(x):
    """Section 8: four bits a symbol by the nearest point."""
    bits = np.stack([x.real < 0, x.imag < 0, np.abs(x.real) > np.sqrt(0.4), np.abs(x.imag) > np.sqrt(0.4)], axis=1)
    return bits.astype(np.uint8)


def read_fields(left, text, into):
    for name, width, flag in ((f + "?").replace(":", "?").split("?")[:3] for f in text.split()):
        into[name] = number([next(left) for _ in range(int(width))]) if not flag or into[flag] else 0
    return into


def read_extension(bits, subbands, burst):
    """Section 6.2."""
    left = iter(bits)
    take = lambda width: number([next(left) for _ in range(width)])
    e = read_fields(left, BEFORE, {})
    e["original"] = e["original"] if e["repeats"] else burst
    e["modulation"] = [e["commonModulation"] if e["sameModulation"] else take(3) for _ in range(subbands)]
    free, ordered = list(range(subbands)), take(1)
    e["order"] = [free.pop(take((len(free) - 1).bit_length()) if ordered else 0) for _ in range(subbands)]
    e["power"] = [take(5) for _ in range(subbands)] if take(1) else [16] * subbands
    read_fields(left, AFTER, e)
    coded = 1 - e["allAnalog"]
    columns = (("id", 0, e["idBits"]), ("analog", e["allAnalog"], e["mixed"]), ("baseGraph", 0, coded),
               ("score", e["scoreFloor"], e["scoreBits"]), ("re", 0, e["reBits"]), ("bytes", 0, take(5 * coded)))
    e["streams"] = [{name: base + take(width) for name, base, width in columns} for _ in range(e["streamCount"])]
    e["blocks"] = [(take(8), take(1)) for _ in range(take(8 * e["repeats"]))]
    return e


def side_places(e, slots, subbands):
    """Section 6.2: payload RE of the side information (one block), symbol by symbol."""
    bits = 8 * e["sideBytes"] + 24 if e["sideBytes"] else 0
    each = int(np.ceil(np.ceil(bits / (2 * SIDE_RATES[e["sideRate"]]) - 1e-9) / subbands))
    rbs = np.arange(slots * subbands * 154).reshape(slots, subbands, 154)
    return rbs.transpose(0, 2, 1).ravel()[:each * subbands]


def llr_16qam(x, snr):
    """Section 8: the least distances to the points with each bit 0 and 1; [symbol][bit]."""
    b = (np.arange(16)[:, None] >> np.array([3, 2, 1, 0])) & 1
    s = 1 - 2 * b
    points = (s[:, 0] * (2 - s[:, 2]) + 1j * s[:, 1] * (2 - s[:, 3])) / np.sqrt(10)
    distance = np.abs(x[:, None] - points) ** 2
    return np.stack([snr * (distance[:, b[:, i] == 1].min(axis=1) - distance[:, b[:, i] == 0].min(axis=1))
                     for i in range(4)], axis=1)


def read_blocks(e, side, x, snr, slots):
    """Section 6.2: blocks of the first stream, base graph 2 and 16-QAM only, as {number: hex}; None when a CRC fails."""
    rbs, stream = np.arange(x.size).reshape(slots, -1, 154), e["streams"][0]
    ordered = rbs[:, e["order"]].transpose(1, 0, 2)
    place = (rbs.transpose(2, 0, 1) if e["interleaved"] else ordered).ravel()
    place = place[~np.isin(place, side)][:stream["re"]]
    count = -(-(stream["bytes"] + 3) // ((3840 - 24) // 8))
    length = -(-(stream["bytes"] + 3) // count)
    named = [b for b, _ in e["blocks"]] if e["repeats"] else list(range(count))
    i, m = np.arange(place.size), len(named)
    blocks = {}
    for k, block in enumerate(named):
        own = place[(i + i // np.lcm(m, 300)) % m == k]
        coded = llr_16qam(x[own], snr[own]).T.ravel()
        bits, ok = ldpc_decode(coded, 8 * length + 24, e["redundancyVersion"])
        if not ok or crc(bits[:-24], 0x800063, 24) != number(bits[-24:]):
            return None
        blocks[block] = np.packbits(bits[:-24]).tobytes().hex()
    return blocks


def receive(samples, numerology, streams=False):
    grid = Grid(numerology)
    y, at = synchronise(samples, grid)
    demodulator = Demodulator(y, at, grid)
    bits = read_control(demodulator, 0, grid.header_symbols, 10, 0x1021, 16)
    if bits is None:
        return None
    header = read_fields(iter(bits), HEADER, {})
    if header["version"] != 4 or header["numerology"] != numerology:
        return None
    n_bytes, q, slots = 8 * header["extensionUnits"], grid.header_symbols, header["slotsLess1"] + 1
    symbols = int(np.ceil((8 * n_bytes + 24) / RATES[header["extensionMcs"]] / (2 * grid.data_re))) if n_bytes else 0
    extension = read_control(demodulator, q, symbols, n_bytes, 0x864CFB, 24) if n_bytes else np.zeros(0, dtype=np.uint8)
    if extension is None:
        return None
    q += symbols
    seen = np.array([demodulator.symbol(q + i, i % 14) for i in range(14 * slots)])
    payload, snr = seen.reshape(slots, 14, 2, grid.subbands, 11).transpose(2, 0, 3, 1, 4)
    result = {"header": header, "extension": np.packbits(extension).tobytes().hex()}
    if streams:
        e = result["fields"] = read_extension(extension, grid.subbands, header["burst"])
        power = 10 ** ((np.array(e["power"]) - 16) / 20)[None, :, None, None]
        payload, snr = payload / np.sqrt(power), snr.real * power
        at = side_places(e, slots, grid.subbands)
        if e["hasSide"]:
            side = read_qpsk(payload.ravel()[at], snr.ravel()[at], e["sideBytes"], 0x864CFB, 24)
            result["side"] = None if side is None else np.packbits(side).tobytes().hex()
        result["blocks"] = read_blocks(e, at, payload.ravel(), snr.ravel(), slots)
        payload = np.delete(payload, at)
    result["payload"] = np.packbits(decide_16qam(payload.ravel()).ravel()).tobytes().hex()
    return None if streams and result["blocks"] is None else result


if __name__ == "__main__":
    raw = np.fromfile(sys.argv[2], dtype="<i2").astype(float).reshape(-1, 2) / 32768
    result = receive(raw[:, 0] + 1j * raw[:, 1], int(sys.argv[1]), sys.argv[3:] == ["streams"])
    print(json.dumps(result))
    sys.exit(0 if result else 1)
