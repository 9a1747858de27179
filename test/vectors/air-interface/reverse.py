"""Reads one message of the way back from its hexadecimal digits, by section 9 of docs/air-interface.md; prints JSON.

python3 reverse.py HEX            one message
python3 reverse.py HEX HEX ...    the pieces of what a receiver holds, in any order
"""
import json
import sys


def crc16(data):
    """x^16 + x^12 + x^5 + 1, start value 0, no reflection, not inverted: the remainder of data times x^16."""
    value = int.from_bytes(data, "big") << 16
    for bit in range(8 * len(data) + 15, 15, -1):
        if value >> bit & 1:
            value ^= 0x11021 << (bit - 16)
    return value


class Bits:
    def __init__(self, data):
        self.text = "".join(f"{b:08b}" for b in data)
        self.at = 0

    def take(self, n):
        assert self.at + n <= len(self.text), "message too short"
        self.at += n
        return int(self.text[self.at - n:self.at] or "0", 2)

    def end(self):
        assert len(self.text) - self.at < 8 and "1" not in self.text[self.at:], "rest is not zero"


def message(data):
    assert 3 <= len(data) <= 103 and crc16(data[:-2]) == int.from_bytes(data[-2:], "big"), "CRC"
    b = Bits(data[:-2])
    kind = b.take(2)
    if kind == 1:
        out = {"type": "csi", "number": b.take(6), "session": b.take(8), "burst": b.take(10)}
        out["snrDb"] = [-20 + b.take(8) / 4 for _ in range(b.take(6))]
    elif kind == 2:
        assert b.take(3) == 1
        out = {"type": "ack", "session": b.take(8), "burst": b.take(10), "extensionOk": b.take(1),
               "process": b.take(4), "newData": b.take(1)}
        out["blocks"] = [b.take(1) for _ in range(b.take(8))]
        chosen = b.take(1)
        asked = [b.take(8) for _ in range(b.take(6))]
        out["asked"] = asked if chosen else None
    else:
        assert kind == 3 and b.take(3) == 1
        out = {"type": "knowledge", "session": b.take(8), "index": b.take(5), "last": b.take(5)}
        out["bytes"] = bytes(b.take(8) for _ in range(b.take(7))).hex()
    b.end()
    return out


def knowledge(pieces):
    pieces = sorted(pieces, key=lambda p: p["index"])
    assert [p["index"] for p in pieces] == list(range(pieces[0]["last"] + 1)), "pieces missing"
    data = bytes.fromhex("".join(p["bytes"] for p in pieces))
    assert crc16(data[:-2]) == int.from_bytes(data[-2:], "big") and data[:2] == b"\x4b\x02"
    sets, references, at = data[2], data[3], 4

    def take(n):
        nonlocal at
        at += n
        return data[at - n:at]

    def number(n):
        return int.from_bytes(take(n), "big")

    out = {"modelSets": [], "references": []}
    for _ in range(sets):
        out["modelSets"].append({"name": take(number(1)).decode(), "version": number(2), "bytes": number(4), "sha256": take(32).hex()})
    for _ in range(references):
        out["references"].append({"width": number(2), "height": number(2), "sha256": take(32).hex()})
    assert at == len(data) - 2
    return out


messages = [message(bytes.fromhex(text)) for text in sys.argv[1:]]
print(json.dumps(messages[0] if messages[0]["type"] != "knowledge" else knowledge(messages)))
