"""Puts one network into a packed model folder, every other file untouched.

  python3 add_part.py --role features -o ../models [--sets base,live] [--vectors ../test/vectors/models]

Takes it from checkpoints/NAME (networks_of_set.py), rounds, exports and compares it as pack.py does, and writes file, card, test vectors
and the hashes of file and set in models.json: another set with another id. Only roles whose inputs are in the vectors already.
"""
import argparse
import json
import os
import tempfile

import torch

import cards
import export
import networks_of_set
import pack
import vectors

HERE = os.path.dirname(os.path.abspath(__file__))
MAKERS = {"features": networks_of_set.features_part}


def example(role, channels, seed=7):
    """random inputs of the contract for a picture of pack.CHECK_SIZE: features of deviation 0.2, a plane about -1"""
    h, w = (size // 16 for size in pack.CHECK_SIZE)
    g = torch.Generator().manual_seed(seed)
    out = {}
    for t in export.tensors(role, channels)[0]:
        shape = [{"h": h, "w": w}.get(d, d) for d in t["shape"]]
        out[t["name"]] = torch.randn(shape, generator=g) * (0.2 if shape[1] > 1 else 0.5) - (0 if shape[1] > 1 else 1)
    return out


def add(entry, part, out):
    """entry: a set of models.json, changed in place; part: networks_of_set.Part. A network that fails its check replaces nothing."""
    part.module.eval()
    part.rounding = export.round_half(part.module)
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory(dir=out, prefix=".add-") as new:
        path = os.path.join(new, part.file)
        pack.write_file(part, path, example(part.role, part.channels), scratch)
        pack.check(scratch)
        made = pack.file_entry(entry["name"], part, path)
        os.replace(path, os.path.join(out, made["path"]))
    files = [f for f in entry["files"] if f["role"] != part.role]
    at = next(i for i, f in enumerate(files) if f["role"] == "tables")
    entry["files"] = files[:at] + [made] + files[at:]
    pack.renew(entry)
    with open(os.path.join(out, made["card"]), "w") as f:
        f.write(cards.card(entry["name"], part, made))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--role", required=True, choices=sorted(MAKERS))
    p.add_argument("-o", "--out", required=True)
    p.add_argument("--sets", default="base,live")
    p.add_argument("--checkpoints", default=os.path.join(HERE, "checkpoints"))
    p.add_argument("--vectors", default=os.path.join(HERE, "..", "test", "vectors", "models"))
    a = p.parse_args()
    torch.set_num_threads(1)
    manifest = json.load(open(os.path.join(a.out, "models.json")))
    for name in a.sets.split(","):
        cfg = json.load(open(os.path.join(HERE, "configs", name + ".json")))
        part = MAKERS[a.role](cfg, os.path.join(a.checkpoints, name))
        entry = next(s for s in manifest["sets"] if s["name"] == name)
        add(entry, part, a.out)
        vectors.add(part, os.path.join(a.vectors, name + ".json"))
        print(f"{name}: set {entry['id']}")
    if pack.too_large(manifest["sets"]):
        raise SystemExit("add_part: too large")
    pack.write_manifest(manifest, a.out)


if __name__ == "__main__":
    main()
