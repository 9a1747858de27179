/** Kernels of tracking and channel estimate. */

import { invertFactor } from '../../src/phy/channel-est/cholesky.ts';
import { SLOT_POLYNOMIALS } from '../../src/phy/channel-est/time-basis.ts';
import { PlainLmmseKernel } from '../../src/phy/kernels/lmmse/lmmse-plain.ts';
import { WasmLmmseKernel } from '../../src/phy/kernels/lmmse/lmmse-wasm.ts';
import { PlainTrackKernel } from '../../src/phy/kernels/track/track-plain.ts';
import { WasmTrackKernel } from '../../src/phy/kernels/track/track-wasm.ts';
import { type Numerology, SLOT_SYMBOLS } from '../../src/phy/numerology.ts';
import { resourceGrid } from '../../src/phy/resource-grid.ts';
import { copies, noise, type Subject } from './subject.ts';

/** Functions in delay and polynomials in time of a slowly changing channel. */
const SIZE = 9;
const ORDER = 2;

/** Pilots to right-hand side, solution, carriers. */
export function fit(n: Numerology): Subject {
  const { pilots: places, nSubbands } = resourceGrid(n).slotPattern;
  const pattern = { nSubbands, pilots: places, polynomials: SLOT_POLYNOMIALS };
  const values = new Float32Array(n.nCarriers * SIZE);
  const ramp = new Float32Array(2 * n.nCarriers);
  n.carriers.forEach((k, c) => {
    for (let j = 0; j < SIZE; j++) values[c * SIZE + j] = j === 0 ? 1 : waveOf(j, k / n.nCarriers);
    ramp[2 * c] = Math.cos(0.1 * k);
    ramp[2 * c + 1] = Math.sin(0.1 * k);
  });
  const unknowns = SIZE * ORDER;
  const matrix = new Float64Array(unknowns * unknowns);
  for (let i = 0; i < unknowns; i++) {
    for (let j = 0; j < unknowns; j++) matrix[i * unknowns + j] = i === j ? 2 : 1 / (1 + Math.abs(i - j));
  }
  const penalty = Float64Array.of(0.1, 0, 0, 0.1);
  // The window is the slot: its polynomials are the slot's.
  const perSlot = Float64Array.of(1, 0, 0, 1);
  const pilots = noise('pilots', SLOT_SYMBOLS * nSubbands);
  const nodes = new Float32Array(2 * n.nCarriers * ORDER);
  const [wasm, plain] = [WasmLmmseKernel, PlainLmmseKernel].map((Kernel) => {
    const kernel = new Kernel(pattern);
    const basis = kernel.addBasis(values, SIZE);
    const factor = invertFactor(matrix.slice(), unknowns);
    const system = kernel.addSystem({ size: unknowns, order: ORDER, factor, penalty, slots: 1, perSlot });
    kernel.begin(basis, 1);
    return () => {
      kernel.project(ramp, pilots, 0, ORDER, 0);
      kernel.solveSlots(system, 0);
      kernel.expand(basis, ramp, ORDER, nodes, 0);
    };
  });
  const copy = copies(2 * ramp.length, pilots.length, nodes.length);
  return {
    name: `channel fit of a slot, ${nSubbands} subbands`,
    unit: 'sample',
    units: n.slotLength,
    wasm,
    plain,
    copy,
  };
}

/** sqrt(2) cos, sqrt(2) sin of half a turn over the band and its multiples. */
function waveOf(j: number, place: number): number {
  const angle = Math.PI * Math.ceil(j / 2) * place;
  return Math.SQRT2 * (j % 2 === 1 ? Math.cos(angle) : Math.sin(angle));
}

/** Common phase and slope of one slot's pilots. */
export function tracker(n: Numerology): Subject {
  const { nSubbands, carriers } = n;
  const offsets = resourceGrid(n).slotPattern.pilots.slice(0, 12);
  const reference = noise('reference', n.nCarriers);
  const pilots = noise('tracked', SLOT_SYMBOLS * nSubbands);
  const sums = new Float64Array(4);
  const weights = new Float64Array(nSubbands).fill(1);
  const [wasm, plain] = [WasmTrackKernel, PlainTrackKernel].map((Kernel) => {
    const kernel = new Kernel({ nSubbands, offsets, carriers });
    return () => {
      kernel.begin(1e-3, 0.1, weights, SLOT_SYMBOLS);
      kernel.refer(reference);
      kernel.follow(pilots, 0, SLOT_SYMBOLS, 0);
      kernel.adapt();
      kernel.turnBack(pilots, 0, SLOT_SYMBOLS);
      kernel.slope(SLOT_SYMBOLS, 0, sums);
    };
  });
  const copy = copies(reference.length, pilots.length, pilots.length);
  return { name: `phase of a slot, ${nSubbands} subbands`, unit: 'sample', units: n.slotLength, wasm, plain, copy };
}
