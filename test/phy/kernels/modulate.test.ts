import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { modulateKernel } from '../../../src/phy/kernels/modulate/modulate.ts';
import { PlainModulateKernel } from '../../../src/phy/kernels/modulate/modulate-plain.ts';
import { fitsModulateMemory, WasmModulateKernel } from '../../../src/phy/kernels/modulate/modulate-wasm.ts';
import { NUMEROLOGIES, RB_DATA_RE, SLOT_SYMBOLS } from '../../../src/phy/numerology.ts';
import { resourceGrid, turn } from '../../../src/phy/resource-grid.ts';

const SCALE = 0.02;

function close(a: Float32Array, b: Float32Array, label: string): void {
  assert.equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) {
    assert.ok(Math.abs(a[i] - b[i]) < 1e-5, `${label}: element ${i}: ${a[i]} ${b[i]}`);
  }
}

for (const n of NUMEROLOGIES) {
  const pattern = resourceGrid(n).transmitPattern;
  const kernels = [new PlainModulateKernel(n, pattern), new WasmModulateKernel(n, pattern)];

  test(`${n.nSubbands} subbands: any number of symbols, alike in both kernels, and nothing beside them is touched`, () => {
    const random = new RandomStream(`modulate ${n.id}`);
    for (const symbols of [1, 3, 14, 31]) {
      const grid = new Float32Array(2 * n.nCarriers * symbols);
      random.addComplexNoise(grid, 1);
      const results = kernels.map((kernel) => {
        const out = new Float32Array(2 * (n.symbolLength * symbols + 10)).fill(7);
        kernel.modulate(grid, symbols, SCALE, out, 5);
        assert.ok(out.subarray(0, 10).every((v) => v === 7) && out.subarray(-10).every((v) => v === 7));
        return out;
      });
      close(results[0], results[1], `${symbols} symbols`);
      // The definition, at some samples of the last symbol.
      const row = 2 * n.nCarriers * (symbols - 1);
      for (const m of [0, 1, n.cpLength, n.symbolLength - 1]) {
        let re = 0;
        let im = 0;
        for (let c = 0; c < n.nCarriers; c++) {
          const angle = (2 * Math.PI * n.carriers[c] * (m - n.cpLength)) / n.fftSize;
          re += grid[row + 2 * c] * Math.cos(angle) - grid[row + 2 * c + 1] * Math.sin(angle);
          im += grid[row + 2 * c] * Math.sin(angle) + grid[row + 2 * c + 1] * Math.cos(angle);
        }
        const at = 2 * (5 + (symbols - 1) * n.symbolLength + m);
        assert.ok(Math.abs(results[1][at] - SCALE * re) < 1e-5 && Math.abs(results[1][at + 1] - SCALE * im) < 1e-5);
      }
    }
  });

  test(`${n.nSubbands} subbands: a slot's payload and pilots lie where the grid has them`, () => {
    const random = new RandomStream(`slot ${n.id}`);
    const grid = resourceGrid(n);
    for (const symbol of [0, 7, 61, 500]) {
      const payload = new Float32Array(2 * n.nSubbands * RB_DATA_RE + 6);
      random.addComplexNoise(payload, 1);
      const rows = new Float32Array(2 * n.nCarriers * SLOT_SYMBOLS);
      for (let t = 0; t < SLOT_SYMBOLS; t++) {
        const turns = grid.turnsOf(symbol + t);
        grid.dataCarriersOf(t).forEach((carrier, i) => {
          const g = 2 * (n.nCarriers * t + carrier);
          const p = 6 + 2 * (Math.floor(i / 11) * RB_DATA_RE + 11 * t + (i % 11));
          rows[g] = payload[p];
          rows[g + 1] = payload[p + 1];
          turn(rows, g, turns[i]);
        });
        // placePilots takes the symbol's number for both its row and its values.
        const own = new Float32Array(2 * n.nCarriers * (symbol + t + 1));
        grid.placePilots(own, symbol + t, t);
        const offset = grid.pilotOffset(t);
        for (let s = 0; s < n.nSubbands; s++) {
          const at = 2 * (s * 12 + offset);
          rows.set(
            own.subarray(2 * n.nCarriers * (symbol + t) + at, 2 * n.nCarriers * (symbol + t) + at + 2),
            2 * n.nCarriers * t + at,
          );
        }
      }
      const wanted = new Float32Array(2 * n.slotLength);
      kernels[0].modulate(rows, SLOT_SYMBOLS, SCALE, wanted, 0);
      for (const kernel of kernels) {
        const got = new Float32Array(2 * n.slotLength);
        kernel.modulateSlot(payload, 6, symbol, SCALE, got, 0);
        close(got, wanted, `${kernel.constructor.name} from symbol ${symbol}`);
      }
    }
  });
}

test('the kernel of the product is the fast one where its memory holds the numerology', () => {
  const [n] = NUMEROLOGIES;
  const fast = process.env.SCT_KERNELS === 'js' ? PlainModulateKernel : WasmModulateKernel;
  const pattern = resourceGrid(n).transmitPattern;
  assert.equal(modulateKernel(n, pattern).constructor, fast);
  assert.ok(!fitsModulateMemory({ ...n, symbolLength: 2192 }));
  assert.throws(() => new WasmModulateKernel({ ...n, nSubbands: 51 }, pattern), /51 subbands/);
});
