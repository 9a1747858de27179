import { RandomStream } from '../../../common/random.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import { msSsim, msSsimDb } from '../../../sct/quality/ms-ssim.ts';
import { psnrDb } from '../../../sct/quality/psnr.ts';
import type { FeatureMap } from '../../../sct/semantics/feature-map.ts';
import type { SemanticModels } from '../../../sct/semantics/models.ts';
import { mean, percentile } from '../../metrics/stats.ts';
import { overAwgn } from './models-awgn.ts';
import { kodakPictures, type TestPicture } from './models-data.ts';
import {
  ANCHOR_CBR,
  FLOORS_DB,
  KODAK_CBR,
  KODAK_SNR_DB,
  LIVE_GAP_DB,
  PUBLISHED_OVER_SNR,
  TARGETS_DB,
} from './models-published.ts';
import { atLeast, atMost, type ModelRow, rounded, shown } from './models-row.ts';

/** One line of the Kodak table: a set at a rate over the SNRs. */
export interface KodakCurve {
  readonly set: string;
  readonly cbr: number;
  readonly snrDb: readonly number[];
  /** Mean over the pictures of the PSNR of 8-bit pictures; 10th percentile; mean MS-SSIM and -10 log10(1 - mean). */
  readonly psnrDb: readonly (number | null)[];
  readonly p10PsnrDb: readonly (number | null)[];
  readonly msSsim: readonly (number | null)[];
  readonly msSsimDb: readonly (number | null)[];
  /** Of any picture at any SNR: never above `cbr`. */
  readonly largestCbr: number | null;
  readonly meanSideBytes: number | null;
  readonly meanSideSymbols: number | null;
  /** Es/N0 of the simulated symbols of all pictures together, less what was asked, dB. */
  readonly esN0ErrorDb: readonly (number | null)[];
  readonly pictures: number;
}

export interface KodakReport {
  readonly curves: readonly KodakCurve[];
  /** Mean PSNR of `base` at CBR 1/16 in steps of 1 dB, fewer pictures. */
  readonly sweep: { readonly snrDb: readonly number[]; readonly psnrDb: readonly (number | null)[] } | null;
}

interface Cell {
  readonly psnrDb: number;
  readonly msSsim: number | null;
}

/** Figures of one picture: [rate][SNR]. */
interface PictureFigures {
  readonly cells: Cell[][];
}

const SWEEP_DB = Array.from({ length: 23 }, (_, i) => 20 - i);

/** Kodak over AWGN for every set: PSNR and MS-SSIM over SNR and rate, monotony, cliff; all side information counted. */
export async function measureKodak(
  sets: ReadonlyMap<string, SemanticModels>,
  dir: string,
  options: { readonly quick: boolean; readonly progress: (what: string) => void },
): Promise<{ report: KodakReport; rows: ModelRow[] }> {
  const pictures = await kodakPictures(dir, options.quick ? 12 : 1);
  const curves: KodakCurve[] = [];
  const rows: ModelRow[] = [];
  let sweep: KodakReport['sweep'] = null;
  for (const [name, models] of sets) {
    const tally = new Tally();
    const features: FeatureMap[] = [];
    for (const [i, picture] of pictures.entries()) {
      options.progress(`kodak ${name}: picture ${i + 1} of ${pictures.length}`);
      const y = await models.analyse(picture.image);
      features.push(y);
      await measurePicture(models, name, picture, y, tally);
    }
    const own = KODAK_CBR.map((cbr, r) => tally.curve(name, cbr, r));
    curves.push(...own);
    rows.push(...curveRows(name, own, tally));
    if (name === 'base') {
      const every = options.quick ? 1 : 3;
      const few = pictures.flatMap((p, i) => (i % every === 0 ? [{ ...p, y: features[i] }] : []));
      const found = await measureSweep(models, few, options.progress);
      sweep = found.sweep;
      rows.push(...found.rows);
    }
  }
  rows.push(...gapRows(curves));
  return { report: { curves, sweep }, rows };
}

/** Sums over the pictures of a set, by rate and SNR. */
class Tally {
  readonly pictures: PictureFigures[] = [];
  private readonly signal = new Float64Array(KODAK_CBR.length * KODAK_SNR_DB.length);
  private readonly noise = new Float64Array(this.signal.length);
  private readonly side: { bytes: number; symbols: number; cbr: number }[][] = KODAK_CBR.map(() => []);

