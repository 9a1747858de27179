import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { UsageError } from '../../../common/errors.ts';
import { writableFolder } from '../../../common/make-folder.ts';
import { gitFacts, hostFacts, packageRoot } from '../../run/host-facts.ts';
import type { BenchContext, Curve, Measurement } from './measurement.ts';
import { receiveTrial } from './modem-trial.ts';
import { requirementsPlan } from './plan.ts';
import { type BenchRow, MODEM_PARTS, type ModemPart } from './row.ts';
import { MeasurementStore, partHash, type StoredMeasurement, sourceHash, writeAtomically } from './store.ts';

export const MODEM_BENCH_SCHEMA = 'sct.bench.modem/2';

export interface RequirementsReport {
  readonly schema: typeof MODEM_BENCH_SCHEMA;
  readonly quick: boolean;
  readonly command: string;
  /** SHA-256 of the code that decides the figures; the commit where the checkout was clean. */
  readonly sourceSha256: string;
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  /** Rows that meet what is asked, whose whole 95 % interval lies beyond it, and the rest. */
  readonly passed: number;
  readonly failed: number;
  readonly open: number;
  /** Measurements that are not finished, or under way in another process: their rows are not here. */
  readonly pending: number;
  /** Of all rows, whenever they were measured. */
  readonly cpuSeconds: number;
  /** Speed is another measurement (`sct bench modem`). */
  readonly ratioToLiquid: null;
  readonly rows: readonly BenchRow[];
  readonly curves: readonly Curve[];
}

export interface RequirementsOptions {
  readonly quick?: boolean;
  readonly only?: readonly ModemPart[] | undefined;
  /** Folder where finished measurements are kept and found again; without it nothing is written. */
  readonly out?: string | undefined;
  readonly command: string;
  readonly signal?: AbortSignal;
  readonly progress?: (what: string) => void;
  /** Told after each measurement. */
  readonly note?: (what: string) => void;
  /** The receiver under test, default BurstReceiver. */
  readonly receive?: BenchContext['receive'];
}

/** The parts named by `--only`, comma separated; UsageError for another word. */
export function parseModemParts(text: string): ModemPart[] {
  const words = text.split(',').map((w) => w.trim());
  const bad = words.find((w) => !(MODEM_PARTS as readonly string[]).includes(w));
  if (bad !== undefined) throw new UsageError(`--only: "${bad}" is no part`, `parts: ${MODEM_PARTS.join(', ')}`);
  return MODEM_PARTS.filter((p) => words.includes(p));
}

/**
 * `sct bench modem --requirements`: the requirements of the air interface on seeded trials with real synchronisation.
 * Every row has its number of trials and a 95 % interval (exact for rates, Student's t for means, bootstrap over bursts for
 * SNR losses); a row fails when the whole interval lies beyond what is asked, and is `open` when the interval holds the
 * limit. With `out` several processes share the work: each takes what no other has finished or is at.
 *
 * @throws UsageError for a folder that cannot be written; AbortError when interrupted
 */
export async function benchRequirements(options: RequirementsOptions): Promise<RequirementsReport> {
  const { quick = false, only = MODEM_PARTS, note = () => {} } = options;
  const out = options.out === undefined ? null : await writableFolder(options.out);
  const sourceSha256 = sourceHash();
  const store = out ? new MeasurementStore(out) : null;
  const keyOf = ({ part }: Measurement) => `${sourceSha256}/${partHash(part)}/${quick ? 'quick' : 'full'}`;
  const plan = requirementsPlan(quick).filter((m) => only.includes(m.part));
  const results = new Map<string, Finished>();
  const git = await gitFacts(await packageRoot());
  const collect = (): RequirementsReport => {
    for (const m of plan) {
      const stored = results.has(m.id) ? null : store?.load(m.id, keyOf(m));
      if (stored) results.set(m.id, stored);
    }
    const head = { quick, command: options.command, sourceSha256, git };
    return reportOf(
      head,
      plan.map(({ id }) => results.get(id) ?? null),
    );
  };
  // The long ones first, so that processes that share the work end together.
  const order = [...plan].sort((a, b) => length(b) - length(a));
  for (const measurement of order) {
    const { id } = measurement;
    const stored = store?.load(id, keyOf(measurement));
    if (stored) {
      results.set(id, stored);
      continue;
    }
    if (store && !store.claim(id)) continue;
    try {
      const finished = await measure(measurement, options);
      store?.save(id, keyOf(measurement), finished);
      results.set(id, finished);
      const missed = finished.rows.filter((r) => r.state === 'missed');
      note(`${id}: ${finished.cpuSeconds} s${missed.map((r) => `; missed: ${r.name}`).join('')}`);
    } finally {
      store?.release(id);
    }
    // After each, so that an interrupted run has a report of what it finished.
    if (out) writeAtomically(join(out, 'modem.json'), collect());
  }
  const report = collect();
  if (out) writeAtomically(join(out, 'modem.json'), report);
  return report;
}

/** @param measured of the whole plan, null where it is not finished */
function reportOf(
  head: Pick<RequirementsReport, 'quick' | 'command' | 'sourceSha256' | 'git'>,
  measured: readonly (Finished | null)[],
): RequirementsReport {
  const all = measured.filter((m) => m !== null);
  const rows = all.flatMap((m) => m.rows);
  const host = hostFacts();
  return {
    schema: MODEM_BENCH_SCHEMA,
    ...head,
    machine: { cpu: host.cpu, cores: host.cores, node: process.version },
    passed: rows.filter((r) => r.state === 'met').length,
    failed: rows.filter((r) => r.state === 'missed').length,
    open: rows.filter((r) => r.state === 'open').length,
    pending: measured.length - all.length,
    cpuSeconds: Math.round(all.reduce((sum, m) => sum + m.cpuSeconds, 0)),
    ratioToLiquid: null,
    rows,
    curves: all.flatMap((m) => m.curves),
  };
}

type Finished = Pick<StoredMeasurement, 'cpuSeconds' | 'rows' | 'curves'>;

async function measure(measurement: Measurement, options: RequirementsOptions): Promise<Finished> {
  const { signal, progress = () => {}, receive = receiveTrial } = options;
  let last = performance.now();
  const step = async (done: number, of: number) => {
    const now = performance.now();
    if (now - last < 250) return;
    last = now;
    progress(`${measurement.id}: ${done} of ${of}`);
    await breathe();
    if (signal?.aborted) throw new DOMException('interrupted', 'AbortError');
  };
  const start = process.cpuUsage();
  const { rows, curves = [] } = await measurement.run({ receive, step });
  const used = process.cpuUsage(start);
  return { cpuSeconds: Math.round((used.user + used.system) / 1e5) / 10, rows, curves };
}

/** Rough order of CPU time. */
function length({ part, id }: Measurement): number {
  const wide = id.includes('-50') ? 10 : id.includes('-25') ? 5 : 1;
  return wide * (part === 'loss' ? 4 : part === 'offsets' || part === 'faults' ? 3 : 1);
}
