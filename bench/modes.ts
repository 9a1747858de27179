/**
 * Modes of the semantic codec over AWGN, without the modem (docs/adr/0015).
 *
 *     node --import tsx bench/modes.ts auto --data DIR [--size live] [--most 40]     overall against what is kept, validation pictures
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadModels } from '../src/sct/semantics/models.ts';
import { autoRows } from './modes/auto.ts';

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
} as const;
const models = await loadModels({ size });

async function auto(): Promise<void> {
  const shares = values.shares.split(',').map(Number);
  const ways = shares.flatMap((share) => (['sum', 'density'] as const).map((order) => ({ order, share })));
  const rows = [];
  for await (const row of autoRows(models, data!, part, Number(values.most), ways, air)) {
    rows.push(row);
    if (values.out) writeFileSync(values.out, JSON.stringify(rows));
  }
  process.stdout.write(`${rows.length} rows\n`);
}

await { auto }[what as 'auto']();
await models.close();
