"""The independent street segmenter that scores received pictures: a small U-Net on RGB (no part, weight or feature in
common with the model set). Trained on CamVid train only; never a loss, never shipped."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def block(cin, cout, stride=1, dilation=1):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, stride, dilation, dilation, bias=False), nn.BatchNorm2d(cout), nn.ReLU(),
                         nn.Conv2d(cout, cout, 3, 1, dilation, dilation, bias=False), nn.BatchNorm2d(cout), nn.ReLU())


class Judge(nn.Module):
    """x [N,3,H,W] 0..1 (multiples of 16) -> logits [N,11,H/2,W/2]"""

    def __init__(self, w=(24, 40, 64, 96)):
        super().__init__()
        self.d1, self.d2 = block(3, w[0], 2), block(w[0], w[1], 2)
        self.d3, self.d4 = block(w[1], w[2], 2), block(w[2], w[3], 2)
        self.context = nn.Sequential(block(w[3], w[3], 1, 2), block(w[3], w[3], 1, 4))
        self.u3, self.u2, self.u1 = block(w[3] + w[2], w[2]), block(w[2] + w[1], w[1]), block(w[1] + w[0], w[0])
        self.out = nn.Conv2d(w[0], 11, 1)

    def forward(self, x):
        a = self.d1((x - 0.45) * 4)
        b = self.d2(a)
        c = self.d3(b)
        d = self.context(self.d4(c))

        def up(h, skip):
            return torch.cat([F.interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False), skip], 1)
        return self.out(self.u1(up(self.u2(up(self.u3(up(d, c)), b)), a)))
