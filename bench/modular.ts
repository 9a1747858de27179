/**
 * The modular codec without the radio (docs/adr/0014-modular-codec.md).
 *
 *   node --import tsx bench/modular.ts rate|fill|loss|levels --data DIR [--size live|base] [--every N] [--bpp 0.1,0.5]
 *
 * `rate`: PSNR at so many bits a pixel, side information included, beside JPEG of no more bytes; grants in proportion to what one level for
 * the whole picture takes, and to importance. `fill`: how full packets are. `loss`: one code block of a packet lost, with cells
 * interleaved and in rows, and with one segment. `levels`: every quantiser level, and what g_s makes of it. DIR holds kodak/; every Nth picture (default 6). Text on stdout.
 */
import { join } from 'node:path';
import { mean, pairedDifference } from '../src/experiment/metrics/stats.ts';
import { ClassicalCodec } from '../src/sct/codec/classical.ts';
import type { StreamGrant } from '../src/sct/codec/codec.ts';
import { ModularCodec, type ModularPlan } from '../src/sct/codec/modular.ts';
import { listImages } from '../src/sct/image/list.ts';
import { loadImage } from '../src/sct/image/load.ts';
import { psnrDb } from '../src/sct/quality/psnr.ts';
import { loadModels } from '../src/sct/semantics/models.ts';
import { grantsByImportance } from './integrated/air.ts';
import { grantsByRate, hint } from './modular/grants.ts';
import { measureLevels } from './modular/levels.ts';
import { measureLoss } from './modular/loss.ts';

const option = (name: string) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined;
const part = process.argv[2];
const data = option('--data');
if (data === undefined || !['rate', 'fill', 'loss', 'levels'].includes(part)) {
  throw new Error(
    'usage: node --import tsx bench/modular.ts rate|fill|loss|levels --data DIR [--size live] [--every 6]',
  );
}
const size = option('--size') === 'base' ? 'base' : 'live';
const every = Number(option('--every') ?? 6);
const rates = (option('--bpp') ?? '0.05,0.1,0.2,0.4,0.8,1.2').split(',').map(Number);
const paths = (await listImages(join(data, 'kodak'))).filter((_, i) => i % every === 0);
const models = await loadModels({ size });
const codec = new ModularCodec(models);
const jpeg = new ClassicalCodec({ format: 'jpeg' });
const print = (text: string) => process.stdout.write(`${text}\n`);
print(`${part}, set ${models.set.name} ${models.set.id}, ${paths.length} Kodak pictures`);

async function received(plan: ModularPlan, grants: readonly StreamGrant[]) {
  const coded = await plan.encode(grants);
  const streams = coded.streams.flatMap((s) => (s.kind === 'bits' ? [{ ...s, missing: [] }] : []));
  return { coded, got: await codec.decode({ sideInfo: coded.sideInfo, streams }) };
}

async function rate(): Promise<void> {
  for (const bpp of rates) {
    const ours: number[] = [];
    const important: number[] = [];
    const theirs: number[] = [];
    const side: number[] = [];
    for (const path of paths) {
      const image = await loadImage(path);
      const bytes = Math.floor((bpp * image.width * image.height) / 8);
      const plan = await codec.analyse(image, hint(image, bpp));
      side.push(plan.sideInfoBytes);
      const room = bytes - plan.sideInfoBytes;
      const { got } = await received(plan, grantsByRate(plan, room, models.tables));
      ours.push(psnrDb(image, got.image!));
      const byScore = await received(plan, grantsByImportance(plan.parts.scores, room));
      important.push(psnrDb(image, byScore.got.image!));
      const file = await jpeg.encodeToBudget(image, bytes);
      const shown = await jpeg.decode({
        sideInfo: undefined,
        streams: [{ id: 0, kind: 'bits', payload: file.bytes, missing: [] }],
      });
      theirs.push(psnrDb(image, shown.image!));
    }
    const d = pairedDifference(ours, theirs);
    print(
      `${bpp} bit/pixel: by rate ${mean(ours).toFixed(2)}, by importance ${mean(important).toFixed(2)}, JPEG ${mean(theirs).toFixed(2)} dB; ` +
        `by rate - JPEG ${d.value.toFixed(2)} (${d.low.toFixed(2)} to ${d.high.toFixed(2)}), least ${Math.min(...ours.map((v, i) => v - theirs[i])).toFixed(2)}; side ${mean(side).toFixed(0)} bytes`,
    );
  }
}

/** Bytes of code in the packets, and of padding, by grant size. */
async function fill(): Promise<void> {
  const rows: { size: number; code: number; cells: number }[] = [];
  let segments = 0;
  for (const bpp of rates) {
    for (const path of paths) {
      const image = await loadImage(path);
      const plan = await codec.analyse(image, hint(image, bpp));
      for (const grant of grantsByImportance(plan.parts.scores, (bpp * image.width * image.height) / 8)) {
        const { settings } = await plan.encode([grant]);
        if (settings.sfvsSent === 0) continue;
        segments += Number(settings.segments);
        rows.push({ size: grant.size, code: Number(settings.codeBytes), cells: plan.streams[grant.id].cells! });
      }
    }
  }
  print(`${rows.length} packets, ${segments} segments`);
  for (const [from, to] of [
    [0, 50],
    [50, 100],
    [100, 200],
    [200, 500],
    [500, 2000],
    [2000, 1e9],
  ]) {
    const of = rows.filter((r) => r.size >= from && r.size < to);
    const unused = of.map((r) => 1 - r.code / r.size);
    if (of.length > 0) {
      print(
        `${from} to ${to} bytes: ${of.length} packets, unused mean ${(100 * mean(unused)).toFixed(2)} %, most ${(100 * Math.max(...unused)).toFixed(2)} %, ` +
          `above 2 %: ${unused.filter((u) => u > 0.02).length}`,
      );
    }
  }
}

if (part === 'rate') await rate();
if (part === 'fill') await fill();
if (part === 'loss') await measureLoss(models, paths, rates[0], print);
if (part === 'levels') await measureLevels(models, paths, print);
await models.close();
