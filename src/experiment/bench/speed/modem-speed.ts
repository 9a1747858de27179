import { loadavg } from 'node:os';
import { NUMEROLOGIES, type Numerology, numerology } from '../../../phy/numerology.ts';
import { type HostFacts, hostFacts, type ProgramFacts, programFacts } from '../../run/host-facts.ts';
import { type Spread, spreads } from '../spread.ts';
import { OurProcess, type ShapeText } from './modem-speed-child.ts';
import type { LdpcSpeed } from './modem-speed-ldpc.ts';
import type { Speeds } from './modem-speed-ours.ts';
import { LiquidPeer, type PeerSpeeds } from './modem-speed-peer.ts';
import type { StageCost } from './modem-speed-stages.ts';
import { checkInterrupt } from './speed-turns.ts';

export type { Spread } from '../spread.ts';

type PerPart<T> = { readonly [part in keyof Speeds]: T };

/** One shape of signal, both modems taking turns. Rates in Msps of CPU time of one core. */
export interface ShapeReport {
  readonly fftSize: number;
  readonly cpLength: number;
  readonly subbands: number;
  readonly modemRateHz: number;
  readonly occupiedCarriers: number;
  readonly slots: number;
  readonly bursts: number;
  readonly snrDb: number;
  readonly cfoRadPerSample: number;
  readonly burstSamples: number;
  readonly liquidBurstSamples: number | null;
  readonly ours: PerPart<Spread>;
  readonly liquid: PerPart<Spread> | null;
  /** Ours over liquid's, each round by itself. */
  readonly ratio: PerPart<Spread> | null;
  /** Medians of ours over the modem rate: above 1 one core keeps up. */
  readonly realTimeFactor: PerPart<number>;
  readonly stages: readonly StageCost[];
  readonly rounds: readonly { readonly ours: Speeds; readonly liquid: PeerSpeeds | null }[];
}

export interface SpeedReport {
  readonly schema: 'sct.bench.modem-speed/2';
  readonly quick: boolean;
  readonly command: string;
  readonly machine: HostFacts;
  readonly program: ProgramFacts;
  readonly node: string;
  /** Processes that wanted to run, mean of the last minute, at the start and at the end: others slow both modems, not alike. */
  readonly load: readonly [number, number];
  readonly method: string;
  readonly liquid: { readonly version: string; readonly compiler: string } | null;
  /** Why there is nothing to compare with, else null. */
  readonly noPeer: string | null;
  /** The smaller of the median receive ratios at 64 points and at 1024. */
  readonly ratioToLiquid: number | null;
  readonly shapes: readonly ShapeReport[];
  readonly ldpc: readonly LdpcSpeed[];
}

export interface SpeedOptions {
  readonly quick?: boolean;
  /** Rounds of each shape; default 9, quick 5. */
  readonly rounds?: number;
  /** Bursts of so many slots; default 20. */
  readonly slots?: number;
  /** Numerologies by their subbands; default all. */
  readonly subbands?: readonly number[];
  /** Told before each part. */
  readonly progress?: (what: string) => void;
  /** Shown in the report. */
  readonly command?: string;
  readonly signal?: AbortSignal;
  /** C compilers to try, in this order. */
  readonly compilers?: readonly string[];
}

const METHOD =
  'process CPU time (user + system); each round runs our modem (one thread), then liquid-dsp, each in a process of its own, best of 7 passes ' +
  'of each part; ratios round by round, median and range. QPSK, occupied carriers, pilots (1 in 12), burst length, SNR and ' +
  'frequency offset alike, no oversampling. Ours: samples to soft bits and RB SNR, with detection, tracking, channel and noise estimates. ' +
  'liquid-dsp: samples to hard bits, no error correction, critical rate';
const ROUNDS = 9;
const QUICK_ROUNDS = 5;
/** Numerologies whose ratio to liquid-dsp is asked. */
const ASKED_SUBBANDS = [4, 50];

export const MODEM_SPEED_SCHEMA = 'sct.bench.modem-speed/2';

/**
 * Speed of the modem against liquid-dsp's ofdmflexframe at every numerology, bursts of 20 slots at 20 dB; where the time
 * goes; the channel code apart. Without a compiler or liquid-dsp the ratio is null and `noPeer` says why.
 */
