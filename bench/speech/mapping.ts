import type { LinkInput } from '../../src/experiment/config/link-config.ts';
import type { Mapping } from '../../src/sct/allocation/allocate.ts';
import type { Speech } from '../../src/sct/speech/speech.ts';
import { difference, type Heard, heardOf, interval, outages, type Shown, stois, text } from './measure.ts';
import { secondsOf } from './sources.ts';

/** The same symbols on the same channel, placed by importance, all over the band, and the other way round. */
export interface MappingRow {
  readonly channel: string;
  readonly dopplerHz: number;
  readonly subbands: number;
  readonly snrDb: number;
  readonly trials: number;
  readonly stoi: Readonly<Record<'matched' | 'uniform' | 'worst', Shown>>;
  readonly matchedLessUniform: Shown;
  readonly matchedLessWorst: Shown;
  readonly outages: readonly number[]; // matched, uniform, worst
}

export interface MappingSettings {
  /** One source, long enough for a slot of 50 subbands. */
  readonly speech: Speech;
  readonly seeds: number;
  readonly perSecond: number;
  readonly maxSfvs: number;
}

type Point = Required<Pick<LinkInput, 'channel' | 'dopplerHz'>> & {
  readonly numerology: number;
  readonly snrDb: number;
};

const POINTS: readonly Point[] = [
  { channel: 'eva', dopplerHz: 5, numerology: 6, snrDb: 5 },
  { channel: 'eva', dopplerHz: 5, numerology: 15, snrDb: 5 },
  { channel: 'eva', dopplerHz: 5, numerology: 50, snrDb: 5 },
  { channel: 'eva', dopplerHz: 5, numerology: 50, snrDb: 0 },
  { channel: 'etu', dopplerHz: 5, numerology: 50, snrDb: 0 },
  // The report is 20 ms old: this channel has forgotten it.
  { channel: 'eva', dopplerHz: 70, numerology: 50, snrDb: 0 },
];
const MAPPINGS = ['matched', 'uniform', 'worst'] as const satisfies readonly Mapping[];

export async function* mappingRows(settings: MappingSettings): AsyncGenerator<MappingRow> {
  const { speech, seeds, perSecond, maxSfvs } = settings;
  const symbols = perSecond * secondsOf(speech);
  for (const point of POINTS) {
    const of = async (mapping: Mapping) => {
      const heard: Heard[] = [];
      for (let seed = 1; seed <= seeds; seed++) {
        heard.push(await heardOf({ ...point, mapping, seed }, { speech, symbols, maxSfvs }));
      }
      return heard;
    };
    const [matched, uniform, worst] = [await of('matched'), await of('uniform'), await of('worst')];
    const { channel, dopplerHz, numerology: subbands, snrDb } = point;
    yield {
      channel,
      dopplerHz,
      subbands,
      snrDb,
      trials: seeds,
      stoi: {
        matched: interval(stois(matched)),
        uniform: interval(stois(uniform)),
        worst: interval(stois(worst)),
      },
      matchedLessUniform: difference(stois(matched), stois(uniform)),
      matchedLessWorst: difference(stois(matched), stois(worst)),
      outages: [matched, uniform, worst].map(outages),
    };
  }
}

export const MAPPING_HEAD = `| channel | ${MAPPINGS.join(' | ')} | matched - uniform | matched - worst | outages |\n|---|---|---|---|---|---|---|`;

export function mappingLine(row: MappingRow): string {
  const { channel, dopplerHz, subbands, snrDb, trials, stoi } = row;
  const where = `${channel.toUpperCase()} ${dopplerHz} Hz, ${subbands} subbands, ${snrDb} dB`;
  const own = MAPPINGS.map((m) => text(stoi[m])).join(' | ');
  const lost = `${row.outages.join(', ')} of ${trials}`;
  return `| ${where} | ${own} | ${text(row.matchedLessUniform)} | ${text(row.matchedLessWorst)} | ${lost} |`;
}
