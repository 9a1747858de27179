import { performance } from 'node:perf_hooks';
import { RandomStream } from '../../../common/random.ts';
import { Transmitter } from '../../../link/transmitter.ts';
import { powerDelayProfile } from '../../../phy/channel/power-delay-profiles.ts';
import { numerology, SUBBAND_CARRIERS, SUBCARRIER_SPACING_HZ } from '../../../phy/numerology.ts';
import { encodeCsi } from '../../../sct/allocation/csi-code.ts';
import type { Codec, EncodedSource, ReceivedSource, ReceivedStream } from '../../../sct/codec/codec.ts';
import { IntegratedCodec } from '../../../sct/codec/integrated.ts';
import { type RgbImage, rgbImage } from '../../../sct/image/rgb-image.ts';
import { PRECISIONS, type Precision } from '../../../sct/semantics/int8.ts';
import { loadModels, type SemanticModels } from '../../../sct/semantics/models.ts';
import { median, percentile } from '../../metrics/stats.ts';
import { LIVE_CODEC_MS } from './models-published.ts';
import { atMost, type ModelRow, shown } from './models-row.ts';

const SUBBANDS = 50;
const SNR_DB = 10;
/** Complex symbols per pixel. */
const RATES = [0.5, 0.1875] as const;
/** Frames before the first that counts: the code is compiled by then. */
const WARM_UP = 6;

