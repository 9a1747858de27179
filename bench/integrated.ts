/**
 * The integrated codec without the radio: bytes of side information, power of its streams, and what unit power of every stream
 * costs (docs/adr/0013-semantic-codecs.md).
 *
 *   node --import tsx bench/integrated.ts side|power|unequal --data DIR [--size live|base] [--every N] [--cbr 16,24]
 *
 * DIR holds kodak/; every Nth picture (default 6) is taken, at 1/16 and 1/24 or what --cbr says. Text on stdout.
 */
import { join } from 'node:path';
import { RandomStream } from '../src/common/random.ts';
import { codePicture, overAwgn, sideInformationSymbols } from '../src/experiment/bench/models/models-awgn.ts';
import { mean } from '../src/experiment/metrics/stats.ts';
import type { StreamGrant } from '../src/sct/codec/codec.ts';
import { IntegratedCodec, type IntegratedOptions } from '../src/sct/codec/integrated.ts';
import { decodeSfvScale } from '../src/sct/codec/sfv-power.ts';
import { decodeSideInfo } from '../src/sct/codec/side-info.ts';
import { listImages } from '../src/sct/image/list.ts';
import { loadImage } from '../src/sct/image/load.ts';
import { psnrDb } from '../src/sct/quality/psnr.ts';
import { loadModels } from '../src/sct/semantics/models.ts';
import { grantsByImportance, overAir, stretchPowersDb } from './integrated/air.ts';

const option = (name: string) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined;
const part = process.argv[2];
const data = option('--data');
if (data === undefined || !['side', 'power', 'unequal'].includes(part)) {
  throw new Error(
    'usage: node --import tsx bench/integrated.ts side|power|unequal --data DIR [--size live] [--every 6]',
  );
}
const size = option('--size') === 'base' ? 'base' : 'live';
const every = Number(option('--every') ?? 6);
const cbrs = (option('--cbr') ?? '16,24').split(',').map((n) => 1 / Number(n));
const paths = (await listImages(join(data, 'kodak'))).filter((_, i) => i % every === 0);
const models = await loadModels({ size });
const print = (text: string) => process.stdout.write(`${text}\n`);
const fixed = (values: readonly number[], digits = 2) => values.map((v) => v.toFixed(digits)).join(' ');
print(`${part}, set ${models.set.name} ${models.set.id}, ${paths.length} Kodak pictures`);

/** Symbols of each SFV as one rate for the whole picture gives them. */
function grantsByRate(sfvOf: Uint8Array, symbols: Float32Array, count: number, snrDb: number): StreamGrant[] {
  const sizes = new Array<number>(count).fill(0);
  symbols.forEach((k, at) => {
    sizes[sfvOf[at]] += k;
  });
  return sizes.map((n, id) => ({ id, size: n, snrDb })).filter((grant) => grant.size > 0);
}

async function side(): Promise<void> {
  for (const cbr of cbrs) {
    const totals: number[] = [];
    for (const path of paths) {
      const image = await loadImage(path);
      const { parts } = await new IntegratedCodec(models).analyse(image, {
        symbols: 3 * image.width * image.height * cbr,
      });
      const { split, economy, partition } = parts;
      totals.push(split.total);
      print(
        `CBR 1/${1 / cbr} ${path.split('/').pop()}: ${split.total} = header ${split.header} + ${partition.sfvs.length} SFVs ` +
          `${split.sfvTable} + partition ${split.partition} + class map ${split.classMap}; economy ${economy}`,
      );
    }
    print(`CBR 1/${1 / cbr}: mean ${mean(totals).toFixed(0)}, largest ${Math.max(...totals)} bytes`);
  }
}

