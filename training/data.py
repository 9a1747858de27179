"""Images and masks for training and for judging.

Layout of the folder given by ``--data DIR`` (nothing is downloaded, nothing is copied):
  train/photos/*.jpg                 photographs of any size
  camvid/{train,val,test}/*.jpg,png  480x360 street scenes; png = label map, 0..10 classes, 11 = void
  saliency/{train,test}/*.jpg,png    photographs and masks (> 127 = salient object)
  kodak/*.png                        test only
  weights/{klt.pt,...}               optional starting weights

Images are kept as uint8 tensors [3, H, W]; batches are float32 [N, 3, H, W] in 0..1, channels_last.
"""
import glob
import os
import random

import numpy as np
import torch
from PIL import Image

CAMVID_CLASSES = ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car",
                  "pedestrian", "bicyclist")
VOID = 11


def read_rgb(path):
    """uint8 [3, H, W]"""
    with Image.open(path) as im:
        return torch.from_numpy(np.array(im.convert("RGB"))).permute(2, 0, 1).contiguous()


def read_mask(path):
    """uint8 [H, W], the first band as stored; one-bit masks become 0 and 255"""
    with Image.open(path) as im:
        a = np.array(im)
    a = a if a.ndim == 2 else a[..., 0]
    return torch.from_numpy(np.ascontiguousarray(a * np.uint8(255) if a.dtype == bool else a))


def files(root, pattern):
    found = sorted(glob.glob(os.path.join(root, pattern)))
    if not found:
        raise SystemExit(f"no file matches {os.path.join(root, pattern)} (is --data right?)")
    return found


def photos(root, min_side=192):
    """training photographs with both sides >= min_side pixels"""
    out = [read_rgb(p) for p in files(root, "train/photos/*.jpg")]
    return [a for a in out if min(a.shape[1:]) >= min_side]


def pairs(root, folder):
    """[(rgb uint8 [3,H,W], mask uint8 [H,W])] of camvid/* or saliency/*"""
    return [(read_rgb(p), read_mask(p[:-3] + "png")) for p in files(root, folder + "/*.jpg")]


def kodak(root):
    return [read_rgb(p) for p in files(root, "kodak/*.png")]


def to_batch(crops):
    """list of uint8 [3, h, w] -> float32 [N, 3, h, w] in 0..1, channels_last"""
    return (torch.stack(crops).float() / 255).contiguous(memory_format=torch.channels_last)


def photo_batch(images, n, side):
    """n random crops of side x side pixels, half of them mirrored, a quarter transposed"""
    out = []
    for _ in range(n):
        x = random.choice(images)
        i = random.randrange(x.shape[1] - side + 1)
        j = random.randrange(x.shape[2] - side + 1)
        c = x[:, i:i + side, j:j + side]
        if random.random() < 0.5:
            c = c.flip(2)
        if random.random() < 0.25:
            c = c.transpose(1, 2)
        out.append(c)
    return to_batch(out)


def mask_batch(items, n, height, width, low, high, fill):
    """n random scaled, mirrored crops with masks.

    Scale is drawn log-uniformly from low..high; what lies outside the image is grey with label `fill`.
    Returns x float32 [n,3,height,width] (brightness and contrast jittered), mask int64 [n,height,width].
    """
    xs, ms = [], []
    for _ in range(n):
        rgb, mask = random.choice(items)
        scale = low * (high / low) ** random.random()
        h, w = max(16, round(height / scale)), max(16, round(width / scale))  # window in the source
        ch, cw = min(h, rgb.shape[1]), min(w, rgb.shape[2])
        i = random.randrange(rgb.shape[1] - ch + 1)
        j = random.randrange(rgb.shape[2] - cw + 1)
        c = rgb[None, :, i:i + ch, j:j + cw].float() / 255
        m = mask[None, None, i:i + ch, j:j + cw].float()
        oh, ow = min(height, round(ch * scale)), min(width, round(cw * scale))
        c = torch.nn.functional.interpolate(c, (oh, ow), mode="bilinear", align_corners=False,
                                            antialias=scale < 0.9)[0]
        m = torch.nn.functional.interpolate(m, (oh, ow), mode="nearest")[0, 0]
        c = ((c - 0.45) * random.uniform(0.8, 1.25) + 0.45 + random.uniform(-0.1, 0.1)).clamp(0, 1)
        x = torch.full((3, height, width), 0.45)
        t = torch.full((height, width), float(fill))
        x[:, :oh, :ow], t[:oh, :ow] = c, m
        if random.random() < 0.5:
            x, t = x.flip(2), t.flip(1)
        xs.append(x)
        ms.append(t)
    return torch.stack(xs).contiguous(memory_format=torch.channels_last), torch.stack(ms).long()


def pad16(x):
    """replicate-pads [N,3,H,W] right and below to multiples of 16"""
    h, w = x.shape[2:]
    return torch.nn.functional.pad(x, (0, -w % 16, 0, -h % 16), mode="replicate")
