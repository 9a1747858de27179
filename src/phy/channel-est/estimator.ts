import type { Numerology } from '../numerology.ts';
import type { PreambleEstimate } from './delay-window.ts';
import type { SeparableChannel } from './separable-channel.ts';

/** What a channel estimator gets: the pilots of a burst's slots after phase and timing correction. */
export interface PilotObservations {
  readonly numerology: Numerology;
  readonly slots: number;
  /** Least-squares channel at the pilots, [slot x 14][nSubbands][re, im]. */
  readonly pilots: Float32Array;
  /** Sum of their |p|^2 where it is known already. */
  readonly energy?: number;
  /** Noise variance of one RE, from the preamble. */
  readonly noiseVariance: number;
  readonly preamble: PreambleEstimate;
}

/** A channel estimate over a burst's slots. */
export interface ChannelEstimate {
  readonly channel: SeparableChannel;
  /** Error variance of an estimated coefficient over the noise variance (parameters / observations). */
  readonly errorRatio: number;
  /**
   * Mean |estimate|^2 - |H|^2 over the noise variance. Noise comes on top of an estimate without a prior; what a matched
   * prior has shrunk lacks its own error variance, E |H|^2 = E |estimate|^2 + error.
   */
  readonly powerBias: number;
  /** The part of the noise that the residuals at the pilots lack, where that is not `errorRatio` (a projection's is). */
  readonly residualRatio?: number;
  /** One line for logs: what was assumed about delay and time. */
  readonly summary: string;
}

/** Estimators to choose from, the default first. */
export const ESTIMATORS = ['lmmse', 'dft', 'ls'] as const;
export type EstimatorName = (typeof ESTIMATORS)[number];

export interface ChannelEstimator {
  readonly name: EstimatorName;
  estimate(observed: PilotObservations): ChannelEstimate;
}