export async function benchModemSpeed(options: SpeedOptions = {}): Promise<SpeedReport> {
  const { quick = false, progress = () => {}, command = 'sct bench modem', compilers, signal } = options;
  const opened = await LiquidPeer.open(compilers);
  const peer = typeof opened === 'string' ? null : opened;
  const rounds = options.rounds ?? (quick ? QUICK_ROUNDS : ROUNDS);
  const loadAtStart = loadavg()[0];
  try {
    const shapes: ShapeReport[] = [];
    for (const subbands of options.subbands ?? NUMEROLOGIES.map((n) => n.nSubbands)) {
      const n = numerology(subbands);
      progress(`speed, ${n.fftSize}-point`);
      checkInterrupt(signal);
      shapes.push(await measureShape(shapeOf(n, quick, options.slots), peer, rounds));
    }
    progress('speed, LDPC');
    const version = shapes[0]?.rounds[0].liquid?.version;
    const ratios = shapes.flatMap((s) =>
      s.ratio && ASKED_SUBBANDS.includes(s.subbands) ? [s.ratio.receive.median] : [],
    );
    return {
      schema: MODEM_SPEED_SCHEMA,
      quick,
      command,
      machine: hostFacts(),
      program: await programFacts(),
      node: process.version,
      load: [loadAtStart, loadavg()[0]],
      method: METHOD,
      liquid: peer && version ? { version, compiler: peer.compiler } : null,
      noPeer: typeof opened === 'string' ? opened : null,
      ratioToLiquid: ratios.length > 0 ? Math.min(...ratios) : null,
      shapes,
      ldpc: await inProcess((ours) => ours.ldpc(quick ? 3 : 9)),
    };
  } finally {
    await peer?.close();
  }
}

/** Work with a fresh process, so that no shape runs on what another has left. */
async function inProcess<T>(work: (ours: OurProcess) => Promise<T>): Promise<T> {
  const ours = new OurProcess();
  try {
    return await work(ours);
  } finally {
    ours.close();
  }
}

/** Bursts of 20 slots, some 250 000 samples in all (quick: 120 000). */
export function shapeOf(n: Numerology, quick: boolean, slots = 20): ShapeText {
  const bursts = Math.max(1, Math.round((quick ? 120_000 : 250_000) / (slots * n.slotLength)));
  return { subbands: n.nSubbands, slots, bursts, snrDb: 20, cfoRadPerSample: 0.0005 };
}

function measureShape(shape: ShapeText, peer: LiquidPeer | null, rounds: number): Promise<ShapeReport> {
  return inProcess(async (ours) => {
    const n = numerology(shape.subbands);
    const burstSamples = await ours.open(shape);
    const results: { ours: Speeds; liquid: PeerSpeeds | null }[] = [];
    for (let round = 0; round < rounds; round++) {
      results.push({ ours: await ours.measure(), liquid: (await peer?.measure(shape, burstSamples)) ?? null });
    }
    const our = spreads(results.map((r) => partsOf(r.ours)));
    const compared = results.flatMap((r) => (r.liquid ? [{ ours: r.ours, liquid: partsOf(r.liquid) }] : []));
    const each = compared.map((r) => perPart((part) => r.ours[part] / r.liquid[part]));
    return {
      fftSize: n.fftSize,
      cpLength: n.cpLength,
      subbands: n.nSubbands,
      modemRateHz: n.sampleRateHz,
      occupiedCarriers: n.nCarriers,
      slots: shape.slots,
      bursts: shape.bursts,
      snrDb: shape.snrDb,
      cfoRadPerSample: shape.cfoRadPerSample,
      burstSamples,
      liquidBurstSamples: results[0].liquid?.burstSamples ?? null,
      ours: our,
      liquid: compared.length > 0 ? spreads(compared.map((r) => r.liquid)) : null,
      ratio: compared.length > 0 ? spreads(each) : null,
      realTimeFactor: perPart((part) => (1e6 * our[part].median) / n.sampleRateHz),
      stages: await ours.stages(profiledPasses(shape, burstSamples, our.receive.median), 1e3 / our.receive.median),
      rounds: results,
    };
  });
}

/** Passes of a second or so: 5000 samples of the profile, shares good to a percent or two. */
function profiledPasses({ bursts }: ShapeText, burstSamples: number, msps: number): number {
  return Math.max(4, Math.ceil((1e6 * msps) / (bursts * burstSamples)));
}

function perPart<T>(of: (part: keyof Speeds) => T): Record<keyof Speeds, T> {
  return { generate: of('generate'), receive: of('receive'), idle: of('idle') };
}

function partsOf(s: Speeds): Record<keyof Speeds, number> {
  return perPart((part) => s[part]);
}
