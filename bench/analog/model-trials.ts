import { RandomStream } from '../../src/common/random.ts';
import { sampleSd } from '../../src/experiment/metrics/stats.ts';
import { type Numerology, RB_DATA_RE } from '../../src/phy/numerology.ts';
import type { RgbImage } from '../../src/sct/image/rgb-image.ts';
import type { SemanticModels } from '../../src/sct/semantics/models.ts';
import { type Digital, receive, transmit } from './air.ts';
import { applyCandidate, type Candidate, clipRe, undoCandidate } from './candidates.ts';
import { channelOf, unitNoise } from './channels.ts';
import { type ModelStream, modelPsnrDb, modelStream } from './model.ts';
import type { PsnrTable } from './psnr-table.ts';
import type { Sweep } from './trials.ts';

/**
 * Order and level of the stream: cells in raster order as they come; the same with every RB divided by its own root mean square
 * (level), or by the one that the classes of its cells let expect (class), which the receiver knows in both cases; or permuted
 * over the whole stream.
 */
export type Layout = 'raster' | 'raster-level' | 'raster-class' | 'interleaved';

export interface ModelVariant {
  readonly layout: Layout;
  readonly candidate: Candidate;
  /** Largest |RE|; Infinity = no limit. */
  readonly peak: number;
}

export function variantName(v: ModelVariant): string {
  return `${v.layout} ${v.candidate.name}${Number.isFinite(v.peak) ? '' : ' unlimited'}`;
}

/** One variant of a picture's stream on the air. */
interface OnAirVariant {
  readonly variant: ModelVariant;
  readonly stream: ModelStream;
  readonly slots: number;
  /** Amplitude that each RB was divided by. */
  readonly levels: Float64Array;
  readonly air: ReturnType<typeof transmit>;
}

/** PSNR of a picture through the shipped encoder and decoder for every variant; values go into `table`. */
export async function sweepModel(
  models: SemanticModels,
  n: Numerology,
  image: RgbImage,
  cbr: number,
  variants: readonly ModelVariant[],
  digital: Digital,
  sweep: Sweep,
  picture: number,
  table: PsnrTable,
): Promise<void> {
  for (const snrDb of sweep.snrsDb) {
    const raster = await modelStream(models, image, cbr, snrDb, null);
    const permuted = await modelStream(models, image, cbr, snrDb, new RandomStream(1).fork('analog-order'));
    const sent = variants.map((v) => putOnAir(n, v.layout === 'interleaved' ? permuted : raster, v, digital));
    for (const { name, seeds } of sweep.channels) {
      for (let seed = 1; seed <= seeds; seed++) {
        const channel = channelOf(name, n, 1000 * picture + seed);
        for (const s of sent) {
          const noise = unitNoise(s.air.payload.length / 2, `model-${name}-${picture}-${seed}`);
          const got = receive(n, s.slots, s.air, channel, snrDb, noise);
          const { symbols, snr } = undoCandidate(s.variant.candidate, n, s.slots, got.payload, got.snr);
          undoLevels(symbols, snr, s.levels);
          const count = s.stream.place.length;
          const psnr = await modelPsnrDb(models, s.stream, symbols.subarray(0, 2 * count), snr.subarray(0, count));
          table.add({ subbands: n.nSubbands, channel: name, snrDb, candidate: variantName(s.variant) }, picture, psnr);
        }
      }
    }
  }
}

/** The stream goes round to fill the last slot. */
function putOnAir(n: Numerology, stream: ModelStream, variant: ModelVariant, digital: Digital): OnAirVariant {
  const slots = Math.ceil(stream.place.length / (n.nSubbands * RB_DATA_RE));
  const payload = new Float32Array(2 * slots * n.nSubbands * RB_DATA_RE);
  for (let i = 0; i < payload.length; i++) payload[i] = stream.symbols[i % stream.symbols.length];
  const levels = levelsOf(stream, variant.layout, payload);
  for (let i = 0; i < payload.length; i++) payload[i] /= levels[Math.floor(i / (2 * RB_DATA_RE))];
  const spread = applyCandidate(variant.candidate, n, slots, payload);
  clipRe(spread, variant.peak);
  return { variant, stream, slots, levels, air: transmit(n, slots, spread, variant.candidate.turns, digital) };
}

/** Amplitude of each run of 154 symbols, by layout. */
function levelsOf(stream: ModelStream, layout: Layout, payload: Float32Array): Float64Array {
  const levels = new Float64Array(payload.length / (2 * RB_DATA_RE)).fill(1);
  if (layout !== 'raster-level' && layout !== 'raster-class') return levels;
  const { classMap, symbols } = stream.coded;
  const count = stream.place.length;
  const classOf = (i: number) => classMap.data[stream.place[i % count] % symbols.data.length];
  const sums = new Float64Array(16);
  const numbers = new Float64Array(16);
  const power = (i: number) => payload[2 * i] * payload[2 * i] + payload[2 * i + 1] * payload[2 * i + 1];
  for (let i = 0; i < count; i++) {
    sums[classOf(i)] += power(i);
    numbers[classOf(i)]++;
  }
  for (let b = 0; b < levels.length; b++) {
    let sum = 0;
    for (let i = b * RB_DATA_RE; i < (b + 1) * RB_DATA_RE; i++) {
      sum += layout === 'raster-level' ? power(i) : sums[classOf(i)] / numbers[classOf(i)];
    }
    levels[b] = Math.sqrt(sum / RB_DATA_RE) || 1;
  }
  return levels;
}

/** Standard deviation (dB) and largest deviation of the RBs' mean power after a layout's levels. */
export function levelledPower(stream: ModelStream, layout: Layout): { sdDb: number; mostDb: number } {
  const whole = Math.floor(stream.place.length / RB_DATA_RE) * RB_DATA_RE;
  const payload = stream.symbols.slice(0, 2 * whole);
  const levels = levelsOf(stream, layout, payload);
  const db = Array.from(levels, (level, b) => {
    const block = payload.subarray(2 * b * RB_DATA_RE, 2 * (b + 1) * RB_DATA_RE);
    return 10 * Math.log10(block.reduce((s, v) => s + v * v, 0) / (RB_DATA_RE * level * level));
  });
  return { sdDb: sampleSd(db), mostDb: Math.max(...db.map(Math.abs)) };
}

/** z = level x symbol with SNR s is z with noise level^2 / s: the MMSE output is scaled to that SNR. */
function undoLevels(symbols: Float32Array, snr: Float64Array, levels: Float64Array): void {
  for (let i = 0; i < snr.length; i++) {
    const level = levels[Math.floor(i / RB_DATA_RE)];
    if (level === 1) continue;
    const s = snr[i];
    snr[i] = s / (level * level);
    const scale = (level * (1 + s)) / s / (1 + 1 / snr[i]);
    symbols[2 * i] *= scale;
    symbols[2 * i + 1] *= scale;
  }
}
