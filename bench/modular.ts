/**
 * The modular codec without the radio (docs/adr/0014-modular-codec.md).
 *
 *   node --import tsx bench/modular.ts rate|fill|loss --data DIR [--size live|base] [--every N] [--bpp 0.1,0.5]
 *
 * `rate`: PSNR at so many bits a pixel, side information included, beside JPEG of no more bytes; grants in proportion to what one level for
 * the whole picture takes, and to importance. `fill`: how full packets are. `loss`: one code block of a packet lost, with cells
 * interleaved and in rows. DIR holds kodak/; every Nth picture (default 6). Text on stdout.
 */
import { join } from 'node:path';
import { RandomStream } from '../src/common/random.ts';
import { mean, pairedDifference } from '../src/experiment/stats.ts';
import { ClassicalCodec } from '../src/sct/codec/classical.ts';
import type { StreamGrant } from '../src/sct/codec/codec.ts';
import { ModularCodec, type ModularPlan } from '../src/sct/codec/modular.ts';
import { unpackStreams } from '../src/sct/codec/modular-decoder.ts';
import { decodePacket } from '../src/sct/codec/packet-decode.ts';
import { fitPacket, type PacketSource } from '../src/sct/codec/packet-fit.ts';
import { codeLayout, interleavedCells } from '../src/sct/codec/packet-layout.ts';
import { decodeSideInfo, type ModularSide } from '../src/sct/codec/side-info.ts';
import { classesOfOthers, flatClassMap } from '../src/sct/codec/side-selection.ts';
import { cellsOfSfvs } from '../src/sct/codec/symbol-order.ts';
import { blankLost, repair } from '../src/sct/correction/repair.ts';
import { FeatureCoder } from '../src/sct/entropy/feature-code.ts';
import { dequantise } from '../src/sct/entropy/quantise.ts';
import { QuantiserFit } from '../src/sct/entropy/quantiser-fit.ts';
import { listImages } from '../src/sct/image/list.ts';
import { loadImage } from '../src/sct/image/load.ts';
import type { RgbImage } from '../src/sct/image/rgb-image.ts';
import { psnrDb } from '../src/sct/quality/psnr.ts';
import type { FeatureMap } from '../src/sct/semantics/feature-map.ts';
import { loadModels } from '../src/sct/semantics/models.ts';
import { grantsByImportance } from './integrated/air.ts';

const option = (name: string) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined;
const part = process.argv[2];
const data = option('--data');
if (data === undefined || !['rate', 'fill', 'loss'].includes(part)) {
  throw new Error('usage: node --import tsx bench/modular.ts rate|fill|loss --data DIR [--size live] [--every 6]');
}
const size = option('--size') === 'base' ? 'base' : 'live';
const every = Number(option('--every') ?? 6);
const rates = (option('--bpp') ?? '0.05,0.1,0.2,0.4,0.8,1.2').split(',').map(Number);
const paths = (await listImages(join(data, 'kodak'))).filter((_, i) => i % every === 0);
const models = await loadModels({ size });
const codec = new ModularCodec(models);
const coder = new FeatureCoder(models.tables);
/** Bytes of a code block of the link's smaller base graph. */
const BLOCK_BYTES = 477;
const jpeg = new ClassicalCodec({ format: 'jpeg' });
const print = (text: string) => process.stdout.write(`${text}\n`);
print(`${part}, set ${models.set.name} ${models.set.id}, ${paths.length} Kodak pictures`);

/** Bytes of each SFV in proportion to what the level at which the picture comes nearest to the budget takes. */
function grantsByRate({ parts }: ModularPlan, bytes: number): StreamGrant[] {
  const { classMap, partition } = parts;
  const { bitsOf, levels } = models.tables;
  const at = (level: number) => {
    const sums = new Array<number>(partition.sfvs.length).fill(0);
    classMap.data.forEach((c, cell) => {
      sums[partition.sfvOf[cell]] += bitsOf[16 * level + c];
    });
    return sums;
  };
  const sum = (v: readonly number[]) => v.reduce((a, b) => a + b, 0);
  let level = 0;
  while (level < levels - 1 && sum(at(level)) / 128 > bytes) level++;
  const shares = at(level);
  const all = sum(shares);
  return shares.map((s, id) => ({ id, size: Math.floor((bytes * s) / all) })).filter((g) => g.size > 0);
}

/** Symbols a picture of so many bits a pixel takes at 2 bits each: what the choice of classes is told. */
const hint = (image: RgbImage, bpp: number) => ({ symbols: (image.width * image.height * bpp) / 2 });

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
      const { got } = await received(plan, grantsByRate(plan, room));
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

/**
 * One code block of a packet of several segments lost: PSNR over the cells of the SFV, uncorrected and corrected, and cells lost; with
 * the cells interleaved, in rows, and with one segment for all.
 */
