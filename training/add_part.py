"""Puts one network into a packed model folder, every other file untouched.

  python3 add_part.py --role features -o ../models [--sets base,live] [--vectors ../test/vectors/models]

Takes it from checkpoints/NAME (networks_of_set.py), rounds, exports and compares it as pack.py does, and writes file, card, test vectors
and the hashes of file and set in models.json: another set with another id. Only roles whose inputs are in the vectors already.
"""
import argparse
import hashlib
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


def example(role, channels, h=16, w=24, seed=7):
    """random inputs of the contract: features of falling size, quality about -1"""
    g = torch.Generator().manual_seed(seed)
    out = {}
    for t in export.tensors(role, channels)[0]:
        shape = [{"h": h, "w": w}.get(d, d) for d in t["shape"]]
        out[t["name"]] = torch.randn(shape, generator=g) * (0.2 if shape[1] > 1 else 0.5) - (0 if shape[1] > 1 else 1)
    return out


def add(entry, part, out):
    """entry: a set of models.json, changed in place; part: networks_of_set.Part"""
    part.module.eval()
    part.rounding = export.round_half(part.module)
    inputs = example(part.role, part.channels)
    path = os.path.join(out, entry["name"], part.file)
    with tempfile.TemporaryDirectory() as scratch:
        pack.write_file(part, path, inputs, scratch)
        pack.check(scratch)
    ins, outs = export.tensors(part.role, part.channels)
    part.flops = export.flops_per_pixel(part.module, inputs, 16 * 24 * 256)
    made = {"name": part.file, "role": part.role, "path": f"{entry['name']}/{part.file}", "bytes": os.path.getsize(path),
            "sha256": pack.sha256(path), "opset": export.OPSET, "inputs": ins, "outputs": outs, "parameters": part.parameters,
            "data": part.data, "steps": part.steps, "seed": part.seed, "licence": cards.licence(part), "quality": part.quality,
            "card": f"{entry['name']}/{part.role}.md"}
    files = [f for f in entry["files"] if f["role"] != part.role]
    at = next(i for i, f in enumerate(files) if f["role"] == "tables")
    entry["files"] = files[:at] + [made] + files[at:]
    lines = sorted(f"{f['name']} {f['sha256']}\n" for f in entry["files"])
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    entry.update(sha256=digest, id=digest[:8])
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
    path = os.path.join(a.out, "models.json")
    manifest = json.load(open(path))
    for name in a.sets.split(","):
        cfg = json.load(open(os.path.join(HERE, "configs", name + ".json")))
        part = MAKERS[a.role](cfg, os.path.join(a.checkpoints, name))
        entry = next(s for s in manifest["sets"] if s["name"] == name)
        add(entry, part, a.out)
        vectors.add(part, os.path.join(a.vectors, name + ".json"))
        print(f"{name}: set {entry['id']}")
    total = sum(f["bytes"] for s in manifest["sets"] for f in s["files"])
    print(f"total {total} bytes of {pack.LIMIT_BYTES}")
    if total > pack.LIMIT_BYTES:
        raise SystemExit("add_part: too large")
    with open(path, "w") as f:
        json.dump(manifest, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
