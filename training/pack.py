"""Makes the model folder that ships: every network of every set as ONNX, tables, models.json, a card each, test vectors.

  python3 pack.py --data DIR -o ../models [--vectors ../test/vectors/models] [--bench RESULTS/models.json]
               [--sets base,live] [--allow-missing]

Takes the final states under checkpoints/<set>/ (networks_of_set.py says which file gives which network), rounds weights to
float16 as they are stored, exports (export.py), checks every file against PyTorch through onnxruntime-node
(check_export.mjs, `node` on the path), and the gradient network against torch.autograd. Stops with exit code 1 when a part
is missing, a check fails or the folder is larger than 40 MB; --allow-missing leaves missing parts out (rehearsal). The same
weights give the same bytes.

Order of work: pack, `sct bench models`, pack again with --bench: hashes depend on the networks and tables alone, so the figures
are of exactly what ships (those of other weights are not taken).

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

import bench_figures
import cards
import export
import networks_of_set
import vectors

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_BYTES = 40_000_000
SCHEMA = "sct-models/1"
VERSION = 1
CHECK_SIZE = (256, 384)          # height and width of the picture that networks are compared on


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def set_hash(files):
    """hash of a set over its files (entries of models.json): sha256 of the sorted lines `name sha256`"""
    return hashlib.sha256("".join(sorted(f"{f['name']} {f['sha256']}\n" for f in files)).encode()).hexdigest()


def renew(entry):
    """a set of models.json gets the hash that follows from its files"""
    entry["sha256"] = set_hash(entry["files"])
    entry["id"] = entry["sha256"][:8]


def too_large(sets):
    """says how large the folder is, and whether that is too much"""
    total = sum(f["bytes"] for s in sets for f in s["files"])
    print(f"total {total} bytes of {LIMIT_BYTES}")
    return total > LIMIT_BYTES


def write_manifest(manifest, out):
    with open(os.path.join(out, "models.json"), "w") as f:
        json.dump(manifest, f, indent=1)
        f.write("\n")


def file_entry(set_name, part, path):
    """what models.json says of the file of a part, written to `path`"""
    network = part.module is not None
    inputs, outputs = export.tensors(part.role, part.channels) if network else ([], [])
    return {"name": part.file, "role": part.role, "path": f"{set_name}/{part.file}", "bytes": os.path.getsize(path),
            "sha256": sha256(path), "opset": export.OPSET if network else None, "inputs": inputs, "outputs": outputs,
            "parameters": part.parameters, "data": part.data, "steps": part.steps, "seed": part.seed,
            "licence": cards.licence(part), "quality": part.quality, "card": f"{set_name}/{part.role}.md"}


def check(folder):
    """runs check_export.mjs; its lines are shown"""
    done = subprocess.run(["node", os.path.join(HERE, "check_export.mjs"), folder], stdout=subprocess.PIPE, text=True)
    sys.stdout.write(done.stdout)
    if done.returncode != 0:
        sys.exit("pack: a network differs from PyTorch")


def write_file(part, path, inputs, scratch):
    """one file of a set; a network also goes to `scratch` with its reference tensors"""
    if part.role == "tables":
        with open(path, "w") as f:
            json.dump(part.tables, f, separators=(",", ":"))
            f.write("\n")
        return
    export.to_onnx(part.module, part.role, part.channels, inputs, path)
    shutil.copyfile(path, os.path.join(scratch, part.file))
    export.reference(part.module, part.role, part.channels, inputs, scratch)
    part.flops = export.flops_per_pixel(part.module, inputs, CHECK_SIZE[0] * CHECK_SIZE[1])
    part.parameters = sum(p.numel() for p in part.module.parameters())


def pack_set(name, parts, out, scratch, bench):
    """parts: networks_of_set.Part list; bench: models.json of sct bench models, or None -> entry of models.json"""
    folder = os.path.join(out, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    inputs = vectors.example(parts, *CHECK_SIZE)
    for part in parts:
        write_file(part, os.path.join(folder, part.file), inputs.get(part.role), scratch)
    check(scratch)
    files = [file_entry(name, part, os.path.join(folder, part.file)) for part in parts]
    digest = set_hash(files)
    measured = bench_figures.figures(bench, name, digest) if bench else {}
    for part, entry in zip(parts, files):
        part.quality.update(measured.get(part.role, {}))
        with open(os.path.join(folder, part.role + ".md"), "w") as f:
            f.write(cards.card(name, part, entry))
    return {"name": name, "version": VERSION, "id": digest[:8], "sha256": digest, "channels": parts[0].channels, "files": files}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("-o", "--out", required=True)
    p.add_argument("--sets", default="base,live")
    p.add_argument("--checkpoints", default=os.path.join(HERE, "checkpoints"))
    p.add_argument("--bench", help="models.json of `sct bench models` over the same weights: its figures go into models.json and cards")
    p.add_argument("--vectors", help="folder for the vectors of the tests in TypeScript, NAME.json for each set (default "
                                     "../test/vectors/models; in a rehearsal none)")
    p.add_argument("--allow-missing", action="store_true", help="leave out what is not there (rehearsal)")
    a = p.parse_args()
    torch.set_num_threads(1)
    to_vectors = a.vectors or (None if a.allow_missing else os.path.join(HERE, "..", "test", "vectors", "models"))
    names, sets, collected = a.sets.split(","), [], {}
    os.makedirs(a.out, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=a.out, prefix=".pack-") as new:
        for name in names:
            collected[name] = networks_of_set.collect(name, a.checkpoints, a.data, a.allow_missing)
            with tempfile.TemporaryDirectory() as scratch:
                sets.append(pack_set(name, collected[name], new, scratch, a.bench))
        for s in sets:
            print(f"{s['name']}: set {s['id']}, {len(s['files'])} files, {sum(f['bytes'] for f in s['files'])} bytes")
        if too_large(sets):
            sys.exit("pack: too large; nothing was changed")
        for name in names:
            shutil.rmtree(os.path.join(a.out, name), ignore_errors=True)
            os.rename(os.path.join(new, name), os.path.join(a.out, name))
    write_manifest({"schema": SCHEMA, "version": VERSION, "sets": sets}, a.out)
    for name in names if to_vectors else []:
        vectors.write(collected[name], name, os.path.join(to_vectors, name + ".json"))


if __name__ == "__main__":
    main()
