import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { spreadKernel } from '../../../src/phy/kernels/spread/spread.ts';
import { LONGEST_GROUP, SPREAD_LANES } from '../../../src/phy/kernels/spread/spread-kernel.ts';
import { PlainSpreadKernel } from '../../../src/phy/kernels/spread/spread-plain.ts';
import { WasmSpreadKernel } from '../../../src/phy/kernels/spread/spread-wasm.ts';

test('every length and lane: the transform as its definition says, in both kernels', () => {
  const plain = new PlainSpreadKernel();
  const wasm = new WasmSpreadKernel();
  const random = new RandomStream('spread');
  for (let n = 1; n <= LONGEST_GROUP; n++) {
    const input = new Float32Array(2 * SPREAD_LANES * n);
    random.addComplexNoise(input, 1);
    const lane = n % SPREAD_LANES;
    const wanted = new Float32Array(2 * n);
    for (let k = 0; k < n; k++) {
      for (let i = 0; i < n; i++) {
        const angle = (-2 * Math.PI * ((i * k) % n)) / n;
        const [re, im] = [input[8 * i + lane], input[8 * i + 4 + lane]];
        wanted[2 * k] += (re * Math.cos(angle) - im * Math.sin(angle)) / Math.sqrt(n);
        wanted[2 * k + 1] += (re * Math.sin(angle) + im * Math.cos(angle)) / Math.sqrt(n);
      }
    }
    const results = [plain, wasm].map((kernel) => {
      kernel.lanes.fill(9);
      kernel.lanes.set(input);
      kernel.transform(n);
      assert.ok(
        kernel.lanes.subarray(8 * n).every((v) => v === 9),
        'writes behind its groups',
      );
      return kernel.lanes.slice(0, 8 * n);
    });
    for (let k = 0; k < n; k++) {
      for (const result of results) {
        assert.ok(Math.abs(result[8 * k + lane] - wanted[2 * k]) < 2e-5, `n=${n} k=${k}`);
        assert.ok(Math.abs(result[8 * k + 4 + lane] - wanted[2 * k + 1]) < 2e-5, `n=${n} k=${k}`);
      }
    }
    results[0].forEach((v, i) => {
      assert.ok(Math.abs(v - results[1][i]) < 1e-5, `n=${n} element ${i}: ${v} ${results[1][i]}`);
    });
  }
});

test('a group that is no number harms none beside it', () => {
  for (const kernel of [new PlainSpreadKernel(), new WasmSpreadKernel()]) {
    kernel.lanes.fill(1);
    kernel.transform(154);
    const alone = kernel.lanes.slice(0, 8 * 154);
    kernel.lanes.fill(1);
    kernel.lanes[8 * 7 + 2] = Number.NaN;
    kernel.transform(154);
    alone.forEach((v, i) => {
      if (i % 4 !== 2) assert.equal(kernel.lanes[i], v);
      else assert.ok(Number.isNaN(kernel.lanes[i]));
    });
  }
});

test('the kernel of the product is the fast one', () => {
  assert.equal(spreadKernel().constructor, process.env.SCT_KERNELS === 'js' ? PlainSpreadKernel : WasmSpreadKernel);
});