  stream(rate: number, snr: number, signalEnergy: number, noiseEnergy: number): void {
    this.signal[rate * KODAK_SNR_DB.length + snr] += signalEnergy;
    this.noise[rate * KODAK_SNR_DB.length + snr] += noiseEnergy;
  }

  counted(rate: number, bytes: number, symbols: number, cbr: number): void {
    this.side[rate].push({ bytes, symbols, cbr });
  }

  curve(set: string, cbr: number, rate: number): KodakCurve {
    const at = (snr: number) => this.pictures.map((p) => p.cells[rate][snr]);
    const list = (f: (snr: number) => number | null) => KODAK_SNR_DB.map((_, s) => rounded(f(s)));
    const similarity = (snr: number) => {
      const known = at(snr).flatMap((c) => (c.msSsim === null ? [] : [c.msSsim]));
      return known.length === 0 ? null : mean(known);
    };
    return {
      set,
      cbr,
      snrDb: KODAK_SNR_DB,
      psnrDb: list((s) => mean(at(s).map((c) => c.psnrDb))),
      p10PsnrDb: list((s) =>
        percentile(
          at(s).map((c) => c.psnrDb),
          10,
        ),
      ),
      msSsim: list(similarity),
      msSsimDb: list((s) => {
        const value = similarity(s);
        return value === null ? null : msSsimDb(value);
      }),
      largestCbr: rounded(Math.max(...this.side[rate].map((s) => s.cbr))),
      meanSideBytes: rounded(mean(this.side[rate].map((s) => s.bytes))),
      meanSideSymbols: rounded(mean(this.side[rate].map((s) => s.symbols))),
      esN0ErrorDb: list((s) => {
        const i = rate * KODAK_SNR_DB.length + s;
        return 10 * Math.log10(this.signal[i] / this.noise[i]) - KODAK_SNR_DB[s];
      }),
      pictures: this.pictures.length,
    };
  }

  overBudget(): number {
    return this.side.reduce((sum, list, r) => sum + list.filter((s) => s.cbr > KODAK_CBR[r]).length, 0);
  }

  /** Pictures and steps at which PSNR does not rise with SNR, or with rate. */
  falls(): { snr: number; rate: number } {
    let snr = 0;
    let rate = 0;
    for (const { cells } of this.pictures) {
      for (let r = 0; r < cells.length; r++) {
        for (let s = 0; s < cells[r].length; s++) {
          if (s > 0 && cells[r][s].psnrDb <= cells[r][s - 1].psnrDb) snr++;
          if (r > 0 && cells[r][s].psnrDb <= cells[r - 1][s].psnrDb) rate++;
        }
      }
    }
    return { snr, rate };
  }
}

/** All rates and SNRs of one picture, the same noise at each. MS-SSIM is computed while the next picture is in the networks. */
async function measurePicture(
  models: SemanticModels,
  set: string,
  { name, image }: TestPicture,
  y: FeatureMap,
  tally: Tally,
): Promise<void> {
  const cells: Cell[][] = KODAK_CBR.map(() => []);
  let waiting: { rate: number; received: RgbImage } | null = null;
  const finish = () => {
    if (waiting) {
      cells[waiting.rate].push({ psnrDb: psnrDb(image, waiting.received), msSsim: msSsim(image, waiting.received) });
    }
    waiting = null;
  };
  for (const [r, cbr] of KODAK_CBR.entries()) {
    for (const [s, snrDb] of KODAK_SNR_DB.entries()) {
      const random = new RandomStream('bench-models').fork(`kodak/${set}/${name}/${r}`);
      const running = overAwgn(models, y, cbr, snrDb, random);
      await new Promise((resolve) => setImmediate(resolve)); // lets the network start
      finish();
      const { image: received, coded, stream } = await running;
      tally.stream(r, s, stream.signalEnergy, stream.noiseEnergy);
      tally.counted(r, coded.sideBytes, coded.sideSymbols, coded.cbr);
      waiting = { rate: r, received };
    }
  }
  finish();
  tally.pictures.push({ cells });
}

