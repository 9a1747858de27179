import { mean, meanInterval, pairedDifference } from '../../src/experiment/metrics/stats.ts';
import { IntegratedCodec } from '../../src/sct/codec/integrated.ts';
import { ModularCodec } from '../../src/sct/codec/modular.ts';
import {
  agreementWithClean,
  agreementWithTruth,
  type TaskResult,
  taskResult,
} from '../../src/sct/modes/machine-receiver.ts';
import { ConfusionMatrix } from '../../src/sct/quality/confusion.ts';
import type { FeatureMap, GridPlane } from '../../src/sct/semantics/feature-map.ts';
import { STREET_LABELS } from '../../src/sct/semantics/model-tables.ts';
import type { SemanticModels } from '../../src/sct/semantics/models.ts';
import { grantsByRate } from '../modular/grants.ts';
import { roiPictures } from './pictures.ts';
import { overAwgnPlan } from './send.ts';

/** Bits that a symbol of the modular codec carries here: what a good code of rate 3/4 of capacity brings at that SNR. */
const modularBits = (snrDb: number) => 0.75 * Math.log2(1 + 10 ** (snrDb / 10));

/** Where the heads look: at what came as f_d or the quantiser gives it, as the machine receiver does, and at the received picture. */
const WAYS = ['as it came', 'restored', 'from the picture'] as const;
type Way = (typeof WAYS)[number];

/** One way at one SNR, over all pictures. */
export interface MachineRow {
  readonly codec: string;
  readonly snrDb: number;
  readonly way: Way | 'clean';
  readonly pictures: number;
  /** Share of quarter-resolution pixels with the clean features' class, and mIoU of the two maps. */
  readonly sameClass: number | null;
  readonly withClean: number | null;
  /** 95 % interval of the share over the pictures, +-; and the paired difference from the received picture's share, with its ends. */
  readonly sameClassHalf: number;
  readonly overPicture: readonly [number, number, number] | null;
  /** mIoU with CamVid's labels. */
  readonly withTruth: number | null;
  /** Classes a picture: no longer said to be there, said to be there that the clean features do not show. */
  readonly missed: number;
  readonly invented: number;
  /** Share of pictures whose likeliest class is the clean features' one. */
  readonly top1: number;
  /** Mean probability of a street scene, and mean correlation of the saliency map with that of the clean features. */
  readonly street: number;
  readonly saliency: number;
  /** Median milliseconds of the heads; for the picture with its synthesis and analysis. */
  readonly ms: number;
}

/** Sums of one way. */
class Tally {
  private readonly clean = new ConfusionMatrix(STREET_LABELS);
  private readonly truth = new ConfusionMatrix(STREET_LABELS);
  private readonly rows: {
    same: number;
    missed: number;
    invented: number;
    top1: number;
    street: number;
    saliency: number;
    ms: number;
  }[] = [];

  add(
    got: TaskResult,
    saliency: Float32Array,
    ms: number,
    clean: TaskResult,
    cleanSaliency: Float32Array,
    truth: Uint8Array,
  ) {
    const { missed, invented } = agreementWithClean(got, clean, this.clean);
    agreementWithTruth(got, truth, this.truth);
    const alike = got.labels.reduce((sum, label, i) => sum + (label === clean.labels[i] ? 1 : 0), 0);
    this.rows.push({
      same: alike / got.labels.length,
      missed: missed.length,
      invented: invented.length,
      street: got.streetProbability,
      ms,
      top1: likeliest(got) === likeliest(clean) ? 1 : 0,
      saliency: correlation(saliency, cleanSaliency),
    });
  }

  /** @param shown the received picture's tally, over the same pictures */
  row(codec: string, snrDb: number, way: MachineRow['way'], shown?: Tally): MachineRow {
    type Key = keyof (typeof this.rows)[number];
    const of = (key: Key) => mean(this.rows.map((r) => r[key]));
    const [clean, truth] = [this.clean.report(), this.truth.report()];
    const shares = this.rows.map((r) => r.same);
    const same = meanInterval(shares);
    const over =
      shown &&
      pairedDifference(
        shares,
        shown.rows.map((r) => r.same),
      );
    return {
      codec,
      snrDb,
      way,
      pictures: this.rows.length,
      sameClass: clean.pixelAccuracy,
      withClean: clean.mIoU,
      withTruth: truth.mIoU,
      sameClassHalf: same.high - same.value,
      overPicture: over ? [over.value, over.low, over.high] : null,
      missed: of('missed'),
      invented: of('invented'),
      top1: of('top1'),
      street: of('street'),
      saliency: of('saliency'),
      ms: this.rows.map((r) => r.ms).sort((a, b) => a - b)[this.rows.length >> 1],
    };
  }
}

