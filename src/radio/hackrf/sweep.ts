import { FormatError, inRange, UsageError } from '../../common/errors.ts';
import { type BoardCall, integerIn, outCall } from './board-call.ts';

/** Sweep: the board steps through ranges of frequency by itself and marks every block with where it was. */

export const SWEEP_BLOCK_BYTES = 16_384;
const HEADER_BYTES = 10;
const MAX_RANGES = 10;
/** 65 535 MHz is what the field holds; the board tunes to 7250 MHz. */
const MAX_MHZ = 7250;

export interface SweepPlan {
  /** Whole MHz, each low < high. */
  readonly rangesMhz: readonly { readonly low: number; readonly high: number }[];
  readonly stepHz: number;
  /** Added to every frequency of the plan to tune the LO. */
  readonly offsetHz: number;
  /** interleaved: steps of 1/4 and 3/4 of stepHz by turns, so that every frequency is seen away from DC. */
  readonly style: 'linear' | 'interleaved';
  /** Blocks of 8192 samples at each frequency. */
  readonly blocksPerStep: number;
}

/** 9 + 4n bytes: u32 step, u32 offset, u8 style, n times u16 low, u16 high; dwell in bytes in wValue and wIndex. */
export function initSweep(plan: SweepPlan): BoardCall {
  const count = integerIn('number of sweep ranges', plan.rangesMhz.length, 1, MAX_RANGES);
  const data = new Uint8Array(9 + 4 * count);
  const view = new DataView(data.buffer);
  view.setUint32(0, integerIn('sweep step', plan.stepHz, 1, 0xffff_ffff, 'Hz'), true);
  view.setUint32(4, integerIn('sweep offset', plan.offsetHz, 0, 0xffff_ffff, 'Hz'), true);
  if (plan.style !== 'linear' && plan.style !== 'interleaved') {
    throw new UsageError(`sweep style "${plan.style}": allowed linear, interleaved`);
  }
  view.setUint8(8, plan.style === 'linear' ? 0 : 1);
  plan.rangesMhz.forEach(({ low, high }, i) => {
    view.setUint16(9 + 4 * i, integerIn('sweep range', low, 0, MAX_MHZ - 1, 'MHz'), true);
    view.setUint16(11 + 4 * i, integerIn('end of a sweep range', high, low + 1, MAX_MHZ, 'MHz'), true);
  });
  const bytes = SWEEP_BLOCK_BYTES * integerIn('sweep blocks', plan.blocksPerStep, 1, 0xffff);
  return outCall('INIT_SWEEP', bytes & 0xffff, bytes >>> 16, data);
}

/** What one block of a sweep holds. */
export interface SweepFrame {
  /** Frequency of the plan, without the offset. */
  readonly frequencyHz: number;
  /** [sample][i, q]; the first 5 samples are the header's and zero. */
  readonly samples: Int8Array;
}

/** Reads a block: 7f 7f, u64 frequency, samples. The bytes become the frame's. */
export function parseSweepBlock(block: Uint8Array): SweepFrame {
  if (block.length !== SWEEP_BLOCK_BYTES) {
    throw new FormatError('sweep block', `${block.length} bytes; ${SWEEP_BLOCK_BYTES} were due`);
  }
  if (block[0] !== 0x7f || block[1] !== 0x7f) throw new FormatError('sweep block', 'does not begin with 7f 7f');
  const frequency = new DataView(block.buffer, block.byteOffset).getBigUint64(2, true);
  if (frequency > BigInt(MAX_MHZ) * 1_000_000n) throw new FormatError('sweep block', `says ${frequency} Hz`);
  block.fill(0, 0, HEADER_BYTES);
  return {
    frequencyHz: Number(frequency),
    samples: new Int8Array(block.buffer, block.byteOffset, SWEEP_BLOCK_BYTES),
  };
}

/** Frequencies at which a plan's blocks are taken, in order, once through; at most `limit`. (Firmware: sweep_mode.) */
export function sweepFrequencies(plan: SweepPlan, limit = 100_000): number[] {
  initSweep(plan);
  inRange('sweep steps listed', limit, 1, 1e6);
  const { stepHz } = plan;
  const interleaved = plan.style === 'interleaved';
  const frequencies: number[] = [];
  for (const { low, high } of plan.rangesMhz) {
    let at = low * 1e6;
    for (let odd = true; frequencies.length < limit; odd = !odd) {
      frequencies.push(at);
      if (interleaved && odd) at += Math.trunc(stepHz / 4);
      else if (at + stepHz >= high * 1e6) break;
      else at += interleaved ? Math.trunc((3 * stepHz) / 4) : stepHz;
    }
  }
  return frequencies;
}
