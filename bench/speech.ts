/**
 * Speech over the link: STOI and segmental SNR by SNR, of analog symbols and of the coded reference, and what the mapping is worth.
 *
 *     node --import tsx bench/speech.ts --data DIR [--seeds N] [--part awgn,eva] [--per-second SYMBOLS]
 *
 * DIR has WAV files; each is taken with every seed. Pairs: the same file and seed. Intervals: Student-t, 95 %.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../src/common/errors.ts';
import { resolveLinkConfig } from '../src/experiment/link-config.ts';
import { runSpeech, type SpeechMetrics } from '../src/experiment/speech/speech-run.ts';
import { type Estimate, mean, meanInterval, pairedDifference } from '../src/experiment/stats.ts';
import { resample } from '../src/sct/speech/resample.ts';
import { readWav, SPEECH_RATE_HZ, type Speech, speechOf } from '../src/sct/speech/speech.ts';
import type { SpeechKind } from '../src/sct/speech/speech-side.ts';
import { benchWords, numberIn, refuse } from './words.ts';

const file = import.meta.filename;
const { values } = benchWords(file, {
  options: {
    data: { type: 'string' },
    seeds: { type: 'string', default: '8' },
    part: { type: 'string', default: 'awgn,eva' },
    'per-second': { type: 'string', default: '5000' },
  },
});
if (values.data === undefined) refuse(file, '--data DIR is missing: a folder of WAV files');
const folder = values.data;
const seeds = numberIn(file, '--seeds', values.seeds, 1);
const perSecond = numberIn(file, '--per-second', values['per-second'], 1);
const parts = values.part.split(',');
const unknown = parts.find((part) => !['awgn', 'eva'].includes(part));
if (unknown !== undefined) refuse(file, `--part: "${unknown}" is not awgn or eva`);

const sources = readdirSync(folder)
  .filter((name) => name.toLowerCase().endsWith('.wav'))
  .sort()
  .map((name): Speech => {
    const wav = readWav(readFileSync(join(folder, name)));
    return speechOf(resample(wav.samples, wav.rateHz, SPEECH_RATE_HZ));
  });
const seconds = sources.reduce((sum, s) => sum + s.samples.length, 0) / SPEECH_RATE_HZ;
console.log(`${sources.length} files, ${seconds.toFixed(1)} s, ${seeds} seeds each, ${perSecond} symbols a second\n`);

type Heard = Pick<SpeechMetrics, 'stoi' | 'segmentalSnrDb' | 'outage'>;

async function measure(kind: SpeechKind, words: object): Promise<Heard[]> {
  const out: Heard[] = [];
  for (const speech of sources) {
    const symbols = (perSecond * speech.samples.length) / SPEECH_RATE_HZ;
    for (let seed = 1; seed <= seeds; seed++) {
      const config = resolveLinkConfig({ numerology: 6, harq: 0, seed, ...words });
      try {
        out.push((await runSpeech(config, { speech, kind, symbols })).metrics);
      } catch (error) {
        // What does not fit by the report of the day is not sent: silence.
        if (!(error instanceof UsageError)) throw error;
        out.push({ stoi: 0, segmentalSnrDb: 0, outage: 1 });
      }
    }
  }
  return out;
}

/** Mean and half of its 95 % interval. */
function shown({ value, high }: Estimate): string {
  return `${value.toFixed(3)} ± ${(high - value).toFixed(3)}`;
}
const interval = (xs: readonly number[]) => shown(meanInterval(xs));
const stois = (ms: readonly Heard[]) => ms.map((m) => m.stoi ?? 0);

console.log(
  '| AWGN, dB | analog: STOI | segmental SNR, dB | coded: STOI | segmental SNR, dB | outages |\n|---|---|---|---|---|---|',
);
for (const snrDb of parts.includes('awgn') ? [-3, 0, 3, 6, 10] : []) {
  const analog = await measure('analog', { snrDb });
  const coded = await measure('coded', { snrDb });
  const segmental = (ms: readonly Heard[]) => mean(ms.map((m) => m.segmentalSnrDb ?? 0)).toFixed(1);
  const lost = [analog, coded].map((ms) => ms.reduce((sum, m) => sum + m.outage, 0));
  console.log(
    `| ${snrDb} | ${interval(stois(analog))} | ${segmental(analog)} | ${interval(stois(coded))} | ${segmental(coded)} | ${lost.join(', ')} of ${analog.length} |`,
  );
}

console.log(
  '\n| EVA, dB | matched | uniform | worst | matched - uniform | coded | outages of coded |\n|---|---|---|---|---|---|---|',
);
for (const snrDb of parts.includes('eva') ? [5, 10] : []) {
  const words = { snrDb, channel: 'eva', dopplerHz: 5 };
  const [matched, uniform, worst] = [
    await measure('analog', { ...words, mapping: 'matched' }),
    await measure('analog', { ...words, mapping: 'uniform' }),
    await measure('analog', { ...words, mapping: 'worst' }),
  ];
  const coded = await measure('coded', words);
  const lost = coded.reduce((sum, m) => sum + m.outage, 0);
  const columns = [matched, uniform, worst].map((ms) => interval(stois(ms)));
  console.log(
    `| ${snrDb} | ${columns.join(' | ')} | ${shown(pairedDifference(stois(matched), stois(uniform)))} | ${interval(stois(coded))} | ${lost} of ${coded.length} |`,
  );
}
