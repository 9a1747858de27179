"""A user's own encoder and decoder for --codec onnx:DIR.   python3 user-codec.py PHOTOS_DIR OUT_DIR [STEPS]   (PyTorch, Pillow)"""
import glob, hashlib, json, os, random, sys
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from PIL import Image

P, K, W = 8, 12, 64                                  # patch side [px], complex symbols a patch (R = K / P^2), width

class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3 * P * P + 1, W, 3, 1, 1), nn.PReLU(), nn.Conv2d(W, W, 3, 1, 1), nn.PReLU(), nn.Conv2d(W, 2 * K, 1))
        self.lin = nn.Conv2d(3 * P * P, 2 * K, 1)
    def forward(self, image, snrDb):                 # [1, 3, H, W], [1, 1] -> [1, 2, N], mean power 1 a complex symbol
        x = F.pixel_unshuffle(image - 0.45, P)
        s = self.lin(x) + self.net(torch.cat([x, (snrDb / 10).view(-1, 1, 1, 1).expand_as(x[:, :1])], 1))
        s = s.flatten(1)
        return (s * torch.rsqrt(2 * s.pow(2).mean(1, keepdim=True) + 1e-9)).reshape(image.shape[0], 2, -1)

class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(2 * K + 1, W, 3, 1, 1), nn.PReLU(), nn.Conv2d(W, W, 3, 1, 1), nn.PReLU(), nn.Conv2d(W, 3 * P * P, 1))
    def forward(self, received, snrDb, size):        # [1, 2, N], [1, 1], [2] = H, W -> [1, 3, H, W]
        s = received.reshape(-1, 2 * K, torch.div(size[0], P, rounding_mode="floor"), torch.div(size[1], P, rounding_mode="floor"))
        return F.pixel_shuffle(self.net(torch.cat([s, (snrDb / 10).view(-1, 1, 1, 1).expand_as(s[:, :1])], 1)), P) + 0.45

photos = [np.asarray(Image.open(f).convert("RGB")) for f in sorted(glob.glob(sys.argv[1] + "/*"))[:200]]
torch.manual_seed(1), random.seed(1), torch.set_num_threads(1)
enc, dec = Encoder(), Decoder()
opt = torch.optim.Adam([*enc.parameters(), *dec.parameters()], 1e-3)
for step in range(int(sys.argv[3]) if len(sys.argv) > 3 else 2000):
    p, y, x = random.choice(photos), random.random(), random.random()
    y, x = int(y * (p.shape[0] - 128)), int(x * (p.shape[1] - 128))
    image, snr = torch.tensor(p[y:y + 128, x:x + 128] / 255.0).float().permute(2, 0, 1)[None], torch.rand(1, 1) * 14
    s = enc(image, snr)
    out = dec(s + torch.randn_like(s) * torch.sqrt(10 ** (-snr / 10) / 2), snr, torch.tensor([128, 128]))   # N0 / 2 a real part
    loss = (out - image).pow(2).mean().log()         # log: every SNR and every picture weighs the same
    opt.zero_grad(), loss.backward(), opt.step()
    if step % 200 == 0: print(step, f"{float(-4.343 * loss):.2f} dB", flush=True)
os.makedirs(sys.argv[2], exist_ok=True)
image, snr, info = torch.rand(1, 3, 64, 96), torch.tensor([[10.0]]), dict(schema="sct-user-codec/1", name="example", version=1, multipleOf=P)
for name, net, args, names, out, axes in [("encoder", enc, (image, snr), ["image", "snrDb"], "symbols", {"image": {2: "H", 3: "W"}, "symbols": {2: "N"}}),
        ("decoder", dec, (enc(image, snr).detach(), snr, torch.tensor([64, 96])), ["received", "snrDb", "size"], "image", {"received": {2: "N"}, "image": {2: "H", 3: "W"}})]:
    path = os.path.join(sys.argv[2], name + ".onnx")
    torch.onnx.export(net.eval(), args, path, opset_version=13, input_names=names, output_names=[out], dynamic_axes=axes)
    info[name] = dict(file=name + ".onnx", sha256=hashlib.sha256(open(path, "rb").read()).hexdigest())
json.dump(info, open(os.path.join(sys.argv[2], "codec.json"), "w"), indent=1)
