import type { BurstTrace } from './burst-trace.ts';

/** What bursts that are not kept leave behind for the means over a run. */
export class BurstSums {
  /** Bursts in all. */
  count = 0;
  /** Age of the CSI report that the first of them was made by, ms. */
  firstCsiAgeMs: number | null = null;
  /** Of those with slots: how many, sums of their frequency offsets and of the SNR of each subband. */
  private measured = 0;
  private cfoHz = 0;
  private readonly subbandSnrDb: number[] = [];
  private evms = 0;
  private evmDb = 0;

  add({ csiAgeMs, slots, cfoHz, subbandSnrDb, evmDb }: BurstTrace): void {
    if (this.count++ === 0) this.firstCsiAgeMs = csiAgeMs;
    if (evmDb !== null) {
      this.evms++;
      this.evmDb += evmDb;
    }
    if (slots === 0) return;
    this.measured++;
    this.cfoHz += cfoHz;
    subbandSnrDb.forEach((db, s) => {
      this.subbandSnrDb[s] = (this.subbandSnrDb[s] ?? 0) + db;
    });
  }

  /** Means over these and `bursts`, which came after them; null where nothing was measured. */
  meansWith(bursts: readonly BurstTrace[]): {
    readonly rbSnrDb: number[] | null;
    readonly cfoHz: number | null;
    readonly evmDb: number | null;
  } {
    const heard = bursts.filter((b) => b.slots > 0);
    const evm = bursts.flatMap((b) => (b.evmDb === null ? [] : [b.evmDb]));
    const n = this.measured + heard.length;
    const subbands = heard[0]?.subbandSnrDb.length ?? this.subbandSnrDb.length;
    const subband = (_: unknown, s: number) =>
      total(
        this.subbandSnrDb[s] ?? 0,
        heard.map((b) => b.subbandSnrDb[s]),
      ) / n;
    return {
      rbSnrDb: n === 0 ? null : Array.from({ length: subbands }, subband),
      cfoHz:
        n === 0
          ? null
          : total(
              this.cfoHz,
              heard.map((b) => b.cfoHz),
            ) / n,
      evmDb: this.evms + evm.length === 0 ? null : total(this.evmDb, evm) / (this.evms + evm.length),
    };
  }
}

function total(before: number, values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, before);
}
