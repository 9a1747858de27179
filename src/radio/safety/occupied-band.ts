import { inRange } from '../../common/errors.ts';

/** Where a transmission lies: what was set, and how wide the modem's signal is. */
export interface Emission {
  /** Tuned LO, Hz. */
  readonly loHz: number;
  /** Centre of the occupied band minus the LO, Hz: the modem may sit beside the LO. */
  readonly offsetHz: number;
  /** Width of the occupied subcarriers, Hz. */
  readonly occupiedHz: number;
}

export interface Span {
  readonly lowHz: number;
  readonly highHz: number;
}

/**
 * The least span that is certain to hold a transmission: the occupied band and the carrier that leaks at the LO, each moved by the
 * clock's error either way.
 *
 *     low = (1 - ppm 1e-6) min(LO, LO + offset - occupied / 2),   high = (1 + ppm 1e-6) max(LO, LO + offset + occupied / 2)
 *
 * One clock makes LO and sample rate, so that all of it scales together. The carrier counts because a DC offset of -20 dBFS is only 9 dB below
 * the signal's RMS of -11 dBFS (docs/air-interface.md). The mirror image at LO - offset is left out: it is 30 dB down at
 * 0.5 dB and 3 degrees, and has a name of its own (`imageSpan`).
 *
 * UsageError for a frequency, width or error out of range.
 */
export function emissionSpan(emission: Emission, clockErrorPpm: number): Span {
  const { loHz, offsetHz, occupiedHz } = checked(emission);
  inRange('clock error', clockErrorPpm, 0, 1000, 'ppm');
  const centreHz = loHz + offsetHz;
  const error = clockErrorPpm * 1e-6;
  return {
    lowHz: Math.min(loHz, centreHz - occupiedHz / 2) * (1 - error),
    highHz: Math.max(loHz, centreHz + occupiedHz / 2) * (1 + error),
  };
}

/** Where the mirror image of the occupied band lies that a mismatch of I and Q leaves behind: the band reflected at the LO. */
export function imageSpan(emission: Emission, clockErrorPpm: number): Span {
  const { loHz, offsetHz, occupiedHz } = checked(emission);
  const error = clockErrorPpm * 1e-6;
  return {
    lowHz: (loHz - offsetHz - occupiedHz / 2) * (1 - error),
    highHz: (loHz - offsetHz + occupiedHz / 2) * (1 + error),
  };
}

/** Whether `inner` lies in `outer`, ends included. */
export function spanInside(inner: Span, outer: Span): boolean {
  return inner.lowHz >= outer.lowHz && inner.highHz <= outer.highHz;
}

/** "868.05 to 868.55 MHz". */
export function formatSpan(span: Span): string {
  const mhz = (hz: number) => Number((hz / 1e6).toFixed(6)).toString();
  return `${mhz(span.lowHz)} to ${mhz(span.highHz)} MHz`;
}

function checked(emission: Emission): Emission {
  inRange('LO', emission.loHz, 0, 1e11, 'Hz');
  inRange('offset from the LO', emission.offsetHz, -1e9, 1e9, 'Hz');
  inRange('occupied bandwidth', emission.occupiedHz, 0, 1e9, 'Hz');
  return emission;
}
