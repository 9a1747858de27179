import type { Mapping } from '../../src/sct/allocation/allocate.ts';
import type { RgbImage } from '../../src/sct/image/rgb-image.ts';
import type { Speech } from '../../src/sct/speech/speech.ts';
import {
  difference,
  type Heard,
  heardOf,
  interval,
  meanOf,
  outages,
  rounded,
  type Shown,
  stois,
  text,
} from './measure.ts';

/** Photo and speech in one budget, at one priority of speech. */
export interface MixedRow {
  readonly channel: string;
  readonly snrDb: number;
  readonly priority: number;
  readonly mapping: Mapping;
  readonly trials: number;
  readonly stoi: Shown;
  readonly psnrDb: Shown;
  /** Mean of all symbols counted, of those of speech, and the mean SNR by the report that either travels at, dB. */
  readonly symbols: number;
  readonly speechSymbols: number;
  readonly speechSnrDb: number;
  readonly pictureSnrDb: number;
  readonly outages: number;
  /** What the mapping is worth on the same seeds; absent in the rows that it is compared with. */
  readonly lessUniform?: { readonly stoi: Shown; readonly psnrDb: Shown };
}

export interface MixedSettings {
  readonly sources: readonly Speech[];
  /** Each with the source of its number, beginning again where there are fewer. */
  readonly photos: readonly RgbImage[];
  readonly seeds: number;
  readonly symbols: number;
}

const CHANNEL = { channel: 'eva', dopplerHz: 5, snrDb: 8, numerology: 25 } as const;
const PRIORITIES = [1 / 16, 1 / 4, 1, 4, 16];
/** At these the mapping is taken away as well. */
const COMPARED = [1 / 4, 1, 4];

export async function* mixedRows(settings: MixedSettings): AsyncGenerator<MixedRow> {
  for (const priority of PRIORITIES) {
    const matched = await trials(settings, priority, 'matched');
    if (!COMPARED.includes(priority)) {
      yield rowOf(priority, 'matched', matched);
      continue;
    }
    const uniform = await trials(settings, priority, 'uniform');
    yield {
      ...rowOf(priority, 'matched', matched),
      lessUniform: {
        stoi: difference(stois(matched), stois(uniform)),
        psnrDb: difference(psnrs(matched), psnrs(uniform)),
      },
    };
    yield rowOf(priority, 'uniform', uniform);
  }
}

async function trials(settings: MixedSettings, priority: number, mapping: Mapping): Promise<Heard[]> {
  const { sources, photos, seeds, symbols } = settings;
  const heard: Heard[] = [];
  for (const [i, image] of photos.entries()) {
    const speech = sources[i % sources.length];
    for (let seed = 1; seed <= seeds; seed++) {
      const words = { ...CHANNEL, seed, mapping };
      heard.push(await heardOf(words, { speech, image, priority, symbols }));
    }
  }
  return heard;
}

const psnrs = (heard: readonly Heard[]) => heard.map((h) => h.psnrDb ?? 0);

function rowOf(priority: number, mapping: Mapping, heard: readonly Heard[]): MixedRow {
  const figure = (key: keyof Heard) => rounded(meanOf(heard, key) ?? 0);
  return {
    channel: CHANNEL.channel,
    snrDb: CHANNEL.snrDb,
    priority,
    mapping,
    trials: heard.length,
    stoi: interval(stois(heard)),
    psnrDb: interval(psnrs(heard)),
    symbols: figure('symbols'),
    speechSymbols: figure('speechSymbols'),
    speechSnrDb: figure('speechSnrDb'),
    pictureSnrDb: figure('pictureSnrDb'),
    outages: outages(heard),
  };
}

export const MIXED_HEAD =
  '| priority | mapping | symbols of speech, of all | SNR by the report: speech, photo, dB | STOI | PSNR of the photo, dB | outages |\n|---|---|---|---|---|---|---|';

export function mixedLine(row: MixedRow): string {
  const { priority, mapping, trials: count, stoi, psnrDb, speechSnrDb, pictureSnrDb, lessUniform } = row;
  const symbols = `${Math.round(row.speechSymbols)} of ${Math.round(row.symbols)}`;
  // Whatever the mapping, symbols are made for the matched places: elsewhere that is not what they travel at.
  const snrs = mapping === 'matched' ? `${speechSnrDb.toFixed(1)}, ${pictureSnrDb.toFixed(1)}` : '';
  const gain = lessUniform ? ` (- uniform: ${text(lessUniform.stoi)}; ${text(lessUniform.psnrDb, 2)} dB)` : '';
  const shown = priority < 1 ? `1/${1 / priority}` : `${priority}`;
  return `| ${shown} | ${mapping}${gain} | ${symbols} | ${snrs} | ${text(stoi)} | ${text(psnrDb, 2)} | ${row.outages} of ${count} |`;
}
