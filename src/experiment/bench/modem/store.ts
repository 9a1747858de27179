import { codeHash, ResultStore } from '../result-store.ts';
import type { Curve } from './measurement.ts';
import type { BenchRow, ModemPart } from './row.ts';

export { writeAtomically } from '../result-store.ts';

const SCHEMA = 'sct.bench.modem-row/1';
/** Of the program's rooms, what decides the figures. */
const DECIDES = [
  'common',
  'phy',
  'link/transport',
  'link/resource-map',
  'experiment/stats',
  'experiment/distributions',
  'experiment/bench/modem',
  'experiment/bench/modem-genie',
  'experiment/bench/modem-trial',
  'experiment/bench/ldpc-simulation',
] as const;

/** Files of this folder that decide only the figures of these parts. */
const OF_PARTS: Readonly<Partial<Record<ModemPart, string>>> = {
  'false-headers': 'false-headers',
  'no-gap': 'false-headers',
  offsets: 'offsets',
  dc: 'faults',
  faults: 'faults',
  'rb-snr': 'rb-snr',
  jammer: 'rb-snr',
  channels: 'channels',
};
const NOT_COMMON = new RegExp(`/bench/modem/(requirements|store|text|${Object.values(OF_PARTS).join('|')})\\.[jt]s$`);

/** What a finished measurement leaves behind. */
export interface StoredMeasurement {
  readonly cpuSeconds: number;
  readonly rows: readonly BenchRow[];
  readonly curves: readonly Curve[];
}

/** SHA-256 over names and contents of the code that decides the figures of every part, as it runs (dist or src). */
export function sourceHash(): string {
  return codeHash(DECIDES, NOT_COMMON);
}

/** The same over the file that decides only this part's. */
export function partHash(part: ModemPart): string {
  const name = OF_PARTS[part];
  return codeHash(name === undefined ? [] : [`experiment/bench/modem/${name}`]);
}

/** The folder of finished measurements. */
export class MeasurementStore extends ResultStore<StoredMeasurement> {
  constructor(folder: string) {
    super(folder, SCHEMA);
  }
}
