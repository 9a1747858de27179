import { kaiserBeta, kaiserWindow, sinc } from '../../frontend/kaiser.ts';
import { CLOCK_HALF_TAPS, CLOCK_PHASES, CLOCK_TAPS } from './clock-kernel.ts';

let table: Float64Array | undefined;

/**
 * [phase][tap pair][weights of x[base - 15 + tap] of an even and an odd tap for a place phase/256 beyond base, their changes to the next phase]; made
 * once. The last row is for a place that rounds up to the next sample.
 */
export function clockTable(): Float64Array {
  table ??= makeTable();
  return table;
}

function makeTable(): Float64Array {
  const beta = kaiserBeta(79);
  const weight = (phase: number, tap: number) => {
    const t = tap - CLOCK_HALF_TAPS + 1 - phase / CLOCK_PHASES;
    return Math.fround(sinc(t) * kaiserWindow(t / CLOCK_HALF_TAPS, beta));
  };
  const rows = new Float64Array(2 * (CLOCK_PHASES + 1) * CLOCK_TAPS);
  for (let phase = 0; phase <= CLOCK_PHASES; phase++) {
    for (let tap = 0; tap < CLOCK_TAPS; tap++) {
      const at = 2 * (phase * CLOCK_TAPS + tap) - (tap % 2);
      rows[at] = weight(phase, tap);
      rows[at + 2] = phase < CLOCK_PHASES ? weight(phase + 1, tap) - weight(phase, tap) : 0;
    }
  }
  return rows;
}
