/** SNR, dB (mean Es/N0), and channel bandwidth ratios at which the Kodak pictures are measured. */
export const KODAK_SNR_DB = [1, 4, 7, 10, 13] as const;
export const KODAK_CBR = [1 / 48, 1 / 24, 1 / 16, 1 / 12] as const;

/** The ratio the floors, targets and most published rows are for. */
export const ANCHOR_CBR = 1 / 16;

/** Asked of the model set `base` at CBR 1/16 and KODAK_SNR_DB, PSNR in dB. */
export const FLOORS_DB = [26.0, 27.5, 28.9, 30.2, 31.3] as const;
export const TARGETS_DB = [27.0, 28.5, 29.8, 31.0, 32.0] as const;

/** `live` may lie this far under `base`. */
export const LIVE_GAP_DB = 1.5;

/** A published curve; `psnrDb` and `msSsimDb` at the x values in `at`. */
export interface PublishedCurve {
  readonly name: string;
  readonly source: string;
  readonly at: readonly number[];
  readonly psnrDb: readonly number[];
  readonly msSsimDb?: readonly number[];
}

/**
 * Kodak, AWGN, CBR 1/16, over SNR 1, 4, 7, 10, 13 dB. WITT, Deep JSCC and BPG + LDPC are read off the figure of [Yang22]
 * (+-0.05 dB); BPG and VTM + capacity are CompressAI's points [CompressAI] at the bits per pixel that capacity allows.
 */
export const PUBLISHED_OVER_SNR: readonly PublishedCurve[] = [
  {
    name: 'BPG 4:4:4 + capacity',
    source: '[CompressAI]',
    at: KODAK_SNR_DB,
    psnrDb: [29.85, 31.47, 33.17, 34.59, 35.97],
    msSsimDb: [12.2, 13.9, 15.3, 16.8, 18.0],
  },
  {
    name: 'WITT',
    source: '[Yang22]',
    at: KODAK_SNR_DB,
    psnrDb: [29.66, 31.31, 32.63, 33.6, 34.29],
    msSsimDb: [13.49, 15.76, 17.7, 19.32, 20.5],
  },
  {
    name: 'BPG + 5G LDPC, best MCS',
    source: '[Yang22]',
    at: KODAK_SNR_DB,
    psnrDb: [28.6, 29.76, 31.1, 33.3, 35.45],
    msSsimDb: [11.2, 12.3, 13.65, 15.78, 17.7],
  },
  {
    name: 'Deep JSCC',
    source: '[Yang22]',
    at: KODAK_SNR_DB,
    psnrDb: [28.15, 29.49, 30.44, 31.52, 32.08],
    msSsimDb: [11.92, 13.78, 15.46, 16.81, 17.78],
  },
];

/** Kodak, AWGN 10 dB, over CBR 1/48, 1/24, 1/16, 1/12; sources as above. */
export const PUBLISHED_OVER_CBR: readonly PublishedCurve[] = [
  {
    name: 'BPG 4:4:4 + capacity',
    source: '[CompressAI]',
    at: KODAK_CBR,
    psnrDb: [29.78, 32.61, 34.59, 36.27],
  },
  { name: 'WITT', source: '[Yang22]', at: KODAK_CBR, psnrDb: [29.34, 31.9, 33.62, 35.02] },
  { name: 'BPG + 5G LDPC, best MCS', source: '[Yang22]', at: KODAK_CBR, psnrDb: [28.88, 31.46, 33.32, 34.82] },
  { name: 'Deep JSCC', source: '[Yang22]', at: KODAK_CBR, psnrDb: [27.45, 29.97, 31.54, 33.06] },
];

/** Label head on CamVid test, saliency head on ECSSD test. */
export const LABELS_FLOOR_MIOU = 0.4;
export const LABELS_TARGET_MIOU = 0.5;
export const SALIENCY_FLOOR_MAX_F = 0.7;
export const SALIENCY_TARGET_MAX_F = 0.75;
export const SALIENCY_OVER_CENTRE = 0.12;

/** Erasing the most important cells must cost this many times what erasing random ones does. */
export const FAITHFULNESS_RATIO = 2;

/** Time and memory. */
export const BASE_SIDE_MS = 400;
export const LIVE_BOTH_MS = 40;
/** Whole codec of a frame of 256x256, both sides, so that 30 a second leave room for the modem on two cores. */
export const LIVE_CODEC_MS = 30;
export const LOAD_MS = 1000;
export const SET_BYTES = 40e6;
export const KFLOP_PER_PIXEL = { base: 50, live: 9 } as const;

/** Entropy coder against its tables. */
export const ENTROPY_EXCESS = 0.01;
