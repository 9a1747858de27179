/** What is measured of a received picture or of a transmission; words of the rows, in their order. */
export const MEASURES = {
  psnrDb: { title: 'PSNR', unit: 'dB' },
  roiPsnrDb: { title: 'ROI-PSNR', unit: 'dB' },
  msSsimDb: { title: 'MS-SSIM', unit: 'dB' },
  butteraugli: { title: 'Butteraugli 3-norm', unit: '' },
  correctionGainDb: { title: 'gain of correction where damaged', unit: 'dB' },
  damagedShare: { title: 'cells damaged', unit: 'share' },
  damagedLowShare: { title: 'of the damage, in the less important half', unit: 'share' },
  payloadGapShare: { title: 'largest gap between payload and allocation of an SFV', unit: 'share' },
  sideInfoBytes: { title: 'side information', unit: 'bytes' },
  labelMapBytes: { title: 'label map', unit: 'bytes' },
  transmissions: { title: 'transmissions', unit: '' },
  symbols: { title: 'symbols', unit: '' },
  reached: { title: 'reached the aim', unit: 'share' },
  milliseconds: { title: 'time', unit: 'ms' },
  cpuMilliseconds: { title: 'CPU time', unit: 'ms' },
  cbr: { title: 'CBR used', unit: '' },
  outage: { title: 'outage', unit: 'share' },
} as const;
export type Measure = keyof typeof MEASURES;
export const MEASURE_NAMES = Object.keys(MEASURES) as Measure[];

/** One picture sent once under one seed. Trials of two series with the same picture and seed are a pair. */
export interface Trial {
  readonly picture: string;
  readonly seed: number;
  readonly values: Readonly<Partial<Record<Measure, number>>>;
}

export type Conditions = Readonly<Record<string, string | number>>;

/** The trials of one scheme under one condition. */
export interface Series {
  readonly scheme: string;
  readonly conditions: Conditions;
  /** What was chosen and found on the way (the MCS of a ladder, the judge's folder). */
  readonly facts: Conditions;
  readonly trials: readonly Trial[];
}

/** A name from words and numbers for files and ids: lower case letters, digits and `-`. */
export function slug(...words: readonly (string | number)[]): string {
  return words
    .join('-')
    .toLowerCase()
    .replace(/^-|(?<=-)-(?=\d)/g, 'm')
    .replace(/\//g, 'of')
    .replace(/\./g, 'p')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/-+$/, '');
}

/** CBR as people write it: 1/24 rather than 0.04167. */
export function cbrText(cbr: number): string {
  const inverse = 1 / cbr;
  return Math.abs(inverse - Math.round(inverse)) < 1e-6 ? `1/${Math.round(inverse)}` : cbr.toPrecision(3);
}
