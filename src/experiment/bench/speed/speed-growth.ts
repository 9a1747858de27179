import type { ModulationOrder } from '../../../phy/modulation/qam.ts';
import { numerology } from '../../../phy/numerology.ts';
import type { Spread } from '../spread.ts';
import type { CodedCosts, CodedFacts } from './coded-speed.ts';
import type { DeviceCosts } from './idle-speed.ts';
import { IMAGE_SIZES, type ImageCosts } from './image-speed.ts';
import { shapeOf } from './modem-speed.ts';
import type { Speeds } from './modem-speed-ours.ts';
import { inTurns, type TurnOptions } from './speed-turns.ts';

/** Growth with the resource blocks of a burst; nanoseconds of CPU time of one core for a sample. */
export interface BlocksRow {
  readonly subbands: number;
  readonly slots: number;
  readonly rbs: number;
  readonly burstSamples: number;
  readonly generateNs: Spread;
  readonly receiveNs: Spread;
  /** Median of receiving a whole burst over its resource blocks, microseconds. */
  readonly receiveUsPerRb: number;
}

const BLOCK_SUBBANDS = 25;
const BLOCK_SLOTS = [1, 4, 20, 80];

/** Bursts of 25 to 2000 resource blocks, some 120 000 samples in all. */
export async function growthWithBlocks(options: TurnOptions): Promise<BlocksRow[]> {
  const n = numerology(BLOCK_SUBBANDS);
  const shapes = BLOCK_SLOTS.map((slots) => shapeOf(n, true, slots));
  const subjects = shapes.map((shape) => ({ kind: 'modem' as const, ...shape }));
  const turned = await inTurns<{ burstSamples: number }, keyof Speeds>('resource blocks', subjects, options);
  return turned.map(({ facts: { burstSamples }, costs }, i) => {
    const { slots } = shapes[i];
    const rbs = slots * n.nSubbands;
    const receiveNs = nsOf(costs.receive);
    // The rate counts the gaps between the bursts, too.
    const receiveUsPerRb = (receiveNs.median * (burstSamples + 4 * n.symbolLength)) / 1e3 / rbs;
    return {
      subbands: n.nSubbands,
      slots,
      rbs,
      burstSamples,
      generateNs: nsOf(costs.generate),
      receiveNs,
      receiveUsPerRb,
    };
  });
}

/** From megasamples a second to nanoseconds a sample. */
function nsOf({ median, low, high }: Spread): Spread {
  return { median: 1e3 / median, low: 1e3 / high, high: 1e3 / low };
}

/** Growth with modulation and code rate. */
export interface McsRow extends CodedFacts {
  readonly subbands: number;
  readonly modemRateHz: number;
  readonly slots: number;
  readonly qm: ModulationOrder;
  readonly codeRate: number;
  readonly snrDb: number;
  /** Nanoseconds for a sample of the modem rate. */
  readonly ns: Record<keyof CodedCosts, Spread>;
  /** Information decoded a second of the decoder's CPU time alone, Mb/s. */
  readonly decodeMbps: number;
  /** One core over the modem rate. */
  readonly realTimeFactor: {
    readonly receive: number;
    readonly decode: number;
    /** Samples to bytes. */
    readonly receiveAndDecode: number;
    /** Bytes to samples. */
    readonly transmit: number;
  };
}

/** Each some 2 dB above where its blocks begin to fail, as link adaptation would choose it. */
const MCS: readonly { readonly qm: ModulationOrder; readonly codeRate: number; readonly snrDb: number }[] = [
  { qm: 2, codeRate: 1 / 2, snrDb: 4 },
  { qm: 4, codeRate: 1 / 2, snrDb: 9.5 },
  { qm: 6, codeRate: 3 / 4, snrDb: 18 },
  { qm: 8, codeRate: 3 / 4, snrDb: 24 },
];
const MCS_SUBBANDS = 50;

