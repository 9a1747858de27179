import type { ReceiverRecord } from '../../../phy/burst/record.ts';
import type { TrialSignal } from './modem-trial.ts';
import type { BenchRow, ModemPart } from './row.ts';

/** What a measurement is given. */
export interface BenchContext {
  /** The receiver under test; a test may plant a fault here. */
  readonly receive: (signal: TrialSignal) => ReceiverRecord[];
  /** Told after each trial: shows progress, lets the process breathe, throws AbortError when interrupted. */
  readonly step: (done: number, of: number) => Promise<void>;
}

/** Block error rates of genie and real receiver on the same bursts. */
export interface BlerCurve {
  readonly kind: 'bler';
  readonly subbands: number;
  readonly channel: string;
  readonly mcs: string;
  /** Bursts drawn. */
  readonly bursts: number;
  readonly points: readonly {
    readonly snrDb: number;
    readonly genie: number;
    readonly real: number;
    /** Bursts received by both; those not received were foretold by channel or lower SNR, and `checked` of them tried all the same. */
    readonly received: number;
    readonly checked: number;
    readonly exceptions: number;
  }[];
  /** Bare LDPC and QAM of the same blocks on AWGN, [SNR in dB, BLER]. */
  readonly bare?: readonly (readonly [number, number])[];
}

/** Share of bursts with the right header against the burst's own SNR. */
export interface DetectionCurve {
  readonly kind: 'detection';
  readonly subbands: number;
  readonly channel: string;
  readonly points: readonly {
    readonly snrDb: number;
    readonly right: number;
    readonly trials: number;
    readonly low: number;
    readonly high: number;
  }[];
}

/** Error of the RB SNR against the true one. */
export interface RbSnrCurve {
  readonly kind: 'rb-snr';
  readonly subbands: number;
  readonly channel: string;
  readonly points: readonly { readonly snrDb: number; readonly biasDb: number; readonly rmsDb: number }[];
}

export type Curve = BlerCurve | DetectionCurve | RbSnrCurve;

export interface Measured {
  readonly rows: readonly BenchRow[];
  readonly curves?: readonly Curve[];
}

/** One unit of work that is stored and resumed as a whole. */
export interface Measurement {
  readonly part: ModemPart;
  /** Names its file: lower case letters, digits, `-`. */
  readonly id: string;
  run(context: BenchContext): Promise<Measured>;
}
