import { resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { mean } from '../../src/experiment/metrics/stats.ts';
import { runSpeech } from '../../src/experiment/speech/speech-run.ts';
import {
  chooseShare,
  differentCoefficients,
  expectedDistortion,
  rankCoefficients,
} from '../../src/sct/speech/linear-code.ts';
import { mdct } from '../../src/sct/speech/mdct.ts';
import type { Speech } from '../../src/sct/speech/speech.ts';
import { SpeechCodec } from '../../src/sct/speech/speech-codec.ts';
import { levelsOf, spansOf } from '../../src/sct/speech/speech-model.ts';
import { rounded } from './measure.ts';
import { secondsOf } from './sources.ts';

/** Weighed squared error over that of silence, dB: what the closed form says of the linear code, what came over the link, what separate coding could do. */
export interface LimitsRow {
  readonly snrDb: number;
  readonly trials: number;
  readonly linearDb: number;
  readonly receivedDb: number;
  /** Reverse water-filling of the same variances at the capacity of the same symbols. */
  readonly separateDb: number;
}

const SNRS_DB = [0, 5, 10];

/** Each file once on AWGN over 6 subbands. */
export async function* limitsRows({
  sources,
  perSecond,
}: {
  sources: readonly Speech[];
  perSecond: number;
}): AsyncGenerator<LimitsRow> {
  for (const snrDb of SNRS_DB) {
    const found: Figures[] = [];
    for (const speech of sources) found.push(await figuresOf(speech, snrDb, perSecond * secondsOf(speech)));
    const of = (key: keyof Figures) => rounded(mean(found.map((f) => f[key])));
    const [linearDb, receivedDb, separateDb] = [of('linearDb'), of('receivedDb'), of('separateDb')];
    yield { snrDb, trials: found.length, linearDb, receivedDb, separateDb };
  }
}

type Figures = Pick<LimitsRow, 'linearDb' | 'receivedDb' | 'separateDb'>;

async function figuresOf(speech: Speech, snrDb: number, symbols: number): Promise<Figures> {
  const { metrics, received } = await runSpeech(resolveLinkConfig({ numerology: 6, harq: 0, snrDb }), {
    speech,
    symbols,
  });
  const { analysis } = await new SpeechCodec().analyse(speech, { maxSfvs: metrics.sfvs.length });
  const levels = levelsOf(analysis.model);
  const spans = spansOf(analysis.model);
  const came = mdct(received!.samples);
  const snr = 10 ** (snrDb / 10);
  const parts: number[] = [];
  let [linear, error, sent] = [0, 0, 0];
  for (const sfv of metrics.sfvs) {
    const ranked = rankCoefficients(spans[sfv.id], levels);
    const own = ranked.weight.map((w, r) => w * ranked.variance[r]);
    parts.push(...own);
    ranked.address.forEach((at, r) => {
      error += ranked.weight[r] * (came[at] - analysis.coefficients[at]) ** 2;
    });
    const places = 2 * sfv.symbols;
    sent += sfv.symbols;
    if (places === 0) {
      linear += own.reduce((a, b) => a + b, 0);
      continue;
    }
    const different = differentCoefficients(chooseShare(ranked, places, snr), places, own.length);
    linear += expectedDistortion(ranked, different, places, snr);
  }
  const silence = parts.reduce((a, b) => a + b, 0);
  const db = (distortion: number) => 10 * Math.log10(distortion / silence);
  return {
    linearDb: db(linear),
    receivedDb: db(error),
    separateDb: db(waterFilled(parts, sent * Math.log2(1 + snr))),
  };
}

/** Distortion of Gaussian components at so many bits in all: the sum of min(part, level). */
function waterFilled(parts: readonly number[], bits: number): number {
  let [low, high] = [0, parts.reduce((a, b) => Math.max(a, b), 0)];
  for (let i = 0; i < 80; i++) {
    const level = (low + high) / 2;
    const needed = parts.reduce((sum, v) => sum + (v > level ? Math.log2(v / level) / 2 : 0), 0);
    if (needed > bits) low = level;
    else high = level;
  }
  return parts.reduce((sum, v) => sum + Math.min(v, high), 0);
}

export const LIMITS_HEAD =
  '| AWGN, dB | linear code, closed form | as it came over the link | separate coding, limit |\n|---|---|---|---|';

export function limitsLine({ snrDb, linearDb, receivedDb, separateDb }: LimitsRow): string {
  return `| ${snrDb} | ${[linearDb, receivedDb, separateDb].map((v) => v.toFixed(2)).join(' | ')} |`;
}
