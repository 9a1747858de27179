"""Figures of `sct bench models` (its models.json, schema sct.bench.models/1) for models.json and cards of a model set."""
import json

ROLE_OF_PART = {"labels": "labels", "saliency": "saliency", "entropy": "tables"}
LONGEST_NAME = 160


def figures(path, set_name, digest):
    """-> {role: {figure: number or list}} of the set with this hash; {} and a line on stdout when the bench measured others"""
    with open(path) as f:
        bench = json.load(f)
    if bench.get("schema") != "sct.bench.models/1":
        raise SystemExit(f"pack: {path} is not written by sct bench models")
    if not any(s["name"] == set_name and s["sha256"] == digest for s in bench["sets"]):
        print(f"{set_name}: {path} measured other weights; its figures are not taken")
        return {}
    if bench["quick"]:
        print(f"{set_name}: {path} is of a quick run on a few pictures; its figures are not taken")
        return {}
    out = {}
    for curve in (bench.get("kodak") or {}).get("curves", []):
        if curve["set"] == set_name:
            name = (f"Kodak PSNR dB at CBR 1/{round(1 / curve['cbr'])}, AWGN {'/'.join(map(str, curve['snrDb']))} dB, "
                    "side information counted")
            for role in ("synthesis", "symbol-encoder", "symbol-decoder"):
                if all(v is not None for v in curve["psnrDb"]):
                    out.setdefault(role, {})[name] = [round(v, 3) for v in curve["psnrDb"]]
    for row in bench["rows"]:
        what, part = row["what"], row["part"]
        if row["value"] is None or not what.startswith((set_name + ":", set_name + ",")):
            continue
        if part == "repair":
            role = "generator" if ", generator," in what else "corrector"
        elif part in ROLE_OF_PART:
            role = ROLE_OF_PART[part]
        else:
            continue
        name = what[len(set_name) + 1:].strip()
        out.setdefault(role, {})[(f"{name} [{row['unit']}]" if row["unit"] else name)[:LONGEST_NAME]] = row["value"]
    return out
