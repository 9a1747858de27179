import { RandomStream } from '../../../common/random.ts';
import type { Estimate } from '../../metrics/stats.ts';
import { BlerSimulation } from '../ldpc/ldpc-simulation.ts';
import type { CodedStretch } from './coded-burst.ts';
import type { BenchContext } from './measurement.ts';
import { type PairedBler, spread } from './paired-bler.ts';

const TARGET = 0.01;
const REPLICATES = 500;
/** As the product's decoder. */
const ITERATIONS = 20;

export interface BareComparison {
  /** SNR that the genie's curve needs more than bare LDPC and QAM at BLER 1e-2; negative: less. */
  readonly difference: Estimate;
  /** [SNR in dB, BLER] */
  readonly curve: (readonly [number, number])[];
}

/**
 * The genie's AWGN curve against LDPC and QAM alone (`BlerSimulation`: known noise, no OFDM) with blocks of the same K',
 * E, modulation and iterations, at the two SNRs of the genie's curve around BLER 1e-2, so that both are interpolated alike.
 */
export async function againstBareCode(
  stretch: CodedStretch,
  genie: PairedBler,
  limits: { errors: number; blocks: number },
  context: BenchContext,
): Promise<BareComparison> {
  const { mcs, layout, re } = stretch;
  const symbols = Math.floor(re / layout.blocks);
  const { infoBits } = layout.codec;
  const setting = {
    baseGraph: layout.plan.baseGraph,
    infoBits,
    codeRate: infoBits / (symbols * mcs.qm),
    qm: mcs.qm,
    maxIterations: ITERATIONS,
  };
  const simulation = new BlerSimulation(setting, 1);
  const at = genie.crossing('genie', TARGET);
  const above = genie.points.findIndex((p) => p.snrDb >= at);
  const snrs = genie.points.slice(Math.max(0, above - 1), above + 1).map((p) => p.snrDb);
  const counted: { snrDb: number; errors: number; blocks: number }[] = [];
  for (const [i, snrDb] of snrs.entries()) {
    const { errors, blocks } = simulation.run(snrDb, limits.errors, limits.blocks);
    counted.push({ snrDb, errors, blocks });
    await context.step(i + 1, snrs.length);
  }
  // Log BLER straight between the two, and beyond them.
  const crossing = (rates: readonly number[]) => {
    const [a, b] = rates.map((r) => Math.log(Math.max(r, 1e-6)));
    if (!(a > b)) return Number.NaN;
    return snrs[0] + ((a - Math.log(TARGET)) / (a - b)) * (snrs[1] - snrs[0]);
  };
  const value = snrs.length < 2 ? Number.NaN : at - crossing(counted.map((c) => c.errors / c.blocks));
  // Errors of both are counted numbers: resampled as Poisson ones, the genie's through its bursts.
  const random = new RandomStream('bare code');
  const genieSpread = genie.replicates('genie', TARGET, REPLICATES);
  const replicates = genieSpread.map(
    (g) => g - crossing(counted.map((c) => Math.max(0.3, c.errors + Math.sqrt(c.errors) * random.normal()) / c.blocks)),
  );
  const n = counted.reduce((sum, c) => sum + c.blocks, 0);
  return {
    difference: { value, ...spread(replicates), n },
    curve: counted.map((c) => [Number(c.snrDb.toFixed(3)), c.errors / c.blocks] as const),
  };
}
