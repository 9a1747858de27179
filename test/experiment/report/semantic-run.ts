import { overAir } from '../../../bench/integrated/air.ts';
import { RandomStream } from '../../../src/common/random.ts';
import type { SemanticData } from '../../../src/experiment/report/semantic-data.ts';
import { RB_DATA_RE } from '../../../src/phy/numerology.ts';
import { allocate, type Mapping } from '../../../src/sct/allocation/allocate.ts';
import { reserveLeading } from '../../../src/sct/allocation/burst-shape.ts';
import { decodeCsi, encodeCsiReport } from '../../../src/sct/allocation/csi-code.ts';
import { reportedChannels } from '../../../src/sct/allocation/effective-snr.ts';
import { placeSymbols } from '../../../src/sct/allocation/rb-map.ts';
import type { DecodedImage } from '../../../src/sct/codec/codec.ts';
import { IntegratedCodec } from '../../../src/sct/codec/integrated.ts';
import type { RgbImage } from '../../../src/sct/image/rgb-image.ts';
import type { SemanticModels } from '../../../src/sct/semantics/models.ts';

export interface SemanticRun {
  readonly semantic: SemanticData;
  readonly source: RgbImage;
  readonly decoded: DecodedImage;
  readonly reportedDb: number[]; // [subband]
  readonly measuredDb: Float32Array; // [slot][subband]
}

export interface RunSettings {
  readonly mapping?: Mapping;
  readonly subbands?: number;
  readonly cbr?: number;
  readonly meanDb?: number;
  /** SFVs that do not arrive. */
  readonly lost?: (id: number) => boolean;
  readonly uncorrected?: boolean;
}

/**
 * A picture through the real codec and the real allocation at symbol level: one burst over a fading band whose report is a
 * little old; side information arrives. Same seed, same numbers.
 */
export async function semanticRun(
  models: SemanticModels,
  source: RgbImage,
  settings: RunSettings = {},
): Promise<SemanticRun> {
  const { mapping = 'matched', subbands = 25, cbr = 1 / 16, meanDb = 5, lost = () => false } = settings;
  const random = new RandomStream('semantic-run');
  const budget = Math.floor(3 * source.width * source.height * cbr);
  const slots = Math.max(1, Math.floor(budget / (subbands * RB_DATA_RE)));
  const fade = (s: number) => 6 * Math.sin((2 * Math.PI * s) / 11) + 3 * Math.cos((2 * Math.PI * s) / 4.3);
  const csi = encodeCsiReport(Float64Array.from({ length: subbands }, (_, s) => meanDb + fade(s)));
  const reportedDb = Array.from(csi, decodeCsi);
  const measuredDb = Float32Array.from({ length: slots * subbands }, (_, rb) => {
    const age = 0.3 + 0.6 * (Math.floor(rb / subbands) / slots);
    return meanDb + fade((rb % subbands) + age) + 0.5 * random.normal();
  });

  const codec = new IntegratedCodec(models);
  const plan = await codec.analyse(source, { symbols: budget });
  const { partition, scores, ranking, split } = plan.parts;
  const reservedRe = Math.ceil((6 * 8 * split.total) / 2 / subbands);
  const whole = { nSubbands: subbands, nSlots: slots, rePerRb: new Uint16Array(slots * subbands).fill(RB_DATA_RE) };
  const shape = reserveLeading(whole, Math.min(reservedRe, (slots - 1) * RB_DATA_RE));
  const minRe = plan.streams.map((s) => s.minSize);
  const { map } = allocate({ shape, csi, scores, ranking, minRe, mapping });
  const placement = placeSymbols(map, shape);
  const channels = reportedChannels(placement, csi, subbands);
  const grants = Array.from(map.sfvOrder, (id, i) => ({ id, size: map.reCounts[i], snrDb: channels[i].snrDb }));
  const coded = await plan.encode(grants);
  const streams = coded.streams.map((stream) => {
    const first = placement.start[map.sfvOrder.indexOf(stream.id)];
    const snr = (place: number) =>
      lost(stream.id) ? Number.NEGATIVE_INFINITY : measuredDb[placement.rb[first + place]];
    return overAir(stream, snr, random.fork(`${stream.id}`));
  });
  const decoded = await codec.decode(
    { sideInfo: coded.sideInfo, streams },
    { uncorrected: settings.uncorrected ?? true, view: 'both' },
  );
  const semantic: SemanticData = {
    labels: models.tables.labels,
    partition,
    scores,
    ranking,
    importance: plan.analysis.importance.data,
    bursts: [
      {
        burst: 1,
        subbands,
        slots,
        reservedRe: shape.firstRe ? Math.min(reservedRe, (slots - 1) * RB_DATA_RE) : 0,
        map,
      },
    ],
    sideSplit: split,
    settings: coded.settings,
    timingsMs: { ...plan.timingsMs, ...coded.timingsMs, ...decoded.timingsMs },
  };
  return { semantic, source, decoded, reportedDb, measuredDb };
}
