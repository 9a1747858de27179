import { RandomStream } from '../../common/random.ts';
import { unsentOf } from '../../link/plan/coded-in-budget.ts';
import type { ReceivedPicture } from '../../link/receiver.ts';
import type { Numerology } from '../../phy/numerology.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { measureQuality } from '../../sct/quality/report.ts';
import { decodeOptions } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import type { ComparableExchange } from '../loopback/picture-run.ts';
import { pixelWeights } from '../metrics/link-metrics.ts';
import { sentSemantics } from '../metrics/semantic-collect.ts';
import { type Estimate, mean, pairedDifference } from '../metrics/stats.ts';
import type { SemanticData } from '../report/semantic-data.ts';

export type Mapping = LinkConfig['mapping'];

/** What is compared, of each picture. */
export const COMPARED = ['psnrDb', 'importanceWeightedPsnrDb', 'roiPsnrDb', 'msSsim', 'ssim'] as const;
type Compared = (typeof COMPARED)[number];

/** One picture of a comparison. */
export interface ComparedPicture {
  readonly mapping: Mapping;
  /** Whether all of it came. */
  readonly complete: boolean;
  /** By the receiver's samples; null where the burst was not heard. */
  readonly csiAgeMs: number | null;
  readonly csiNumber: number;
  /** Mean over its bursts as received, dB; null where none was heard. */
  readonly snrDb: number | null;
  readonly quality: Readonly<Record<Compared, number | null>>;
}

/** All mappings on one report, in the order in which they were sent. */
export type ComparedTrial = readonly ComparedPicture[];

export interface Comparison {
  /** The last picture of each mapping as it was shown, for the page. */
  readonly shown: ReadonlyMap<Mapping, RgbImage>;
  readonly trials: readonly ComparedTrial[];
  readonly means: Readonly<Record<string, Readonly<Record<Compared, number | null>>>>;
  /** The first mapping less each other one, over the trials, with its 95 % interval (Student's t). */
  readonly differences: readonly {
    readonly of: Mapping;
    readonly minus: Mapping;
    readonly figures: Readonly<Record<Compared, Estimate | null>>;
  }[];
}

/** What a comparison must know of a link beside its exchange. */
export interface ComparedLink {
  readonly config: LinkConfig;
  readonly numerology: Numerology;
  /** Region of interest by ground truth, a value a pixel. */
  readonly roiMask: Uint8Array | undefined;
  /** Labels of the sender's model set; null for a codec without. */
  readonly labels: SemanticData['labels'] | null;
}

/**
 * Sends a picture `count` times with every mapping: each time the channel is measured anew, and the mappings follow one another on that one report
 * in an order drawn from the seed, so that neither drift nor the report's age favours one of them. Power, budget and everything else stay.
 */
export async function compareMappings(
  exchange: ComparableExchange,
  image: RgbImage,
  mappings: readonly Mapping[],
  count: number,
  { config, roiMask, labels, numerology }: ComparedLink,
  progress: (trial: number) => void,
): Promise<Comparison> {
  const random = new RandomStream(config.seed).fork('compare');
  const seen = new Set<ReceivedPicture>();
  const trials: ComparedTrial[] = [];
  const last = new Map<Mapping, RgbImage>();
  await exchange.prepare(image);
  for (let t = 0; t < count; t++) {
    progress(t);
    await exchange.measure();
    const order = random.shuffle(Uint8Array.from(mappings.keys()));
    const trial: ComparedPicture[] = [];
    for (const which of order) {
      const mapping = mappings[which];
      const before = exchange.trace.bursts.length;
      const plan = await unsentOf(exchange.sendWith(image, { mapping, mappingForced: true }));
      const { receiver } = exchange.chain;
      const picture = receiver.received.findLast((p) => !seen.has(p));
      if (picture) seen.add(picture);
      const decoded = picture && (await receiver.picture(picture, decodeOptions(config)));
      // What did not arrive counts as flat grey, as in every run.
      const shown = decoded?.decodable || decoded?.sfvs ? decoded.image : undefined;
      if (shown) last.set(mapping, shown);
      const importance = labels && sentSemantics(numerology, labels, plan.source, plan)?.importance;
      const weights = importance ? pixelWeights(importance, image) : undefined;
      const q = measureQuality({ reference: image, received: shown, roiMask, weights });
      const heard = exchange.trace.bursts.slice(before).filter((b) => b.use === 'data');
      trial.push({
        mapping,
        complete: decoded?.complete === true,
        csiAgeMs: heard[0]?.csiAgeMs ?? null,
        csiNumber: plan.csiNumber,
        snrDb: heard.length > 0 ? mean(heard.map((b) => b.snrDb)) : null,
        quality: figuresOf((key) => q[key]),
      });
    }
    trials.push(trial);
  }
  return { shown: last, trials, ...statistics(trials, mappings) };
}

function figuresOf<T>(make: (key: Compared) => T): Record<Compared, T> {
  return Object.fromEntries(COMPARED.map((key) => [key, make(key)])) as Record<Compared, T>;
}

function statistics(
  trials: readonly ComparedTrial[],
  mappings: readonly Mapping[],
): Pick<Comparison, 'means' | 'differences'> {
  const values = (mapping: Mapping, key: Compared): number[] | null => {
    const all = trials.map((t) => t.find((p) => p.mapping === mapping)!.quality[key]);
    return all.some((v) => v === null) ? null : (all as number[]);
  };
  const [first, ...others] = mappings;
  return {
    means: Object.fromEntries(
      mappings.map((m) => [
        m,
        figuresOf((key) => {
          const v = values(m, key);
          return v ? mean(v) : null;
        }),
      ]),
    ),
    differences: others.map((minus) => ({
      of: first,
      minus,
      figures: figuresOf((key) => {
        const [a, b] = [values(first, key), values(minus, key)];
        return a && b ? pairedDifference(a, b) : null;
      }),
    })),
  };
}
