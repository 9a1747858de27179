import { RandomStream } from '../../src/common/random.ts';
import { powerDelayProfile } from '../../src/phy/channel/power-delay-profiles.ts';
import { SUBCARRIER_SPACING_HZ } from '../../src/phy/numerology.ts';
import { allocate, type Mapping } from '../../src/sct/allocation/allocate.ts';
import { encodeCsiReport } from '../../src/sct/allocation/csi-code.ts';
import { mapChannels } from '../../src/sct/allocation/effective-snr.ts';
import { placeSymbols } from '../../src/sct/allocation/rb-map.ts';
import type { EncodedStream, ReceivedStream } from '../../src/sct/codec/codec.ts';
import { stoi } from '../../src/sct/quality/stoi.ts';
import { SPEECH_RATE_HZ, type Speech } from '../../src/sct/speech/speech.ts';
import { SpeechCodec, type SpeechPlan } from '../../src/sct/speech/speech-codec.ts';
import { difference, interval, type Shown, text } from './measure.ts';
import { secondsOf } from './sources.ts';

/** What placing by importance is worth by itself: the codec and the allocation on the true channel, without modem or control. */
export interface IdealRow {
  readonly channel: string;
  readonly subbands: number;
  readonly snrDb: number;
  readonly trials: number;
  readonly stoi: Readonly<Record<(typeof MAPPINGS)[number], Shown>>;
  readonly matchedLessUniform: Shown;
  readonly matchedLessWorst: Shown;
}

export interface IdealSettings {
  readonly sources: readonly Speech[];
  readonly seeds: number;
  /** Symbols of speech alone. */
  readonly perSecond: number;
}

const MAPPINGS = ['matched', 'uniform', 'worst'] as const satisfies readonly Mapping[];
const POINTS = [
  { channel: 'eva', subbands: 6, snrDb: 5 },
  { channel: 'eva', subbands: 50, snrDb: 5 },
  { channel: 'eva', subbands: 50, snrDb: 0 },
  { channel: 'eva', subbands: 50, snrDb: -5 },
  { channel: 'etu', subbands: 50, snrDb: 0 },
] as const;
type Point = (typeof POINTS)[number];

const CARRIERS = 12;

export async function* idealRows({ sources, seeds, perSecond }: IdealSettings): AsyncGenerator<IdealRow> {
  const plans = await Promise.all(sources.map((speech) => new SpeechCodec().analyse(speech)));
  for (const point of POINTS) {
    const found: Record<Mapping, number[]> = { matched: [], uniform: [], random: [], worst: [] };
    for (const [i, speech] of sources.entries()) {
      for (let seed = 1; seed <= seeds; seed++) {
        const random = new RandomStream(`${seed}/${i}`);
        const snr = carrierSnrs(point, random.fork('channel'));
        const re = perSecond * secondsOf(speech);
        for (const m of MAPPINGS) found[m].push(await heard(speech, plans[i], { snr, re, m, random, point }));
      }
    }
    const { matched, uniform, worst } = found;
    yield {
      ...point,
      trials: matched.length,
      stoi: { matched: interval(matched), uniform: interval(uniform), worst: interval(worst) },
      matchedLessUniform: difference(matched, uniform),
      matchedLessWorst: difference(matched, worst),
    };
  }
}

/** Es/N0 of each subcarrier of one realisation, linear. */
function carrierSnrs({ channel, subbands, snrDb }: Point, random: RandomStream): Float64Array {
  const { powers, delaysNs } = powerDelayProfile(channel);
  const taps = powers.map((p) => [random.normal() * Math.sqrt(p / 2), random.normal() * Math.sqrt(p / 2)] as const);
  return Float64Array.from({ length: CARRIERS * subbands }, (_, k) => {
    let [re, im] = [0, 0];
    taps.forEach(([a, b], i) => {
      const angle = -2 * Math.PI * k * SUBCARRIER_SPACING_HZ * delaysNs[i] * 1e-9;
      re += a * Math.cos(angle) - b * Math.sin(angle);
      im += a * Math.sin(angle) + b * Math.cos(angle);
    });
    return (re * re + im * im) * 10 ** (snrDb / 10);
  });
}

interface Trial {
  readonly snr: Float64Array;
  readonly re: number;
  readonly m: Mapping;
  readonly random: RandomStream;
  readonly point: Point;
}

/** STOI of one transmission with a report of the true channel. */
async function heard(speech: Speech, plan: SpeechPlan, { snr, re, m, random, point }: Trial): Promise<number> {
  const { subbands } = point;
  const nSlots = Math.max(1, Math.ceil(re / (subbands * 154)));
  const shape = {
    nSubbands: subbands,
    nSlots,
    rePerRb: new Uint16Array(subbands * nSlots).fill(Math.round(re / (subbands * nSlots))),
  };
  const reported = Array.from({ length: subbands }, (_, s) => {
    let bits = 0;
    for (let k = 0; k < CARRIERS; k++) bits += Math.log2(1 + snr[CARRIERS * s + k]) / CARRIERS;
    return 10 * Math.log10(2 ** bits - 1);
  });
  const csi = encodeCsiReport(reported);
  const { streams, ranking } = plan;
  const scores = Uint8Array.from(streams, (s) => s.score);
  const { map, matched } = allocate({ shape, csi, scores, ranking, minRe: streams.map((s) => s.minSize), mapping: m });
  const channels = mapChannels(matched, shape, csi);
  const grants = Array.from(map.sfvOrder, (id, i) => ({ id, size: map.reCounts[i], snrDb: channels[i].snrDb }));
  const { sideInfo, streams: sent } = await plan.encode(grants);
  const place = placeSymbols(map, shape);
  const noise = random.fork('noise');
  const received = sent.map((s, i): ReceivedStream => {
    const gain = (q: number) => {
      const at = place.start[i] + q;
      return snr[CARRIERS * (place.rb[at] % subbands) + (place.re[at] % CARRIERS)];
    };
    return through(s as Extract<EncodedStream, { kind: 'analog' }>, gain, noise);
  });
  const { speech: out } = await new SpeechCodec().decode({ sideInfo, streams: received });
  return stoi(speech.samples, out?.samples ?? new Float32Array(speech.samples.length), SPEECH_RATE_HZ) ?? 0;
}

/** Noise, and the weight of the MMSE equaliser. */
function through(
  { id, symbolsReIm }: Extract<EncodedStream, { kind: 'analog' }>,
  gain: (symbol: number) => number,
  noise: RandomStream,
): ReceivedStream {
  const snrDb = new Float32Array(symbolsReIm.length / 2);
  const out = symbolsReIm.map((v, p) => {
    const g = gain(p >> 1);
    snrDb[p >> 1] = 10 * Math.log10(Math.max(1e-9, g));
    return ((v + noise.normal() * Math.sqrt(0.5 / g)) * g) / (1 + g);
  });
  return { id, kind: 'analog', symbolsReIm: out, snrDb };
}

export const IDEAL_HEAD =
  '| true channel | matched | uniform | worst | matched - uniform | matched - worst | trials |\n|---|---|---|---|---|---|---|';

export function idealLine({ channel, subbands, snrDb, ...row }: IdealRow): string {
  const own = MAPPINGS.map((m) => text(row.stoi[m])).join(' | ');
  const gains = `${text(row.matchedLessUniform)} | ${text(row.matchedLessWorst)}`;
  return `| ${channel.toUpperCase()}, ${subbands} subbands, ${snrDb} dB | ${own} | ${gains} | ${row.trials} |`;
}
