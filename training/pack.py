"""Makes the model folder that ships: every network of every set as ONNX, tables, models.json, a card each, test vectors.

  python3 pack.py --data DIR -o ../models [--sets base,live] [--vectors ../test/vectors/models] [--allow-missing]

Takes the final states under checkpoints/<set>/ (PARTS below says which file gives which network), rounds weights to
float16 as they are stored, exports (export.py), checks every file against PyTorch through onnxruntime-node
(check_export.mjs, `node` on the path), and the gradient network against torch.autograd. Stops with exit code 1 when a part
is missing, a check fails or the folder is larger than 40 MB; --allow-missing leaves missing parts out (rehearsal). The same
weights give the same bytes.

--data DIR: weights/klt.pt for the shapes of g_a and g_s, and the training pictures when tables have to be counted.
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

import torch

import cards
import export
import networks_of_set
import vectors

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_BYTES = 40_000_000
SCHEMA = "sct-models/1"
VERSION = 1


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def check(folder):
    """runs check_export.mjs; its lines are shown"""
    done = subprocess.run(["node", os.path.join(HERE, "check_export.mjs"), folder], stdout=subprocess.PIPE, text=True)
    sys.stdout.write(done.stdout)
    if done.returncode != 0:
        sys.exit("pack: a network differs from PyTorch")


def pack_set(name, parts, out, scratch):
    """parts: networks_of_set.Part list -> entry of models.json"""
    channels = next(p for p in parts if p.role == "analysis").channels
    folder = os.path.join(out, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    files = []
    inputs = vectors.example(parts, 256, 384)
    for part in parts:
        path = os.path.join(folder, part.file)
        entry = {"name": part.file, "role": part.role, "path": f"{name}/{part.file}"}
        if part.role == "tables":
            with open(path, "w") as f:
                json.dump(part.tables, f, separators=(",", ":"))
                f.write("\n")
            tensors, opset, parameters = ([], []), None, 0
        else:
            export.to_onnx(part.module, part.role, channels, inputs[part.role], path)
            check_path = os.path.join(scratch, part.file)
            shutil.copyfile(path, check_path)
            export.reference(part.module, part.role, channels, inputs[part.role], scratch)
            part.flops = export.flops_per_pixel(part.module, inputs[part.role], 256 * 384)
            tensors, opset = export.tensors(part.role, channels), export.OPSET
            parameters = sum(p.numel() for p in part.module.parameters())
        part.parameters = parameters
        card = f"{name}/{part.role}.md"
        files.append(dict(entry, bytes=os.path.getsize(path), sha256=sha256(path), opset=opset, inputs=tensors[0],
                          outputs=tensors[1], parameters=parameters, data=part.data, steps=part.steps, seed=part.seed,
                          licence=cards.licence(part), quality=part.quality, card=card))
        with open(os.path.join(out, card), "w") as f:
            f.write(cards.card(name, part, files[-1]))
    check(scratch)
    listing = "".join(sorted(f"{f['name']} {f['sha256']}\n" for f in files))
    digest = hashlib.sha256(listing.encode()).hexdigest()
    return {"name": name, "version": VERSION, "id": digest[:8], "sha256": digest, "channels": channels, "files": files}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("-o", "--out", required=True)
    p.add_argument("--sets", default="base,live")
    p.add_argument("--checkpoints", default=os.path.join(HERE, "checkpoints"))
    p.add_argument("--quality", help="JSON of more measured figures: {set: {role: {name: number, text or list of numbers}}}")
    p.add_argument("--vectors", help="folder for the vectors of the tests in TypeScript, NAME.json for each set")
    p.add_argument("--allow-missing", action="store_true", help="leave out what is not there (rehearsal)")
    a = p.parse_args()
    torch.set_num_threads(1)
    quality = json.load(open(a.quality)) if a.quality else {}
    sets = []
    for name in a.sets.split(","):
        parts = networks_of_set.collect(name, a.checkpoints, a.data, a.allow_missing, quality)
        with tempfile.TemporaryDirectory() as scratch:
            sets.append(pack_set(name, parts, a.out, scratch))
        if a.vectors:
            vectors.write(parts, name, os.path.join(a.vectors, name + ".json"))
    with open(os.path.join(a.out, "models.json"), "w") as f:
        json.dump({"schema": SCHEMA, "version": VERSION, "sets": sets}, f, indent=1)
        f.write("\n")
    total = sum(f["bytes"] for s in sets for f in s["files"])
    for s in sets:
        print(f"{s['name']}: set {s['id']}, {len(s['files'])} files, {sum(f['bytes'] for f in s['files'])} bytes")
    print(f"total {total} bytes of {LIMIT_BYTES}")
    if total > LIMIT_BYTES:
        sys.exit(f"pack: {total} bytes are more than {LIMIT_BYTES}")


if __name__ == "__main__":
    main()
