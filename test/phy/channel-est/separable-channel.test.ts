import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { SeparableChannel } from '../../../src/phy/channel-est/separable-channel.ts';
import { NUMEROLOGIES, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../../../src/phy/numerology.ts';
import { resourceGrid } from '../../../src/phy/resource-grid.ts';

test('grid, symbols and pilots are what the functions and weights say', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...NUMEROLOGIES),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: SLOT_SYMBOLS }),
      fc.integer(),
      (n, slots, order, seed) => {
        const random = new RandomStream(seed);
        const sets = new Uint16Array(slots);
        for (let i = 1; i < slots; i++) sets[i] = sets[i - 1] + random.integer(2);
        const nodes = new Float32Array(2 * n.nCarriers * order * (sets[slots - 1] + 1));
        random.addComplexNoise(nodes, 1);
        // Zeros, too: unit weights are skipped over.
        const weights = Float32Array.from({ length: slots * SLOT_SYMBOLS * order }, () =>
          random.integer(3) === 0 ? 0 : random.normal(),
        );
        const channel = new SeparableChannel(n.nCarriers, order, nodes, sets, weights);
        const grid = channel.grid();
        const pilots = new Float32Array(2 * n.nSubbands * slots * SLOT_SYMBOLS);
        channel.atPilots(n, pilots);
        for (let trial = 0; trial < 200; trial++) {
          const symbol = random.integer(slots * SLOT_SYMBOLS);
          const slot = Math.floor(symbol / SLOT_SYMBOLS);
          const s = random.integer(n.nSubbands);
          const c = s * SUBBAND_CARRIERS + resourceGrid(n).pilotOffset(symbol % SLOT_SYMBOLS);
          for (const part of [0, 1]) {
            let expected = 0;
            for (let d = 0; d < order; d++) {
              expected += weights[symbol * order + d] * nodes[2 * ((sets[slot] * order + d) * n.nCarriers + c) + part];
            }
            assert.ok(Math.abs(grid[2 * (symbol * n.nCarriers + c) + part] - expected) < 1e-5);
            assert.ok(Math.abs(pilots[2 * (symbol * n.nSubbands + s) + part] - expected) < 1e-5);
          }
        }
      },
    ),
    { numRuns: 30 },
  );
});
