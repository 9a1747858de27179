"""Picture sheets: one PNG a comparison, panels side by side with a caption, the damaged region's bounding box enlarged."""
import os

import numpy as np
import torch
from PIL import Image, ImageDraw


def to_image(x, height, width):
    a = (x[0, :, :height, :width].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(a)


def row(folder, name, number, x, hit, panels, side=420):
    """writes FOLDER/name-number.png. x [1,3,H,W] source (its size counts), hit bool [h,w] cells, panels [(caption, picture)]"""
    os.makedirs(folder, exist_ok=True)
    h, w = x.shape[2:]
    i, j = np.nonzero(hit)
    top, left = max(0, 16 * i.min() - 32), max(0, 16 * j.min() - 32)
    bottom, right = min(h, 16 * i.max() + 48), min(w, 16 * j.max() + 48)
    scale = side / max(bottom - top, right - left)
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    sheet = Image.new("RGB", ((size[0] + 8) * len(panels), size[1] + 20), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    for n, (caption, picture) in enumerate(panels):
        part = to_image(picture, h, w).crop((left, top, right, bottom)).resize(size, Image.BICUBIC)
        sheet.paste(part, (n * (size[0] + 8), 20))
        draw.text((n * (size[0] + 8) + 4, 4), caption, fill=(0, 0, 0))
    sheet.save(os.path.join(folder, f"{name}-{number:02d}.png"))