async function measureSweep(
  models: SemanticModels,
  pictures: readonly (TestPicture & { readonly y: FeatureMap })[],
  progress: (what: string) => void,
): Promise<{ sweep: NonNullable<KodakReport['sweep']>; rows: ModelRow[] }> {
  let steepest = 0;
  let falls = 0;
  const sums = new Float64Array(SWEEP_DB.length);
  for (const [i, { name, image, y }] of pictures.entries()) {
    progress(`kodak base: 20 to -2 dB, picture ${i + 1} of ${pictures.length}`);
    let before = Number.NaN;
    for (const [s, snrDb] of SWEEP_DB.entries()) {
      const random = new RandomStream('bench-models').fork(`sweep/${name}`);
      const psnr = psnrDb(image, (await overAwgn(models, y, ANCHOR_CBR, snrDb, random)).image);
      sums[s] += psnr / pictures.length;
      if (before - psnr > steepest) steepest = before - psnr;
      if (psnr >= before) falls++;
      before = psnr;
    }
  }
  const common = { part: 'kodak' as const };
  return {
    sweep: { snrDb: SWEEP_DB, psnrDb: Array.from(sums, rounded) },
    rows: [
      atMost('limit', 1, {
        ...common,
        what: `base, CBR 1/16, 20 to -2 dB, ${pictures.length} pictures: largest fall of a picture's PSNR a dB`,
        unit: 'dB',
        value: steepest,
      }),
      atMost('limit', 0, {
        ...common,
        what: 'base, CBR 1/16, 20 to -2 dB in steps of 1 dB: steps at which a picture got better with less SNR',
        value: falls,
      }),
    ],
  };
}

function curveRows(name: string, curves: readonly KodakCurve[], tally: Tally): ModelRow[] {
  const part = 'kodak' as const;
  const rows: ModelRow[] = [];
  const anchor = curves.find((c) => c.cbr === ANCHOR_CBR);
  const deepJscc = PUBLISHED_OVER_SNR.find((c) => c.name === 'Deep JSCC');
  if (name === 'base' && anchor && deepJscc) {
    KODAK_SNR_DB.forEach((snr, s) => {
      const what = `base, CBR 1/16, ${snr} dB: mean PSNR`;
      const input = { part, what, unit: 'dB', value: anchor.psnrDb[s], wholeSet: true };
      rows.push(atLeast('limit', FLOORS_DB[s], input), atLeast('target', TARGETS_DB[s], input));
      rows.push(
        atLeast('target', deepJscc.psnrDb[s], { ...input, what: `${input.what}, against published Deep JSCC` }),
      );
    });
  }
  const worst = Math.max(...curves.flatMap((c) => c.esN0ErrorDb.map((v) => Math.abs(v ?? Number.NaN))));
  const { snr, rate } = tally.falls();
  rows.push(
    atMost('limit', 0.05, {
      part,
      what: `${name}: Es/N0 of the simulated symbols off by at most`,
      unit: 'dB',
      value: worst,
    }),
    atMost('limit', 0, { part, what: `${name}: pictures over their budget`, value: tally.overBudget() }),
    atMost('limit', 0, { part, what: `${name}: steps of SNR at which a picture did not get better`, value: snr }),
    atMost('limit', 0, { part, what: `${name}: steps of rate at which a picture did not get better`, value: rate }),
  );
  if (name === 'base') {
    const side = Math.max(...curves.map((c) => c.meanSideBytes ?? 0));
    rows.push(
      atMost('limit', 350, { part, what: 'base: side information of a picture, mean', unit: 'bytes', value: side }),
    );
  }
  return rows;
}

/** live against base, at every rate and SNR. */
function gapRows(curves: readonly KodakCurve[]): ModelRow[] {
  const gaps: number[] = [];
  for (const live of curves.filter((c) => c.set === 'live')) {
    const base = curves.find((c) => c.set === 'base' && c.cbr === live.cbr);
    if (!base) continue;
    live.psnrDb.forEach((v, s) => {
      const b = base.psnrDb[s];
      if (v !== null && b !== null) gaps.push(b - v);
    });
  }
  if (gaps.length === 0) return [];
  const anchorGap = (() => {
    const [base, live] = ['base', 'live'].map((set) => curves.find((c) => c.set === set && c.cbr === ANCHOR_CBR));
    if (!base || !live) return null;
    return Math.max(...base.psnrDb.map((v, s) => (v ?? 0) - (live.psnrDb[s] ?? 0)));
  })();
  return [
    atMost('limit', LIVE_GAP_DB, {
      part: 'kodak',
      what: 'live under base at CBR 1/16, worst SNR',
      wholeSet: true,
      unit: 'dB',
      value: anchorGap,
    }),
    shown({ part: 'kodak', what: 'live under base, worst rate and SNR', unit: 'dB', value: Math.max(...gaps) }),
  ];
}
