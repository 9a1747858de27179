import { FormatError } from '../../common/errors.ts';
import { type BoardCall, inCall, replyView } from './board-call.ts';

/**
 * State of the M0 core, which moves samples between the converters and a buffer of 32 KiB (firmware, sgpio_m0.s). It counts bytes in units of 32. Where
 * the other core does not keep up, samples are discarded (RX) or zeros are sent (TX): a shortfall, in which m0Count stands still.
 */
export interface M0State {
  readonly requestedMode: number;
  readonly requestFlag: number;
  readonly activeMode: M0Mode;
  /** Bytes exchanged with the buffer since the mode was set, modulo 2^32. */
  readonly m0Count: number;
  readonly m4Count: number;
  readonly shortfalls: number;
  /** Longest shortfall since the mode was set, bytes. */
  readonly longestShortfallBytes: number;
  readonly shortfallLimitBytes: number;
  readonly threshold: number;
  readonly nextMode: number;
  readonly error: M0Error;
}

export const M0_MODES = ['idle', 'wait', 'rx', 'tx-start', 'tx-run'] as const;
export type M0Mode = (typeof M0_MODES)[number];

export const M0_ERRORS = ['none', 'rx-timeout', 'tx-timeout', 'missed-deadline'] as const;
export type M0Error = (typeof M0_ERRORS)[number];

/** Bytes that the M0 exchanges at a time: shortfalls are multiples of it. */
export const M0_CHUNK_BYTES = 32;
/** The buffer between the cores. */
export const M0_BUFFER_BYTES = 32_768;

const STATE_BYTES = 40;

export function getM0State(): BoardCall {
  return inCall('GET_M0_STATE', 0, 0, STATE_BYTES);
}

/** 40 bytes: u16 requested mode, u16 flag, nine u32, little endian. Unknown modes and errors are a FormatError. */
export function decodeM0State(reply: Uint8Array): M0State {
  const view = replyView(getM0State(), reply);
  const u32 = (at: number): number => view.getUint32(at, true);
  const activeMode = M0_MODES[u32(4)];
  const error = M0_ERRORS[u32(36)];
  if (!activeMode) throw new FormatError('GET_M0_STATE', `unknown mode ${u32(4)}`);
  if (!error) throw new FormatError('GET_M0_STATE', `unknown error ${u32(36)}`);
  return {
    requestedMode: view.getUint16(0, true),
    requestFlag: view.getUint16(2, true),
    activeMode,
    m0Count: u32(8),
    m4Count: u32(12),
    shortfalls: u32(16),
    longestShortfallBytes: u32(20),
    shortfallLimitBytes: u32(24),
    threshold: u32(28),
    nextMode: u32(32),
    error,
  };
}