/**
 * The heads on what either codec's receiver has, over AWGN (integrated) and in packets that all arrive (modular), against those on the sender's
 * own features and against CamVid's labels.
 */
export async function* machineRows(
  models: SemanticModels,
  data: string,
  part: 'validation' | 'test',
  most: number,
  cbr: number,
  snrsDb: readonly number[],
): AsyncGenerator<MachineRow> {
  const seen: { yHat: FeatureMap; quality: GridPlane }[] = [];
  const spy: SemanticModels = new Proxy(models, {
    get(target, name) {
      if (name === 'forHeads') {
        return (yHat: FeatureMap, quality: GridPlane) => {
          seen.push({ yHat, quality });
          return target.forHeads(yHat, quality);
        };
      }
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const analysis = { task: 'machine', labelSpace: 'street' } as const;
  const codecs = { integrated: new IntegratedCodec(spy, { analysis }), modular: new ModularCodec(spy, { analysis }) };
  const tallies = new Map<string, Tally>();
  const tally = (key: string) => tallies.get(key) ?? tallies.set(key, new Tally()).get(key)!;
  for await (const { name, image, truth } of roiPictures(data, part, most, ['camvid'])) {
    const y = await models.analyse(image);
    const clean = await taskResult(models, y);
    const map = await models.saliency(y);
    tally('clean').add(clean, map, clean.latencyMs, clean, map, truth!);
    const symbols = Math.floor(3 * image.width * image.height * cbr);
    for (const codec of ['integrated', 'modular'] as const) {
      for (const snrDb of snrsDb) {
        const got = codec === 'integrated' ? await integrated(snrDb) : await modular(snrDb);
        const { yHat, quality } = seen.pop()!;
        const restored = await models.forHeads(yHat, quality);
        const put = (way: Way, task: TaskResult, saliency: Float32Array, ms: number) =>
          tally(`${codec} ${snrDb} ${way}`).add(task, saliency, ms, clean, map, truth!);
        const raw = await taskResult(models, yHat);
        put('as it came', raw, await models.saliency(yHat), raw.latencyMs);
        put('restored', got.task!, await models.saliency(restored), got.task!.latencyMs);
        const start = performance.now();
        const again = await models.analyse(await models.synthesise(yHat, quality));
        const shown = await taskResult(models, again);
        const ms = performance.now() - start;
        put('from the picture', shown, await models.saliency(again), ms);
      }
    }

    async function integrated(snrDb: number) {
      const plan = await codecs.integrated.analyse(image, { symbols });
      return overAwgnPlan(codecs.integrated, plan, symbols, snrDb, name, { view: 'task' });
    }

    async function modular(snrDb: number) {
      const plan = await codecs.modular.analyse(image, { symbols });
      const bytes = Math.floor((symbols * modularBits(snrDb)) / 8) - plan.sideInfoBytes;
      const coded = await plan.encode(grantsByRate(plan, bytes, models.tables));
      const streams = coded.streams.flatMap((s) => (s.kind === 'bits' ? [{ ...s, missing: [] }] : []));
      return codecs.modular.decode({ sideInfo: coded.sideInfo, streams }, { view: 'task' });
    }
  }
  yield tally('clean').row('-', Number.POSITIVE_INFINITY, 'clean');
  for (const codec of ['integrated', 'modular']) {
    for (const snrDb of snrsDb) {
      const shown = tally(`${codec} ${snrDb} from the picture`);
      for (const way of WAYS) {
        const own = tally(`${codec} ${snrDb} ${way}`);
        yield own.row(codec, snrDb, way, own === shown ? undefined : shown);
      }
    }
  }
}

function likeliest({ presence }: TaskResult): string {
  return presence.reduce((a, b) => (b.probability > a.probability ? b : a)).name;
}

/** Pearson's correlation of two maps of logits, as probabilities. */
function correlation(a: Float32Array, b: Float32Array): number {
  const p = (v: number) => 1 / (1 + Math.exp(-v));
  let [sa, sb, aa, bb, ab] = [0, 0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [p(a[i]), p(b[i])];
    sa += x;
    sb += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const n = a.length;
  return (ab - (sa * sb) / n) / Math.sqrt((aa - (sa * sa) / n) * (bb - (sb * sb) / n) + 1e-12);
}
