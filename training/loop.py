"""What the restoration scripts share: frozen model set, clock, cosine, averaged weights, log, state file."""
import json
import math
import os
import signal
import time

import torch

import store
from networks import ModelSet
from stage_a import Average

HERE = os.path.dirname(os.path.abspath(__file__))


def arguments(parser, minutes):
    parser.add_argument("--config", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--minutes", type=float, default=minutes, help="length of the learning-rate cosine (wall time)")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--weights", help="frozen model set (default: stage-b.pt of the set, else last.pt)")
    parser.add_argument("--heads", help="heads.pt whose labels and codebook are used (default: that of the set)")
    parser.add_argument("--out", default=os.path.join(HERE, "checkpoints"))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--restart", action="store_true", help="new cosine from the averaged weights of the last state")
    parser.add_argument("--limit-photos", type=int, default=None, help="rehearsal only")
    return parser


def frozen(cfg, root, out, weights=None):
    """the model set with its averaged weights, no gradients -> m, path of the weights"""
    found = [p for p in (weights, os.path.join(out, "stage-b.pt"), os.path.join(out, "last.pt")) if p and os.path.exists(p)]
    if not found:
        raise SystemExit(f"no state of stage A or B in {out}; give --weights FILE")
    m = ModelSet(cfg, torch.load(os.path.join(root, "weights/klt.pt"), map_location="cpu"))
    m.load_state_dict(store.load_state(found[0]))
    m.requires_grad_(False)
    return m.to(memory_format=torch.channels_last).eval(), found[0]


class Run:
    """Wall-clock cosine of one network, kept across resumption. `others` = {name: (module, optimiser)} saved beside it.
    `clock()` before each step -> learning rate, or None at the end; `stepped()` after it."""

    def __init__(self, path, net, opt, cfg, minutes, lr, seed, others=None, facts=None, restart=False):
        self.path, self.net, self.opt, self.cfg, self.lr0, self.seed = path, net, opt, cfg, lr, seed
        self.others, self.facts, self.budget_s = others or {}, facts or {}, minutes * 60
        self.step, run_s, self.before, self.resumed, self.last = 0, 0.0, 0.0, os.path.exists(path), {}
        self.log = open(path.replace(".pt", ".jsonl"), "a")
        self.average = Average(net)
        if self.resumed:
            s = self.last = torch.load(path, map_location="cpu")
            net.load_state_dict(s["average" if restart else "model"])
            for k, v in s["average"].items():
                self.average.state[k].copy_(v)
            for k, (module, o) in self.others.items():
                module.load_state_dict(s["others"][k][0])
                if not restart:
                    o.load_state_dict(s["others"][k][1])
            self.step, run_s = s["steps"], 0.0 if restart else s["run_s"]
            self.before = s["seconds"] - run_s
            if not restart:
                opt.load_state_dict(s["opt"])
            self.note(event="resume", step=self.step, seconds=s["seconds"], restart=restart)
        self.t0, self.first = time.time() - run_s, self.step if restart or not self.resumed else -1000
        self.sums, self.last_note, self.last_save, self.stop = {}, time.time(), time.time(), []
        signal.signal(signal.SIGTERM, lambda *_: self.stop.append(1))
        self.note(event="run", time=time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()), minutes=minutes, learning_rate=lr,
                  parameters=sum(p.numel() for p in net.parameters()), **{k: v for k, v in self.facts.items() if isinstance(v, str)})

    def note(self, **kv):
        self.log.write(json.dumps({k: (round(v, 4) if isinstance(v, float) else v) for k, v in kv.items()}) + "\n")
        self.log.flush()
        print(kv, flush=True)

    def share(self):
        """part of the run's time that is over, 0..1"""
        return min(1.0, (time.time() - self.t0) / self.budget_s)

    def clock(self):
        f, now = self.share(), time.time()
        done = f >= 1 or bool(self.stop)
        if self.sums and (done or now - self.last_note > 60):
            self.note(step=self.step, minute=(now - self.t0) / 60, lr=self.opt.param_groups[0]["lr"],
                      **{k: v[1] / v[0] for k, v in self.sums.items()})
            self.sums, self.last_note = {}, now
        if done or now - self.last_save > 120:
            self.save()
        if done:
            self.note(event="stopped" if self.stop else "end", step=self.step)
            self.log.close()
            return None
        lr = self.lr0 * min(1, (self.step - self.first + 1) / 100) * (0.98 * 0.5 * (1 + math.cos(math.pi * f)) + 0.02)
        for g in self.opt.param_groups:
            g["lr"] = lr * g.get("m", 1.0)
        return lr

    def stepped(self, **shown):
        self.step += 1
        if self.step % 5 == 0:
            self.average.update(self.net, min(0.99, (self.step - self.first) / (self.step - self.first + 50)))
        for k, v in shown.items():
            c = self.sums.setdefault(k, [0, 0.0])
            c[0], c[1] = c[0] + 1, c[1] + float(v)

    def save(self):
        s = dict(model=self.net.state_dict(), average=self.average.state, opt=self.opt.state_dict(), steps=self.step,
                 run_s=time.time() - self.t0, seconds=self.before + time.time() - self.t0, seed=self.seed, config=self.cfg,
                 others={k: (a.state_dict(), o.state_dict()) for k, (a, o) in self.others.items()}, **self.facts)
        torch.save(s, self.path + ".new")
        os.replace(self.path + ".new", self.path)
        self.last_save = time.time()


def descend(loss, opt, parameters, limit=1.0):
    """one step; a gradient that is not finite is skipped -> gradient norm"""
    opt.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
    if math.isfinite(float(norm)):
        opt.step()
    return norm
