"""The final networks of one model set, ready for export: contract's inputs and outputs, weights rounded to float16.

  stage-b.pt (else, in a rehearsal, last.pt)   analysis, synthesis, symbol-encoder, symbol-decoder
  heads.pt                                     labels, labels-vjp, saliency
  perceptual.pt (base)                         synthesis-perceptual: a state of g_s
  corrector.pt, generator.pt (base)            corrector, generator
  features.pt                                  features
  tables.json                                  counted by tables.py; made here when missing or older than the states
"""
import json
import os
import time

import torch
import torch.nn as nn

import evaluate
import export
import features
import head_networks
import restoration
import store
from labels_vjp import LabelsVjp, autograd
from networks import ModelSet

HERE = os.path.dirname(os.path.abspath(__file__))
ROLES = {"base": ("analysis", "synthesis", "synthesis-perceptual", "symbol-encoder", "symbol-decoder", "labels", "labels-vjp",
                  "saliency", "corrector", "generator", "features", "tables"),
         "live": ("analysis", "synthesis", "symbol-encoder", "symbol-decoder", "labels", "labels-vjp", "saliency", "corrector",
                  "features", "tables")}
PHOTOS = "train/photos (BSDS500, ImageNet sample, COCO subset, Urban100)"


class Part:
    """one file of a set. module: the network (tables: None); facts: stage, steps, seconds, seed, data, quality"""

    def __init__(self, role, channels, module, stage, steps, seconds, seed, data, quality):
        self.role, self.channels, self.module, self.stage = role, channels, module, stage
        self.steps, self.seconds, self.seed, self.data, self.quality = int(steps), round(seconds), int(seed), data, quality
        self.file = "tables.json" if role == "tables" else role + ".onnx"
        self.tables = self.classify = self.flops = self.rounding = None
        self.parameters = 0


class Encoder(nn.Module):
    """f_e with an int32 class map"""

    def __init__(self, m):
        super().__init__()
        self.f_e = m.f_e

    def forward(self, y, classes, symbols, snr_db):
        return self.f_e(y, classes.long(), symbols, snr_db)


class Decoder(nn.Module):
    """f_d with an int32 class map and the class variances inside"""

    def __init__(self, m):
        super().__init__()
        self.f_d = m.f_d
        self.register_buffer("var", m.var.clone())

    def forward(self, received, scale, classes, symbols, snr_db):
        return self.f_d(received, scale, classes.long(), symbols, snr_db, self.var)


class Missing(Exception):
    pass


