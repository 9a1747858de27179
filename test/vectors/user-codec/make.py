"""The tiny pair of the tests: examples/user-codec.py with patches of 4 pixels, 3 symbols each, width 4.

Run: python3 make.py PHOTOS_DIR [STEPS]      (PyTorch, Pillow)"""
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
code = open(os.path.join(here, "../../../examples/user-codec.py")).read()
assert "P, K, W = 8, 12, 64" in code
sys.argv = ["user-codec.py", sys.argv[1], os.path.join(here, "pair"), *(sys.argv[2:] or ["3000"])]
exec(compile(code.replace("P, K, W = 8, 12, 64", "P, K, W = 4, 3, 3"), "user-codec.py", "exec"))
