import { CLOCK_HALF_TAPS, CLOCK_PHASES, CLOCK_TAPS, type ClockGrid, type ClockKernel } from './clock-kernel.ts';
import { clockTable } from './clock-table.ts';

/** Plain TypeScript in double precision. */
export class PlainClockKernel implements ClockKernel {
  private readonly table = clockTable();

  run(
    grid: ClockGrid,
    index: number,
    x: Float32Array,
    origin: number,
    out: Float32Array,
    outAt: number,
    count: number,
  ): void {
    const { table } = this;
    const { ratio, shift } = grid;
    for (let i = 0; i < count; i++) {
      const position = (index + i) * ratio - shift;
      const base = Math.floor(position);
      const scaled = (position - base) * CLOCK_PHASES;
      const row = Math.floor(scaled);
      const mix = scaled - row;
      let j = 2 * (origin + base - CLOCK_HALF_TAPS + 1);
      // Two sums, so that one addition need not wait for the one before.
      let re0 = 0;
      let im0 = 0;
      let re1 = 0;
      let im1 = 0;
      for (let w = 2 * row * CLOCK_TAPS, stop = w + 2 * CLOCK_TAPS; w < stop; w += 4, j += 4) {
        const h0 = table[w] + mix * table[w + 2];
        const h1 = table[w + 1] + mix * table[w + 3];
        re0 += h0 * x[j];
        im0 += h0 * x[j + 1];
        re1 += h1 * x[j + 2];
        im1 += h1 * x[j + 3];
      }
      out[2 * (outAt + i)] = re0 + re1;
      out[2 * (outAt + i) + 1] = im0 + im1;
    }
  }
}
