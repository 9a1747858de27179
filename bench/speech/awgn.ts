import type { Speech } from '../../src/sct/speech/speech.ts';
import type { SpeechKind } from '../../src/sct/speech/speech-side.ts';
import { type Heard, heardOf, interval, meanOf, outages, rounded, type Shown, stois, text } from './measure.ts';
import { secondsOf } from './sources.ts';

/** Analog symbols and the coded reference at one SNR. */
export interface AwgnRow {
  readonly channel: string;
  readonly snrDb: number;
  readonly trials: number;
  readonly analog: KindFigures;
  readonly coded: KindFigures;
}

interface KindFigures {
  readonly stoi: Shown;
  readonly segmentalSnrDb: number;
  readonly outages: number;
}

export interface AwgnSettings {
  readonly sources: readonly Speech[];
  readonly seeds: number;
  readonly perSecond: number;
}

const POINTS = [
  ...[-3, 0, 3, 6, 10].map((snrDb) => ({ channel: 'awgn', snrDb })),
  { channel: 'eva', dopplerHz: 5, snrDb: 5 },
] as const;

/** Each file with each seed over 6 subbands. */
export async function* awgnRows({ sources, seeds, perSecond }: AwgnSettings): AsyncGenerator<AwgnRow> {
  for (const words of POINTS) {
    const of = async (kind: SpeechKind) => {
      const heard: Heard[] = [];
      for (const speech of sources) {
        for (let seed = 1; seed <= seeds; seed++) {
          const symbols = perSecond * secondsOf(speech);
          heard.push(await heardOf({ numerology: 6, seed, ...words }, { speech, kind, symbols }));
        }
      }
      return {
        stoi: interval(stois(heard)),
        segmentalSnrDb: rounded(meanOf(heard, 'segmentalSnrDb') ?? 0),
        outages: outages(heard),
      };
    };
    const { channel, snrDb } = words;
    const [analog, coded] = [await of('analog'), await of('coded')];
    yield { channel, snrDb, trials: sources.length * seeds, analog, coded };
  }
}

export const AWGN_HEAD =
  '| channel | analog: STOI | segmental SNR, dB | coded: STOI | segmental SNR, dB | outages: analog, coded |\n|---|---|---|---|---|---|';

export function awgnLine({ channel, snrDb, trials, analog, coded }: AwgnRow): string {
  const own = (f: KindFigures) => `${text(f.stoi)} | ${f.segmentalSnrDb.toFixed(1)}`;
  const lost = `${analog.outages}, ${coded.outages} of ${trials}`;
  return `| ${channel.toUpperCase()} ${snrDb} dB | ${own(analog)} | ${own(coded)} | ${lost} |`;
}