async function loss(): Promise<void> {
  const bpp = rates[0];
  const random = new RandomStream('modular-loss');
  const ways = ['interleaved', 'rows', 'one segment'] as const;
  const table = new Map(
    ways.map((w) => [w, { lost: [] as number[], plain: [] as number[], repaired: [] as number[] }]),
  );
  for (const path of paths) {
    const image = await loadImage(path);
    const plan = await codec.analyse(image, hint(image, bpp));
    const { partition, classMap } = plan.parts;
    const classes = classesOfOthers(partition, classMap, 0);
    const flat = flatClassMap(partition, classes);
    const coded = await plan.encode(grantsByRate(plan, (bpp * image.width * image.height) / 8));
    const side = decodeSideInfo(coded.sideInfo, models.tables) as ModularSide;
    const streams = coded.streams.flatMap((s) => (s.kind === 'bits' ? [{ ...s, missing: [] }] : []));
    const intact = unpackStreams(side, streams, coder, models.tables);
    for (const { id, payload } of streams) {
      if (payload.length < 3 * BLOCK_BYTES) continue;
      const cells = cellsOfSfvs(partition.sfvOf, partition.sfvs.length)[id];
      const from = BLOCK_BYTES * random.integer(Math.floor(payload.length / BLOCK_BYTES));
      const missing = [{ from, to: Math.min(payload.length, from + BLOCK_BYTES) }];
      for (const way of ways) {
        const order = way === 'rows' ? cells : interleavedCells(cells, partition.columns);
        const source = { id, cells: order, sfvClass: classes[id], flat, classMap, y: plan.analysis.y };
        const packet = fitPacket(source, payload.length, coder, models.tables)!;
        const yHat = { ...intact.yHat, data: intact.yHat.data.slice() };
        const out = { yHat, classMap: { ...flat, data: flat.data.slice() } };
        const sfv = { id, cells: order, sfvClass: classes[id], level: packet.level };
        const came = new Set(
          way === 'one segment'
            ? asOneSegment(source, packet.level, payload.length, from, yHat)
            : decodePacket({ payload: packet.payload, missing }, sfv, out, coder, models.tables),
        );
        const damage = Float32Array.from(partition.sfvOf as ArrayLike<number>, (sfv, at) =>
          sfv === id && !came.has(at) ? 1 : 0,
        );
        const blank = blankLost({ yHat, quality: intact.quality }, damage, classMap, models.tables);
        const labelMap = { rows: partition.rows, columns: partition.columns, data: partition.labels };
        const strength = new Float32Array(damage.length).fill(1);
        const missingCells = new Uint8Array(damage.length);
        const restored = await repair(models, {
          ...blank,
          classMap,
          labelMap,
          damage,
          strength,
          missing: missingCells,
        });
        const row = table.get(way)!;
        row.lost.push(1 - came.size / cells.length);
        for (const [name, v] of [
          ['plain', blank],
          ['repaired', restored],
        ] as const) {
          row[name].push(psnrOver(image, await models.synthesise(v.yHat, v.quality), cells, partition.columns));
        }
      }
    }
  }
  for (const [way, { lost, plain, repaired }] of table) {
    print(
      `${way}: ${lost.length} packets, ${(100 * mean(lost)).toFixed(1)} % of the cells lost, ${mean(plain).toFixed(2)} dB, corrected ${mean(repaired).toFixed(2)} dB`,
    );
  }
  const [a, b, c] = ways.map((w) => table.get(w)!.repaired);
  for (const [name, other] of [
    ['rows', b],
    ['one segment', c],
  ] as const) {
    const d = pairedDifference(a, other);
    print(`interleaved - ${name}: ${d.value.toFixed(2)} dB (${d.low.toFixed(2)} to ${d.high.toFixed(2)})`);
  }
}

/** A packet that is one code, up to the first missing byte; the cells that came. */
function asOneSegment(source: PacketSource, level: number, bytes: number, from: number, out: FeatureMap) {
  const cells = source.cells.slice().sort((a, b) => a - b);
  const layout = codeLayout(cells, { ...source, segment: 0, level }, source.classMap, source.flat);
  const fit = new QuantiserFit(models.tables, coder, layout, source.y);
  const code = coder.encode(layout, fit.symbolsAt(fit.fit(8 * (bytes - 3) - 1, 1)?.bitWeight ?? 1));
  const { symbols, embeddings } = coder.decodeKnown(layout, code, Math.min(from, code.length));
  const came = cells.subarray(0, embeddings);
  dequantise(symbols, came, level, models.tables, out);
  return came;
}

/** PSNR over the pixels of some cells. */
function psnrOver(a: RgbImage, b: RgbImage, cells: Uint32Array, columns: number): number {
  let error = 0;
  let count = 0;
  for (const at of cells) {
    const top = 16 * Math.floor(at / columns);
    const left = 16 * (at % columns);
    for (let y = top; y < Math.min(top + 16, a.height); y++) {
      for (let i = 3 * (y * a.width + left); i < 3 * (y * a.width + Math.min(left + 16, a.width)); i++) {
        error += (a.data[i] - b.data[i]) ** 2;
        count++;
      }
    }
  }
  return 10 * Math.log10((255 ** 2 * count) / error);
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
if (part === 'loss') await loss();
await models.close();