/** The whole digital chain at 1024 points with QPSK to 256-QAM, channel code apart. */
export async function growthWithMcs(options: TurnOptions): Promise<McsRow[]> {
  const n = numerology(MCS_SUBBANDS);
  const { slots, bursts } = shapeOf(n, true, 10);
  const subjects = MCS.map((mcs) => ({ kind: 'coded' as const, subbands: n.nSubbands, slots, bursts, ...mcs }));
  const turned = await inTurns<CodedFacts, keyof CodedCosts>('modulation and code rate', subjects, options);
  return turned.map(({ facts, costs }, i) => {
    const factor = (ns: number) => 1e9 / n.sampleRateHz / ns;
    const { encode, generate, receive, decode } = costs;
    return {
      subbands: n.nSubbands,
      modemRateHz: n.sampleRateHz,
      slots,
      ...MCS[i],
      ...facts,
      ns: costs,
      decodeMbps: (1e3 * facts.infoBits) / (decode.median * facts.samples),
      realTimeFactor: {
        receive: factor(receive.median),
        decode: factor(decode.median),
        receiveAndDecode: factor(receive.median + decode.median),
        transmit: factor(encode.median + generate.median),
      },
    };
  });
}

/** Growth with the size of the picture. */
export interface ImageRow {
  readonly set: 'live' | 'base';
  readonly precision: 'float' | 'int8';
  readonly width: number;
  readonly height: number;
  /** Milliseconds of CPU time. */
  readonly encodeMs: Spread;
  readonly decodeMs: Spread;
  /** Pictures a second of one core, both sides. */
  readonly picturesPerS: number;
  /** Milliseconds asked of both sides together; null where nothing is asked. */
  readonly askedMs: number | null;
  readonly met: boolean | null;
}

/** So that 30 pictures a second leave the second core to the modem. */
const VIDEO_MS = 30;
const SETS = [
  { set: 'live', precision: 'int8' },
  { set: 'live', precision: 'float' },
  { set: 'base', precision: 'float' },
] as const;

export async function growthWithImages(options: TurnOptions): Promise<ImageRow[]> {
  const shapes = SETS.flatMap((set) => IMAGE_SIZES.map(([width, height]) => ({ ...set, width, height })));
  const subjects = shapes.map((shape) => ({ kind: 'image' as const, ...shape }));
  const turned = await inTurns<null, keyof ImageCosts>('pictures', subjects, options, false);
  return turned.map(({ costs: { encode, decode } }, i) => {
    const shape = shapes[i];
    const bothMs = encode.median + decode.median;
    const isAsked = shape.precision === 'int8' && shape.width === 256;
    return {
      ...shape,
      encodeMs: encode,
      decodeMs: decode,
      picturesPerS: 1e3 / bothMs,
      askedMs: isAsked ? VIDEO_MS : null,
      met: isAsked ? bothMs <= VIDEO_MS : null,
    };
  });
}

/** A receiver at a board's rate. */
export interface DeviceRow {
  readonly subbands: number;
  readonly modemRateHz: number;
  readonly deviceRateHz: number;
  readonly loOffsetHz: number;
  /** Nanoseconds for a sample of the device rate. */
  readonly ns: Record<keyof DeviceCosts, Spread>;
  /** Share of one core at the device rate, 0 to 1. */
  readonly share: Record<keyof DeviceCosts, Spread>;
  /** Share asked of the idle search. */
  readonly askedShare: number;
  readonly met: boolean;
}

const IDLE_SHARE = 0.25;

/** Idle search at 20 Msps, 8-bit samples, resampled to 15.36 Msps; the change of rate also by itself, both ways. */
export async function idleSearch(options: TurnOptions): Promise<DeviceRow> {
  const n = numerology(50);
  const deviceRateHz = 20e6;
  const subject = { kind: 'device' as const, subbands: n.nSubbands, deviceRateHz };
  const [{ facts, costs }] = await inTurns<{ loOffsetHz: number }, keyof DeviceCosts>(
    'idle search',
    [subject],
    options,
  );
  const shareOf = ({ median, low, high }: Spread): Spread => ({
    median: 1e-9 * median * deviceRateHz,
    low: 1e-9 * low * deviceRateHz,
    high: 1e-9 * high * deviceRateHz,
  });
  const share = { idle: shareOf(costs.idle), down: shareOf(costs.down), up: shareOf(costs.up) };
  return {
    subbands: n.nSubbands,
    modemRateHz: n.sampleRateHz,
    deviceRateHz,
    loOffsetHz: facts.loOffsetHz,
    ns: costs,
    share,
    askedShare: IDLE_SHARE,
    met: share.idle.median <= IDLE_SHARE,
  };
}
