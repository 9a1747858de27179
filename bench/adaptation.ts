/**
 * Link adaptation: throughput against mean SNR beside capacity, and block error rate of first transmissions beside the
 * target that modulation and code rate are chosen for. One trial is a sounding burst, its CSI report 20 ms later, one
 * data burst of random bytes and its repetitions, through the product's transmitter, channel and receiver.
 *
 *   node --import tsx bench/adaptation.ts [--quick] [--first-seed N] [--out FILE]
 *
 * Rows that FILE (default bench/results/adaptation.json) holds already with the same settings are kept.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AdaptationRow, adaptationRow } from '../src/experiment/bench/adaptation/adaptation-row.ts';
import { type AdaptationTrial, adaptationTrial } from '../src/experiment/bench/adaptation/adaptation-trial.ts';
import { hostFacts, programFacts } from '../src/experiment/run/host-facts.ts';
import { benchWords, numberIn } from './words.ts';

const { values } = benchWords(import.meta.filename, {
  options: {
    quick: { type: 'boolean', default: false },
    'first-seed': { type: 'string', default: '100001' },
    out: { type: 'string', default: 'bench/results/adaptation.json' },
  },
});
const firstSeed = numberIn(import.meta.filename, '--first-seed', values['first-seed'], 0);
const path = values.out;

/** 25 subbands; the budget leaves 12 slots for the data burst on AWGN and fewer on EVA 5 Hz, where more is kept to repeat. */
const COMMON = { numerology: 25, budgetRe: 55_000 } as const;
const FEW_DB = [5, 12.5, 20];
/** A coarse grid first, so that a run cut short leaves a curve. */
const SNRS_DB = values.quick ? FEW_DB.slice(0, 2) : [5, 15, 25, 10, 20, 0, 12.5, 7.5, 17.5, 2.5, 22.5];
/** EVA at 5 Hz has changed by much when the report is used (correlation 0.79), at 0.5 Hz by little (0.998). */
const CHANNELS = [
  { setting: { ...COMMON, channel: 'awgn' }, snrsDb: SNRS_DB, trials: values.quick ? 10 : 200 },
  { setting: { ...COMMON, channel: 'eva', dopplerHz: 5 }, snrsDb: SNRS_DB, trials: values.quick ? 10 : 300 },
  {
    setting: { ...COMMON, channel: 'eva', dopplerHz: 0.5 },
    snrsDb: values.quick ? SNRS_DB : FEW_DB,
    trials: values.quick ? 10 : 200,
  },
];

const rows: AdaptationRow[] = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).rows : [];
const program = await programFacts();

for (const snrDb of SNRS_DB) {
  for (const { setting, snrsDb, trials } of CHANNELS) {
    if (!snrsDb.includes(snrDb)) continue;
    const known = rows.find(
      (r) =>
        r.channel === setting.channel &&
        r.dopplerHz === ('dopplerHz' in setting ? setting.dopplerHz : null) &&
        r.snrDb === snrDb &&
        r.trials === trials &&
        r.seeds[0] === firstSeed,
    );
    const row = known ?? (await measure({ ...setting, snrDb }, trials));
    if (!known) {
      rows.push(row);
      rows.sort(
        (a, b) => a.channel.localeCompare(b.channel) || (a.dopplerHz ?? 0) - (b.dopplerHz ?? 0) || a.snrDb - b.snrDb,
      );
      write();
    }
    console.log(
      `${row.channel}${row.dopplerHz === null ? '' : ` ${row.dopplerHz} Hz`} ${row.snrDb} dB: ${row.throughput.toFixed(3)} bit/RE, with repetitions ${row.harqThroughput.toFixed(3)}, ` +
        `capacity ${row.capacity.toFixed(3)} (10 % outage ${row.outageCapacity10.toFixed(3)}); first BLER ${row.firstBler.toExponential(1)} ` +
        `(${row.failedBlocks}/${row.blocks}, ${row.burstsWithLoss} bursts), target ${row.target}`,
    );
  }
}

async function measure(
  setting: { channel: string; snrDb: number; numerology: number; budgetRe: number; dopplerHz?: number },
  count: number,
): Promise<AdaptationRow> {
  const done: AdaptationTrial[] = [];
  for (let i = 0; i < count; i++) done.push(await adaptationTrial({ ...setting, seed: firstSeed + i }));
  return adaptationRow(setting, firstSeed, done);
}

function write(): void {
  const head = {
    schema: 'sct-adaptation/1',
    command: 'node --import tsx bench/adaptation.ts',
    machine: hostFacts(),
    program,
    conditions: { ...COMMON, csiDelayMs: 20, harq: 3, estimator: 'lmmse', loopback: 'not ideal (default)' },
  };
  writeFileSync(path, `${JSON.stringify({ ...head, rows }, null, 1)}\n`);
}
