import { loadavg } from 'node:os';
import { NUMEROLOGIES, type Numerology, numerology } from '../../phy/numerology.ts';
import { type HostFacts, hostFacts, type ProgramFacts, programFacts } from '../host-facts.ts';
import { median } from '../stats.ts';
import { OurProcess, type ShapeText } from './modem-speed-child.ts';
import type { LdpcSpeed } from './modem-speed-ldpc.ts';
import type { Speeds } from './modem-speed-ours.ts';
import { LiquidPeer, type PeerSpeeds } from './modem-speed-peer.ts';
import type { StageCost } from './modem-speed-stages.ts';

/** Median and range over the rounds. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

type PerPart<T> = { readonly [part in keyof Speeds]: T };

/** One shape of signal, both modems taking turns. Rates in Msps of CPU time of one core. */
export interface ShapeReport {
  readonly fftSize: number;
  readonly cpLength: number;
  readonly subbands: number;
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
  readonly stages: readonly StageCost[];
  readonly rounds: readonly { readonly ours: Speeds; readonly liquid: PeerSpeeds | null }[];
}

export interface SpeedReport {
  readonly schema: 'sct.bench.modem-speed/1';
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
  /** The smaller of the shapes' median receive ratios. */
  readonly ratioToLiquid: number | null;
  readonly shapes: readonly ShapeReport[];
  /** Receive cost of every numerology, for its growth with the FFT size. */
  readonly growth: readonly { readonly fftSize: number; readonly subbands: number; readonly nsPerSample: number }[];
  readonly ldpc: readonly LdpcSpeed[];
}

export interface SpeedOptions {
  readonly quick?: boolean;
  /** Told before each part. */
  readonly progress?: (what: string) => void;
  /** Shown in the report. */
  readonly command?: string;
  /** C compilers to try, in this order. */
  readonly compilers?: readonly string[];
}

const METHOD =
  'process CPU time (user + system); each round runs our modem (one thread), then liquid-dsp, each in a process of its own, best of 7 passes ' +
  'of each part; ratios round by round, median and range. QPSK, occupied carriers, pilots (1 in 12), burst length, SNR and ' +
  'frequency offset alike. Ours: samples to soft bits and RB SNR, with detection, tracking, channel and noise estimates. ' +
  'liquid-dsp: samples to hard bits, no error correction, critical rate';
const ROUNDS = 9;
const QUICK_ROUNDS = 5;

/**
 * Speed of the modem against liquid-dsp's ofdmflexframe, 64-point with 4 subbands and 1024-point with 50, bursts of 20
 * slots at 20 dB; where the time goes; every numerology; the channel code. Without a compiler or liquid-dsp the ratio is null
 * and `noPeer` says why.
 */
export async function benchModemSpeed(options: SpeedOptions = {}): Promise<SpeedReport> {
  const { quick = false, progress = () => {}, command = 'sct bench modem', compilers } = options;
  const opened = await LiquidPeer.open(compilers);
  const peer = typeof opened === 'string' ? null : opened;
  const rounds = quick ? QUICK_ROUNDS : ROUNDS;
  const loadAtStart = loadavg()[0];
  const ours = new OurProcess();
  try {
    const shapes: ShapeReport[] = [];
    for (const subbands of [4, 50]) {
      const n = numerology(subbands);
      progress(`speed, ${n.fftSize}-point`);
      shapes.push(await measureShape(ours, shapeOf(n, quick), peer, rounds));
    }
    const growth: { fftSize: number; subbands: number; nsPerSample: number }[] = [];
    for (const n of NUMEROLOGIES) {
      progress(`speed, growth, ${n.fftSize}-point`);
      await ours.open(shapeOf(n, true));
      const rate = await ours.receive(quick ? 4 : 12);
      growth.push({ fftSize: n.fftSize, subbands: n.nSubbands, nsPerSample: 1e3 / rate });
    }
    progress('speed, LDPC');
    const ldpc = await ours.ldpc(quick ? 3 : 9);
    const version = shapes[0].rounds[0].liquid?.version;
    const ratios = shapes.flatMap((s) => (s.ratio ? [s.ratio.receive.median] : []));
    return {
      schema: 'sct.bench.modem-speed/1',
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
      growth,
      ldpc,
    };
  } finally {
    ours.close();
    await peer?.close();
  }
}

/** Bursts of 20 slots, some 250 000 samples in all (quick: 120 000). */
function shapeOf(n: Numerology, quick: boolean): ShapeText {
  const slots = 20;
  const bursts = Math.max(1, Math.round((quick ? 120_000 : 250_000) / (slots * n.slotLength)));
  return { subbands: n.nSubbands, slots, bursts, snrDb: 20, cfoRadPerSample: 0.0005 };
}

async function measureShape(
  ours: OurProcess,
  shape: ShapeText,
  peer: LiquidPeer | null,
  rounds: number,
): Promise<ShapeReport> {
  const n = numerology(shape.subbands);
  const burstSamples = await ours.open(shape);
  const results: { ours: Speeds; liquid: PeerSpeeds | null }[] = [];
  for (let round = 0; round < rounds; round++) {
    results.push({ ours: await ours.measure(), liquid: (await peer?.measure(shape, burstSamples)) ?? null });
  }
  const our = spreads(results.map((r) => r.ours));
  const compared = results.flatMap((r) => (r.liquid ? [{ ours: r.ours, liquid: r.liquid }] : []));
  const per = (part: keyof Speeds) => compared.map((r) => r.ours[part] / r.liquid[part]);
  const ratio =
    compared.length > 0
      ? { generate: spread(per('generate')), receive: spread(per('receive')), idle: spread(per('idle')) }
      : null;
  return {
    fftSize: n.fftSize,
    cpLength: n.cpLength,
    subbands: n.nSubbands,
    occupiedCarriers: n.nCarriers,
    slots: shape.slots,
    bursts: shape.bursts,
    snrDb: shape.snrDb,
    cfoRadPerSample: shape.cfoRadPerSample,
    burstSamples,
    liquidBurstSamples: compared[0]?.liquid.burstSamples ?? null,
    ours: our,
    liquid: compared.length > 0 ? spreads(compared.map((r) => r.liquid)) : null,
    ratio,
    stages: await ours.stages(4 * rounds, 1e3 / our.receive.median),
    rounds: results,
  };
}

function spread(x: readonly number[]): Spread {
  return { median: median(x), low: Math.min(...x), high: Math.max(...x) };
}

function spreads(rounds: readonly Speeds[]): PerPart<Spread> {
  const part = (name: keyof Speeds) => spread(rounds.map((r) => r[name]));
  return { generate: part('generate'), receive: part('receive'), idle: part('idle') };
}