def state(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        raise Missing(f"{path} is not there")
    return torch.load(path, map_location="cpu"), path


def log_events(path, event):
    """lines of a training log with this event; [] without a log"""
    if not os.path.exists(path):
        return []
    with open(path) as f:
        lines = [json.loads(line) for line in f if line.startswith("{")]
    return [v for v in lines if v.get("event") == event]


def main_networks(name, cfg, klt, folder, allow_missing):
    """-> ModelSet, facts"""
    try:
        s, path = state(folder, "stage-b.pt")
        a = state(folder, "last.pt")[0]
        facts = dict(stage="A, B", steps=a["step"] + s["step"], seconds=a["total_s"] + s["total_s"])
        a_steps = a["step"]
    except Missing:
        if not allow_missing:
            raise
        s, path = state(folder, "last.pt")
        facts, a_steps = dict(stage="A", steps=s["step"], seconds=s["total_s"]), s["step"]
    m = ModelSet(cfg, klt)
    m.load_state_dict(store.load_state(path))
    first = store.load_state(os.path.join(folder, "last.pt"))
    if not all(torch.equal(v, first["g_a." + k]) for k, v in m.g_a.state_dict().items()):
        raise SystemExit(f"pack: g_a of {path} is not that of last.pt, on which the heads were trained")
    quality = {}
    rows = log_events(os.path.join(folder, "stage-b.jsonl"), "kodak6") or log_events(os.path.join(folder, "log.jsonl"), "kodak6")
    if rows:
        quality = {"kodakEveryFourthCbr16PsnrDb": rows[-1]["psnr"], "snrDb": list(evaluate.SNRS)}
    return m.eval(), dict(facts, seed=cfg["seed"], data=f"{PHOTOS}; CamVid train; ECSSD train", quality=quality), a_steps


def collect(name, checkpoints, data_root, allow_missing):
    """-> [Part] in the order of ROLES. Missing parts: SystemExit, or a line on stdout when allow_missing."""
    folder = os.path.join(checkpoints, name)
    with open(os.path.join(HERE, "configs", name + ".json")) as f:
        cfg = json.load(f)
    klt = torch.load(os.path.join(data_root, "weights/klt.pt"), map_location="cpu")
    try:
        m, facts, a_steps = main_networks(name, cfg, klt, folder, allow_missing)
    except Missing as e:
        raise SystemExit(f"pack: {e}")
    makers = {
        "analysis": lambda: Part("analysis", cfg["channels"], m.g_a, **dict(facts, stage="A", steps=a_steps)),
        "synthesis": lambda: Part("synthesis", cfg["channels"], m.g_s, **facts),
        "symbol-encoder": lambda: Part("symbol-encoder", cfg["channels"], Encoder(m), **facts),
        "symbol-decoder": lambda: Part("symbol-decoder", cfg["channels"], Decoder(m), **facts),
        "synthesis-perceptual": lambda: perceptual(cfg, klt, folder),
        "labels": lambda: head("labels", cfg, klt, folder),
        "labels-vjp": lambda: head("labels-vjp", cfg, klt, folder),
        "saliency": lambda: head("saliency", cfg, klt, folder),
        "corrector": lambda: restored("corrector", cfg, folder),
        "generator": lambda: restored("generator", cfg, folder),
        "features": lambda: features_part(cfg, folder),
        "tables": lambda: tables_part(m, cfg, folder, data_root, facts),
    }
    parts = []
    for role in ROLES[name]:
        try:
            part = makers[role]()
        except Missing as e:
            if not allow_missing:
                raise SystemExit(f"pack: {name} has no {role}: {e}")
            print(f"{name}: left out {role}: {e}")
            continue
        if part.module is not None:
            part.module.eval()
            part.rounding = export.round_half(part.module)
        parts.append(part)
    next(p for p in parts if p.role == "analysis").classify = m.classify
    check_gradient(parts)
    return parts


def perceptual(cfg, klt, folder):
    s, _ = state(folder, "perceptual.pt")
    weights = s.get("average", s.get("model", s))
    g_s = ModelSet(cfg, klt).g_s
    g_s.load_state_dict({k[4:] if k.startswith("g_s.") else k: v.float() for k, v in weights.items()
                         if k.startswith("g_s.") or "." not in k or k.split(".")[0] in dict(g_s.named_children())})
    return Part("synthesis-perceptual", cfg["channels"], g_s, "C", s.get("steps", s.get("step", 0)),
                s.get("seconds", s.get("total_s", 0)), s.get("seed", cfg["seed"]),
                PHOTOS + "; a feature distance of SqueezeNet v1.1 (ImageNet) in the loss", {})


def head(role, cfg, klt, folder):
    s, path = state(folder, "heads.pt")
    if "codebook" not in s:
        raise Missing(f"{path} has no codebook: heads.py has not ended")
    heads = head_networks.load_heads(cfg, klt, path)
    module = heads.saliency if role == "saliency" else heads.label if role == "labels" else LabelsVjp(heads.label)
    trained_on = {"saliency": "ECSSD train (700 pictures)"}.get(role, "CamVid train (367 pictures)")
    teacher = {"none": "", "rgb": "; soft targets of a teacher with SqueezeNet v1.1 ImageNet features"}.get(
        s["teacher"], f"; soft targets of the heads of {s['teacher']}")
    return Part(role, cfg["channels"], module, "heads on frozen analysis", s["step"], s.get("total_s", s["run_s"]), s["seed"],
                f"{trained_on}; {PHOTOS}{teacher}", {k: v for k, v in s["codebook"].items() if role == "labels" and not isinstance(v, list)})


def restored(role, cfg, folder):
    s, path = state(folder, role + ".pt")
    module, facts = restoration.load(path, role)
    quality = {}
    rows = log_events(path.replace(".pt", ".jsonl"), "held-out")
    if role == "corrector" and rows and isinstance(rows[-1].get("gainDb"), list):
        quality = {"heldOutGainOverFillDb": rows[-1]["gainDb"]}
    if not of_this_codebook(s, folder):
        print(f"{cfg['name']}: WARNING: {role} was trained with the clusters of another codebook than heads.pt holds")
        quality["clusters"] = "trained with another codebook than the set's"
    return Part(role, cfg["channels"], module, "C, everything else frozen", facts["steps"], facts["seconds"], facts["seed"],
                f"{PHOTOS}; CamVid train", quality)


def features_part(cfg, folder):
    _, path = state(folder, "features.pt")
    module, facts = features.load(path)
    rows = log_events(path.replace(".pt", ".jsonl"), "held-out")
    quality = {"CamVid val, pixels with the clean features' class: as received, restored": rows[-1]["sameClass"]} if rows else {}
    return Part("features", cfg["channels"], module, "D, everything else frozen", facts["steps"], facts["seconds"], facts["seed"],
                f"{PHOTOS}; CamVid train; ECSSD train", quality)


def of_this_codebook(s, folder):
    """was the state trained on label maps of the heads that ship?"""
    path = os.path.join(folder, "heads.pt")
    used = (s.get("labels") or {}).get("heads")
    if not os.path.exists(path):
        return used is None
    return used is not None and torch.equal(used["label.centroids"].float(), store.load_state(path)["label.centroids"])


def tables_part(m, cfg, folder, data_root, facts):
    """tables.json beside the states, counted now when there is none newer than the states it depends on"""
    import tables
    path = os.path.join(folder, "tables.json")
    states = [p for p in (os.path.join(folder, n) for n in ("stage-b.pt", "heads.pt")) if os.path.exists(p)]
    if not os.path.exists(path) or any(os.path.getmtime(p) > os.path.getmtime(path) for p in states):
        print(f"{cfg['name']}: counting tables", flush=True)
        heads_path = os.path.join(folder, "heads.pt")
        colours = torch.load(heads_path, map_location="cpu").get("clusterColours") if os.path.exists(heads_path) else None
        block = {"labels": {"clusterColours": [[255 * v for v in row] for row in colours]}} if colours else None
        t, report = time.time(), {}
        with torch.no_grad():
            tables.save(tables.build(m, cfg, data_root, block, None, report), path)
        print(json.dumps(dict(report, seconds=round(time.time() - t))))
    with open(path) as f:
        content = json.load(f)
    part = Part("tables", cfg["channels"], None, "counted", 0, 0, facts["seed"],
                f"counted over a sample of {PHOTOS}; CamVid train; ECSSD train", {"tables": len(content["cdfTables"])})
    part.tables = content
    return part


def check_gradient(parts):
    """the gradient network of this set against torch.autograd: relative difference <= 1e-5"""
    net = {p.role: p.module for p in parts}
    if "labels-vjp" not in net:
        return
    g = torch.Generator().manual_seed(11)
    y = net["analysis"](torch.rand(1, 3, 64, 96, generator=g)).detach()
    maps, presence = torch.randn(1, 11, 16, 24, generator=g), torch.randn(1, 11, generator=g)
    want = autograd(net["labels"], y, maps, presence)
    worst = float((net["labels-vjp"](y, maps, presence) - want).abs().max() / want.abs().max())
    if not worst <= 1e-5:
        raise SystemExit(f"pack: the gradient of the label head differs from torch.autograd by {worst:.2g} of its largest value")