interface Timing {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** One frame: what the sender's codec, the planning of the link around it, and the receiver's codec took. */
interface FrameTimings {
  readonly sender: Timing;
  readonly plan: Timing;
  readonly receiver: Timing;
}

/**
 * Time of a whole frame of video: all that Transmitter.send has the integrated codec do, from the picture to symbols and side
 * information (analysis, heads, importance, partition, rates, f_e, entropy coding), and all that decoding does, to the picture. EPA channels
 * at 10 dB, one for each frame, whose subbands the sender knows. Float and 8-bit networks in turns, a frame each.
 */
export async function codecRows(dir: string | undefined, picture: RgbImage, runs: number): Promise<ModelRow[]> {
  const sets = new Map<Precision, SemanticModels>();
  for (const precision of PRECISIONS) {
    const models = await loadModels({ dir, size: 'live', threads: 1, precision });
    await models.warm();
    sets.set(precision, models);
  }
  const rows: ModelRow[] = [];
  for (const rate of RATES) {
    const frames = new Map<Precision, FrameTimings[]>(PRECISIONS.map((p) => [p, []]));
    for (let run = -WARM_UP; run < runs; run++) {
      const random = new RandomStream(`latency/codec/${run}`);
      const snrDb = epaSnrDb(random);
      for (const [precision, models] of sets) {
        const timings = await oneFrame(models, picture, rate, snrDb, random.fork(precision));
        if (run >= 0) frames.get(precision)!.push(timings);
      }
    }
    for (const [precision, list] of frames) rows.push(...frameRows(rate, precision, list));
  }
  for (const models of sets.values()) await models.close();
  return rows;
}

async function oneFrame(
  models: SemanticModels,
  picture: RgbImage,
  rate: number,
  snrDb: readonly number[],
  random: RandomStream,
): Promise<FrameTimings> {
  // A new object each time: a codec remembers what it made of a picture that it has seen.
  const image = rgbImage(picture.width, picture.height, picture.data);
  const codec = new IntegratedCodec(models);
  let [sender, source]: [Timing, EncodedSource | undefined] = [{ wallMs: 0, cpuMs: 0 }, undefined];
  const watched: Codec = {
    name: codec.name,
    describe: () => codec.describe(),
    analyse: async (from, hints) => {
      const { value: plan, timing } = await timed(() => codec.analyse(from, hints));
      const encode: typeof plan.encode = async (grants) => {
        const made = await timed(() => plan.encode(grants));
        sender = sum(timing, made.timing);
        source = made.value;
        return made.value;
      };
      return { ...plan, encode };
    },
    decode: (received, options) => codec.decode(received, options),
  };
  const transmitter = new Transmitter({ numerology: numerology(SUBBANDS), codec: watched, answers: false });
  const codes = Uint8Array.from(snrDb, encodeCsi);
  transmitter.takeReport({ number: 1, session: transmitter.options.session, burst: 0, codes }, 0);
  const { value: plan, timing: whole } = await timed(() =>
    transmitter.send(image, rate * picture.width * picture.height, 0.001),
  );
  const received = overAir(
    source!,
    plan.source.streams.map((s) => s.score),
    snrDb,
    random,
  );
  const { timing: receiver } = await timed(() => codec.decode(received));
  return { sender, receiver, plan: { wallMs: whole.wallMs - sender.wallMs, cpuMs: whole.cpuMs - sender.cpuMs } };
}

/** SNR of each subband of one EPA channel, dB. */
function epaSnrDb(random: RandomStream): number[] {
  const { delaysNs, powers } = powerDelayProfile('epa');
  const taps = powers.map((p) => [random.normal() * Math.sqrt(p / 2), random.normal() * Math.sqrt(p / 2)]);
  return Array.from({ length: SUBBANDS }, (_, s) => {
    const hz = (s - SUBBANDS / 2) * SUBBAND_CARRIERS * SUBCARRIER_SPACING_HZ;
    let [re, im] = [0, 0];
    taps.forEach(([a, b], i) => {
      const angle = -2 * Math.PI * hz * delaysNs[i] * 1e-9;
      re += a * Math.cos(angle) - b * Math.sin(angle);
      im += a * Math.sin(angle) + b * Math.cos(angle);
    });
    return SNR_DB + 10 * Math.log10(Math.max(1e-3, re * re + im * im));
  });
}

/** Streams as the equaliser gives them: symbol after symbol over the subbands in turn, a symbol of each at a time. */
function overAir(
  source: EncodedSource,
  scores: readonly number[],
  snrDb: readonly number[],
  random: RandomStream,
): ReceivedSource {
  const perSubband = SUBBAND_CARRIERS - 1;
  const streams = source.streams.map((stream): ReceivedStream => {
    if (stream.kind !== 'analog') throw new Error('the integrated codec has analog streams');
    const n = stream.symbolsReIm.length / 2;
    const snr = Float32Array.from({ length: n }, (_, p) => snrDb[Math.floor(p / perSubband) % SUBBANDS]);
    const symbolsReIm = Float32Array.from(stream.symbolsReIm, (v, i) => {
      const s = 10 ** (snr[i >> 1] / 10);
      return (s / (1 + s)) * (v + random.normal() / Math.sqrt(2 * s));
    });
    return { id: stream.id, kind: 'analog', symbolsReIm, snrDb: snr, score: scores[stream.id] };
  });
  return { sideInfo: source.sideInfo, streams };
}

function frameRows(rate: number, precision: Precision, frames: readonly FrameTimings[]): ModelRow[] {
  const part = 'latency' as const;
  const where = `live (${precision}), 256x256, R = ${rate}, EPA ${SNR_DB} dB, ${frames.length} frames`;
  const row = (what: string, of: (f: FrameTimings) => number) => {
    const values = frames.map(of);
    const [low, high] = [percentile(values, 10), percentile(values, 90)];
    return { part, what: `${where}: ${what}`, unit: 'ms', value: median(values), low, high };
  };
  return [
    atMost(
      'target',
      LIVE_CODEC_MS,
      row('whole codec, both sides, CPU time', (f) => sum(f.sender, f.receiver).cpuMs),
    ),
    shown(row('whole codec, both sides, wall time', (f) => sum(f.sender, f.receiver).wallMs)),
    shown(row('codec of the sender, CPU time', (f) => f.sender.cpuMs)),
    shown(row('codec of the receiver, CPU time', (f) => f.receiver.cpuMs)),
    shown(row('planning of the link around it, CPU time', (f) => f.plan.cpuMs)),
  ];
}

function sum(a: Timing, b: Timing): Timing {
  return { wallMs: a.wallMs + b.wallMs, cpuMs: a.cpuMs + b.cpuMs };
}

/** Wall time, and CPU time of all threads of this process. */
export async function timed<T>(work: () => Promise<T>): Promise<{ value: T; timing: Timing }> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const value = await work();
  const wallMs = performance.now() - started;
  const used = process.cpuUsage(cpu);
  return { value, timing: { wallMs, cpuMs: (used.user + used.system) / 1000 } };
}
