/**
 * Modes of the semantic codec over AWGN, without the modem (docs/adr/0015).
 *
 *     node --import tsx bench/modes.ts PART --data DIR [--size live|base] [--models DIR] [--part validation|test] [--most 40] [--cbr 48] [--snr 5]
 *
 * auto: overall against the most important SFVs by share and order [--task machine --favour --shares 0.8,0.9]; selective: against
 * a user's choice (classes or the object's rectangle), border and texture of what is made up; machine: the heads on received features, [--snr 1,4,7,10,13];
 * reference: lost SFVs with the picture before as reference. DIR holds camvid/{val,test} and saliency/{train,test}. Text on stdout,
 * rows as JSON with --out FILE.
 */
import { writeFileSync } from 'node:fs';
import { mean, pairedDifference } from '../src/experiment/metrics/stats.ts';
import { loadModels } from '../src/sct/semantics/models.ts';
import { type AutoRow, autoRows } from './modes/auto.ts';
import { type MachineRow, machineRows } from './modes/machine.ts';
import { referenceFigures } from './modes/receivers.ts';
import { type SelectiveRow, selectiveRows } from './modes/selective.ts';
import { benchWords, refuse } from './words.ts';

const FILE = import.meta.filename;
const { positionals, values } = benchWords(FILE, {
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    size: { type: 'string', default: 'live' },
    models: { type: 'string' },
    most: { type: 'string', default: '40' },
    part: { type: 'string', default: 'validation' },
    cbr: { type: 'string', default: '48' },
    snr: { type: 'string', default: '5' },
    task: { type: 'string', default: 'human' },
    favour: { type: 'boolean', default: false },
    shares: { type: 'string', default: '0.5,0.6,0.7,0.8,0.9' },
    out: { type: 'string' },
  },
});
const [what] = positionals;
const { data, size } = values;
if (data === undefined) refuse(FILE, '--data DIR is missing');
if (size !== 'live' && size !== 'base') refuse(FILE, `--size: "${size}" is not one of live, base`);
if (!['auto', 'selective', 'machine', 'reference'].includes(what))
  refuse(FILE, `PART: "${what ?? ''}" is not one of auto, selective, machine, reference`);
const part = values.part === 'test' ? 'test' : 'validation';
const air = {
  cbr: 1 / Number(values.cbr),
  snrDb: Number(values.snr),
  task: values.task === 'machine' ? 'machine' : 'human',
  favour: values.favour,
} as const;
const models = await loadModels({ size, dir: values.models });

async function auto(): Promise<void> {
  const shares = values.shares.split(',').map(Number);
  const ways = shares.flatMap((share) => (['sum', 'density'] as const).map((order) => ({ order, share })));
  const rows: AutoRow[] = [];
  for await (const row of autoRows(models, data!, part, Number(values.most), ways, air)) {
    rows.push(row);
    if (values.out) writeFileSync(values.out, JSON.stringify(rows));
  }
  process.stdout.write(`${rows.length} rows\n`);
}

async function selective(): Promise<void> {
  const rows: SelectiveRow[] = [];
  for await (const row of selectiveRows(models, data!, part, Number(values.most), air)) rows.push(row);
  if (values.out) writeFileSync(values.out, JSON.stringify(rows));
  for (const set of ['camvid', 'ecssd'] as const) {
    const of = (how: string) => rows.filter((r) => r.data === set && r.how === how);
    const sent = of('selective');
    const names = new Set(sent.map((r) => r.name));
    const whole = of('overall').filter((r) => names.has(r.name));
    const list = (from: typeof rows, f: keyof (typeof rows)[number]) => from.map((r) => r[f] as number);
    const line = (text: string) => process.stdout.write(`${set}: ${text}\n`);
    line(
      `${sent.length} pictures, kept cells ${mean(list(sent, 'cells')).toFixed(2)}, of the ROI ${mean(list(sent, 'covered')).toFixed(2)}`,
    );
    for (const f of ['roiPsnrDb', 'psnrDb', 'sideBytes', 'partitionBytes'] as const) {
      const { value, low, high } = pairedDifference(list(sent, f), list(whole, f));
      line(
        `${f} overall ${mean(list(whole, f)).toFixed(2)}, selective ${mean(list(sent, f)).toFixed(2)}, difference ${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`,
      );
    }
    for (const f of ['border', 'sourceBorder', 'energy'] as const) {
      const sorted = sent
        .map((r) => r[f])
        .filter((v) => v !== null)
        .sort((a, b) => a - b);
      line(
        `${f} of what is made up, quartiles ${[0.25, 0.5, 0.75].map((q) => sorted[Math.floor(q * (sorted.length - 1))].toFixed(2)).join(' ')}`,
      );
    }
  }
}

async function machine(): Promise<void> {
  const rows: MachineRow[] = [];
  const snrsDb = values.snr.split(',').map(Number);
  for await (const row of machineRows(models, data!, part, Number(values.most), air.cbr, snrsDb)) {
    rows.push(row);
    const shown = (v: unknown): unknown =>
      typeof v === 'number' ? Number(v.toFixed(3)) : Array.isArray(v) ? v.map(shown).join(' ') : v;
    const numbers = Object.values(row).map(shown);
    process.stdout.write(`${rows.length === 1 ? `${Object.keys(row).join('\t')}\n` : ''}${numbers.join('\t')}\n`);
  }
  if (values.out) writeFileSync(values.out, JSON.stringify(rows));
}

async function reference(): Promise<void> {
  const pairs = await referenceFigures(models, data!, part, Number(values.most), air);
  const [a, b] = [pairs.map((p) => p.without), pairs.map((p) => p.with)];
  const { value, low, high } = pairedDifference(b, a);
  const text = `lost SFVs of ${a.length} pictures: ${mean(a).toFixed(2)} dB without, ${mean(b).toFixed(2)} dB with the picture before`;
  process.stdout.write(`${text}, difference ${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]\n`);
}

const parts = { auto, selective, machine, reference };
await parts[what as keyof typeof parts]();
await models.close();
