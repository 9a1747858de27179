import { mean, meanInterval, pairedDifference } from '../../src/experiment/metrics/stats.ts';
import type { ChannelName } from './channels.ts';

export interface Condition {
  readonly subbands: number;
  readonly channel: ChannelName;
  readonly snrDb: number;
  readonly candidate: string;
}

export interface PsnrRow extends Condition {
  readonly pictures: number;
  readonly trials: number;
  /** Mean over the pictures (each the mean over its realisations). */
  readonly psnrDb: number;
  /** PSNR less that of the reference over the same pictures, channels and noise; 95 % over pictures, null for a single one. */
  readonly differenceDb: { readonly value: number; readonly low: number | null; readonly high: number | null };
}

/** Results as they come in; differences are taken at the end. */
export class PsnrTable {
  private readonly cells = new Map<string, { row: Condition; byPicture: Map<number, number[]> }>();

  add(row: Condition, picture: number, psnr: number): void {
    const key = JSON.stringify(row);
    const cell = this.cells.get(key) ?? { row, byPicture: new Map<number, number[]>() };
    const values = cell.byPicture.get(picture) ?? [];
    values.push(psnr);
    cell.byPicture.set(picture, values);
    this.cells.set(key, cell);
  }

  /** @param reference name of the candidate that differences are taken to */
  rows(reference: string): PsnrRow[] {
    const finite = (v: number) => (Number.isFinite(v) ? v : null);
    return [...this.cells.values()].map(({ row, byPicture }) => {
      const base = this.cells.get(JSON.stringify({ ...row, candidate: reference }));
      if (!base) throw new Error(`no reference ${reference} for ${JSON.stringify(row)}`);
      const means = [...byPicture.values()].map((v) => mean(v));
      const others = [...byPicture.keys()].map((p) => mean(base.byPicture.get(p) ?? []));
      const { value, low, high } = pairedDifference(means, others);
      return {
        ...row,
        pictures: means.length,
        trials: [...byPicture.values()].reduce((sum, v) => sum + v.length, 0),
        psnrDb: meanInterval(means).value,
        differenceDb: { value, low: finite(low), high: finite(high) },
      };
    });
  }
}
