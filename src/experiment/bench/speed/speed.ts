import { loadavg } from 'node:os';
import { UsageError } from '../../../common/errors.ts';
import { type HostFacts, hostFacts, type ProgramFacts, programFacts } from '../../run/host-facts.ts';
import { LARGEST_SETTINGS, type LdpcPeerReport, ldpcPeerSpeeds, requireSourceTree } from '../ldpc/ldpc-peer.ts';
import { FFT_ASKED, type FftReport, fftSpeeds } from './fft-speed.ts';
import { benchModemSpeed, type SpeedReport } from './modem-speed.ts';
import {
  type BlocksRow,
  type DeviceRow,
  growthWithBlocks,
  growthWithImages,
  growthWithMcs,
  type ImageRow,
  idleSearch,
  type McsRow,
} from './speed-growth.ts';
import { checkInterrupt } from './speed-turns.ts';

export const SPEED_PARTS = ['modem', 'rbs', 'mcs', 'idle', 'fft', 'ldpc', 'images'] as const;
export type SpeedPart = (typeof SPEED_PARTS)[number];

export const SPEED_SCHEMA = 'sct.bench.speed/1';
/** Fewer rounds have no range worth the name. */
export const LEAST_ROUNDS = 5;
export const MOST_ROUNDS = 99;

/** The speed of the whole program; a part that was not asked for is null. */
export interface WholeSpeedReport {
  readonly schema: typeof SPEED_SCHEMA;
  readonly command: string;
  readonly machine: HostFacts;
  readonly program: ProgramFacts;
  readonly node: string;
  /** Processes that wanted to run, mean of the last minute, at the start and at the end. */
  readonly load: readonly [number, number];
  readonly method: string;
  readonly rounds: number;
  /** Every numerology, receive and transmit, with liquid-dsp in the same rounds. */
  readonly modem: SpeedReport | null;
  readonly rbs: readonly BlocksRow[] | null;
  readonly mcs: readonly McsRow[] | null;
  readonly idle: DeviceRow | null;
  /** With FFTW in the same rounds. */
  readonly fft: FftReport | null;
  /** With srsRAN_4G in the same rounds. */
  readonly ldpc: LdpcPeerReport | null;
  readonly images: readonly ImageRow[] | null;
}

export interface WholeSpeedOptions {
  readonly rounds?: number;
  readonly only?: readonly SpeedPart[] | undefined;
  /** Source tree of srsRAN_4G, which must be there where the LDPC decoder is measured. */
  readonly srsran?: string | undefined;
  readonly command?: string;
  readonly progress?: (what: string) => void;
  readonly signal?: AbortSignal;
  /** C compilers to try, in this order. */
  readonly compilers?: readonly string[];
}

/** Parts by their names with commas between them. */
export function parseSpeedParts(text: string): SpeedPart[] {
  return text.split(',').map((word) => {
    const part = SPEED_PARTS.find((p) => p === word.trim());
    if (!part) throw new UsageError(`--only: "${word.trim()}" is no part`, `parts: ${SPEED_PARTS.join(', ')}`);
    return part;
  });
}

const METHOD =
  'process CPU time (user + system) of one core; what is compared takes turns, each in a process of its own with one thread, ' +
  'best of several passes a round, ratios round by round; median (low to high) of the rounds. Pictures: CPU time of all threads, ' +
  'networks with one, integrated codec, CBR 1/16, AWGN 10 dB in between. Resampling and channel code are not in the receiver’s time, but apart';

/**
 * Measures the parts one after the other. Peers that are not there are left out, and the report says why; srsRAN_4G, which is named,
 * must be there: DeviceError.
 */
export async function benchSpeed(options: WholeSpeedOptions = {}): Promise<WholeSpeedReport> {
  const { rounds = LEAST_ROUNDS, only, srsran, command = 'sct bench', progress, signal, compilers } = options;
  const turns = { rounds, progress, signal };
  if (srsran !== undefined && (!only || only.includes('ldpc'))) requireSourceTree(srsran);
  const loadAtStart = loadavg()[0];
  const when = async <T>(part: SpeedPart, work: () => Promise<T>): Promise<T | null> => {
    if (only && !only.includes(part)) return null;
    checkInterrupt(signal);
    return await work();
  };
  const told = { ...(progress ? { progress } : {}), ...(compilers ? { compilers } : {}) };
  const parts = {
    modem: await when('modem', () =>
      benchModemSpeed({ quick: true, rounds, command, ...(signal ? { signal } : {}), ...told }),
    ),
    rbs: await when('rbs', () => growthWithBlocks(turns)),
    mcs: await when('mcs', () => growthWithMcs(turns)),
    idle: await when('idle', () => idleSearch(turns)),
    fft: await when('fft', () => fftSpeeds({ sizes: FFT_ASKED, rounds, all: false, ...told })),
    ldpc: await when('ldpc', () =>
      ldpcPeerSpeeds({ tree: srsran ?? null, settings: LARGEST_SETTINGS, rounds, ...(progress ? { progress } : {}) }),
    ),
    images: await when('images', () => growthWithImages(turns)),
  };
  return {
    schema: SPEED_SCHEMA,
    command,
    machine: hostFacts(),
    program: await programFacts(),
    node: process.version,
    load: [loadAtStart, loadavg()[0]],
    method: METHOD,
    rounds,
    ...parts,
  };
}
