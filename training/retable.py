"""Puts newly counted tables into a packed model folder, every network untouched.

  python3 retable.py -o ../models [--sets base,live]

Takes checkpoints/NAME/tables.json (tables.py), writes NAME/tables.json and its card, and the hashes of file and set in models.json.
Figures of older tables are dropped; `sct bench models` measures them anew and pack --bench shows them.
"""
import argparse
import json
import os
from types import SimpleNamespace

import cards
import pack
import tables


def retable(entry, counted, out):
    """entry: a set of models.json, changed in place; counted: tables.json as a dict"""
    part = next(f for f in entry["files"] if f["role"] == "tables")
    if counted["channels"] != entry["channels"]:
        raise SystemExit(f"retable: tables for {counted['channels']} channels, set {entry['name']} has {entry['channels']}")
    path = os.path.join(out, part["path"])
    with open(path, "w") as f:
        json.dump(counted, f, separators=(",", ":"))
        f.write("\n")
    part.update(bytes=os.path.getsize(path), sha256=pack.sha256(path), quality={"tables": len(counted["cdfTables"])})
    pack.renew(entry)
    with open(os.path.join(out, part["card"]), "w") as f:
        f.write(cards.card(entry["name"], SimpleNamespace(**{**part, "module": None}), part))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", "--out", required=True)
    p.add_argument("--sets", default="base,live")
    a = p.parse_args()
    manifest = json.load(open(os.path.join(a.out, "models.json")))
    for name in a.sets.split(","):
        counted = json.load(open(os.path.join(os.path.dirname(tables.default_weights(name)), "tables.json")))
        if counted["schema"] != tables.SCHEMA:
            raise SystemExit(f"retable: {name} has tables of {counted['schema']}; count them with tables.py")
        entry = next(s for s in manifest["sets"] if s["name"] == name)
        retable(entry, counted, a.out)
        print(f"{name}: set {entry['id']}")
    if pack.too_large(manifest["sets"]):
        raise SystemExit("retable: too large")
    pack.write_manifest(manifest, a.out)


if __name__ == "__main__":
    main()