async function power(): Promise<void> {
  const deviations: number[] = [];
  const shuffled: number[] = [];
  const ratios: number[] = [];
  for (const cbr of cbrs) {
    for (const snr of [1, 7, 13]) {
      const db: Record<string, number[]> = {};
      const note = (name: string, value: number) => {
        db[name] ??= [];
        db[name].push(value);
      };
      for (const path of paths) {
        const image = await loadImage(path);
        const budget = Math.floor(3 * image.width * image.height * cbr);
        const random = () => new RandomStream('integrated').fork(`${path.split('/').pop()}/${snr}`);
        const plain = new IntegratedCodec(models);
        const plan = await plain.analyse(image, { symbols: budget });
        const { y } = plan.analysis;
        note('whole picture', psnrDb(image, (await overAwgn(models, y, cbr, snr, random())).image));
        const { sfvOf, sfvs } = plan.parts.partition;
        const left = budget - sideInformationSymbols(plan.parts.split.total);
        const grants = {
          rate: grantsByRate(sfvOf, codePicture(models, y, cbr, snr).symbols.data, sfvs.length, snr),
          importance: grantsByImportance(plan.parts.scores, left, snr),
        };
        for (const [how, list] of Object.entries(grants)) {
          for (const mode of ['sfv', 'picture'] as const) {
            const codec = new IntegratedCodec(models, { power: mode });
            const coded = await codec.planOf(plan.analysis, plan.parts, plan.decision).encode(list);
            const air = random();
            const streams = coded.streams.map((s) => overAir(s, () => snr, air));
            const decoded = await codec.decode({ sideInfo: coded.sideInfo, streams }, { correction: true });
            note(`${how}, ${mode}`, psnrDb(image, decoded.image!));
            const parsed = decodeSideInfo(coded.sideInfo, models.tables);
            if (mode === 'picture' || parsed.kind !== 'integrated') continue;
            for (const code of parsed.sfvScales) if (code > 0) ratios.push(20 * Math.log10(decodeSfvScale(code)));
            for (const s of coded.streams) {
              if (s.kind !== 'analog') continue;
              deviations.push(...stretchPowersDb(s.symbolsReIm, 154));
              shuffled.push(...stretchPowersDb(inRandomOrder(s.symbolsReIm), 154));
            }
          }
        }
      }
      print(
        `CBR 1/${Math.round(1 / cbr)} ${snr} dB: ${Object.entries(db)
          .map(([name, list]) => `${name} ${mean(list).toFixed(2)}`)
          .join('; ')}`,
      );
    }
  }
  const quantiles = (list: number[]) => {
    const sorted = list.sort((a, b) => a - b);
    return [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1].map((q) => sorted[Math.round(q * (sorted.length - 1))]);
  };
  for (const [name, list] of [
    ['this order', deviations],
    ['random order', shuffled],
  ] as const) {
    const inside = list.filter((d) => Math.abs(d) <= 0.1).length / list.length;
    print(
      `power of 154 symbols, ${name}, dB (0 5 25 50 75 95 100 %): ${fixed(quantiles(list))}; ` +
        `of the mean over stretches ${(10 * Math.log10(mean(list.map((d) => 10 ** (d / 10))))).toFixed(3)}; within 0.1 dB ${inside.toFixed(2)}`,
    );
  }
  print(`SFV scale against the picture, dB: ${fixed(quantiles(ratios))}`);
}

/** The same complex symbols in an order drawn at random. */
function inRandomOrder(symbolsReIm: Float32Array): Float32Array {
  const order = new RandomStream('order').shuffle(Uint32Array.from({ length: symbolsReIm.length / 2 }, (_, i) => i));
  return Float32Array.from(symbolsReIm, (_, i) => symbolsReIm[2 * order[i >> 1] + (i & 1)]);
}

/** SFVs on unequal channels: even ids at the first SNR, odd ones at the second. */
async function unequal(): Promise<void> {
  for (const [a, b] of [
    [10, 2],
    [13, -3],
  ]) {
    const db: Record<string, number[]> = { picture: [], sfv: [] };
    for (const path of paths) {
      const image = await loadImage(path);
      const budget = Math.floor((3 * image.width * image.height) / 24);
      const plan = await new IntegratedCodec(models).analyse(image, { symbols: budget });
      const snrOf = (id: number) => (id % 2 === 0 ? a : b);
      const left = budget - sideInformationSymbols(plan.parts.split.total);
      const grants = grantsByImportance(plan.parts.scores, left).map((g) => ({ ...g, snrDb: snrOf(g.id) }));
      for (const senderSnr of ['picture', 'sfv'] as const) {
        const options: IntegratedOptions = { senderSnr };
        const codec = new IntegratedCodec(models, options);
        const coded = await codec.planOf(plan.analysis, plan.parts, plan.decision).encode(grants);
        const air = new RandomStream('integrated').fork(path.split('/').pop()!);
        const streams = coded.streams.map((s) => overAir(s, () => snrOf(s.id), air));
        const decoded = await codec.decode({ sideInfo: coded.sideInfo, streams });
        db[senderSnr].push(psnrDb(image, decoded.image!));
      }
    }
    print(
      `SFVs at ${a} and ${b} dB: f_e told one SNR ${fixed([mean(db.picture)])}, each SFV's ${fixed([mean(db.sfv)])}`,
    );
  }
}

await { side, power, unequal }[part as 'side' | 'power' | 'unequal']();
await models.close();
