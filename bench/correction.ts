/**
 * What the correction at the receiver is worth, and what its rule rests on (docs/adr/0013-semantic-codecs.md). Symbols over modelled
 * channels, without the modem.
 *
 *   node --import tsx bench/correction.ts rule|integrated|modular --data DIR [--set fit|test] [--size live|base] [--pictures N] [--side PX]
 *
 * `rule`: one SFV at one SNR, or with a share of its symbols lost. `integrated`, `modular`: PSNR with and without correction over
 * fading channels and losses. Differences with 95 % intervals over the pictures (default 24, the middle 256x256 px). Text on stdout.
 */
import { loadModels } from '../src/sct/semantics/models.ts';
import { measureGain } from './correction/gain.ts';
import { PICTURE_SETS, pictures } from './correction/pictures.ts';
import { measureRule } from './correction/rule.ts';

const option = (name: string) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined;
const part = process.argv[2];
const data = option('--data');
const set = PICTURE_SETS.find((name) => name === (option('--set') ?? 'fit'));
if (data === undefined || set === undefined || !['rule', 'integrated', 'modular'].includes(part)) {
  throw new Error('usage: node --import tsx bench/correction.ts rule|integrated|modular --data DIR [--set fit|test]');
}
const models = await loadModels({ size: option('--size') === 'base' ? 'base' : 'live' });
const list = await pictures(data, set, Number(option('--pictures') ?? 24), Number(option('--side') ?? 256));
const print = (text: string) => process.stdout.write(`${text}\n`);
print(`${part}, set ${models.set.name} ${models.set.id}, ${list.length} pictures of ${set}`);
if (part === 'rule') await measureRule(models, list, print);
else await measureGain(models, part as 'integrated' | 'modular', list, print);
await models.close();
