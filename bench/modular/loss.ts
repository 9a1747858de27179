import { RandomStream } from '../../src/common/random.ts';
import { mean, pairedDifference } from '../../src/experiment/metrics/stats.ts';
import { ModularCodec } from '../../src/sct/codec/modular.ts';
import { unpackStreams } from '../../src/sct/codec/modular-decoder.ts';
import { decodePacket } from '../../src/sct/codec/packet-decode.ts';
import { fitPacket, type PacketSource } from '../../src/sct/codec/packet-fit.ts';
import { codeLayout, interleavedCells } from '../../src/sct/codec/packet-layout.ts';
import { decodeSideInfo, type ModularSide } from '../../src/sct/codec/side-info.ts';
import { classesOfOthers, flatClassMap } from '../../src/sct/codec/side-selection.ts';
import { cellsOfSfvs } from '../../src/sct/codec/symbol-order.ts';
import { blankLost, repair } from '../../src/sct/correction/repair.ts';
import { FeatureCoder } from '../../src/sct/entropy/feature-code.ts';
import { dequantise } from '../../src/sct/entropy/quantise.ts';
import { QuantiserFit } from '../../src/sct/entropy/quantiser-fit.ts';
import { loadImage } from '../../src/sct/image/load.ts';
import type { RgbImage } from '../../src/sct/image/rgb-image.ts';
import type { FeatureMap } from '../../src/sct/semantics/feature-map.ts';
import type { ModelTables } from '../../src/sct/semantics/model-tables.ts';
import type { SemanticModels } from '../../src/sct/semantics/models.ts';
import { grantsByRate, hint } from './grants.ts';

/** Bytes of a code block of the link's smaller base graph. */
const BLOCK_BYTES = 477;

/**
 * One code block of a packet of several segments lost: PSNR over the cells of the SFV, uncorrected and corrected, and cells lost; with
 * the cells interleaved, in rows, and with one segment for all.
 */
export async function measureLoss(
  models: SemanticModels,
  paths: readonly string[],
  bpp: number,
  print: (text: string) => void,
): Promise<void> {
  const codec = new ModularCodec(models);
  const coder = new FeatureCoder(models.tables);
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
    const coded = await plan.encode(grantsByRate(plan, (bpp * image.width * image.height) / 8, models.tables));
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
            ? asOneSegment(source, packet.level, payload.length, from, yHat, coder, models.tables)
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
function asOneSegment(
  source: PacketSource,
  level: number,
  bytes: number,
  from: number,
  out: FeatureMap,
  coder: FeatureCoder,
  tables: ModelTables,
) {
  const cells = source.cells.slice().sort((a, b) => a - b);
  const layout = codeLayout(cells, { ...source, segment: 0, level }, source.classMap, source.flat);
  const fit = new QuantiserFit(tables, coder, layout, source.y);
  const code = coder.encode(layout, fit.symbolsAt(fit.fit(8 * (bytes - 3) - 1, 1)?.bitWeight ?? 1));
  const { symbols, embeddings } = coder.decodeKnown(layout, code, Math.min(from, code.length));
  const came = cells.subarray(0, embeddings);
  dequantise(symbols, came, level, tables, out);
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
