/**
 * Modes of the semantic codec over AWGN, without the modem (docs/adr/0015).
 *
 *     node --import tsx bench/modes.ts auto --data DIR [--size live] [--most 40]     overall against what is kept, validation pictures
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { mean, pairedDifference } from '../src/experiment/stats.ts';
import { loadModels } from '../src/sct/semantics/models.ts';
import { type AutoRow, autoRows } from './modes/auto.ts';
import { type SelectiveRow, selectiveRows } from './modes/selective.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    size: { type: 'string', default: 'live' },
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
if (!data || (size !== 'live' && size !== 'base')) throw new Error('bench/modes.ts PART --data DIR [--size live|base]');
const part = values.part === 'test' ? 'test' : 'validation';
const air = {
  cbr: 1 / Number(values.cbr),
  snrDb: Number(values.snr),
  task: values.task === 'machine' ? 'machine' : 'human',
  favour: values.favour,
} as const;
const models = await loadModels({ size });

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

await { auto, selective }[what as 'auto' | 'selective']();
await models.close();
