import { UsageError } from '../../common/errors.ts';
import { splitGain } from '../../link/session/gain-control.ts';
import { loadProfile, type RadioProfile } from '../../radio/profile.ts';
import type { RadioCapabilities, StreamRequest } from '../../radio/radio.ts';
import type { RadioUri } from '../../radio/uri.ts';

/** What the flags -f, -s and --gain ask of a board. */
export interface BoardWish {
  readonly frequencyHz?: number;
  readonly rateHz?: number;
  /** Of all stages together; amplifiers that are only on or off stay as they are. */
  readonly gainDb?: number;
}

/** The profile of a board; null for a file and the loopback. */
export function profileOfUri(uri: RadioUri): RadioProfile | null {
  if (uri.kind === 'hackrf') return loadProfile('hackrf');
  if (uri.kind === 'pluto-usb' || uri.kind === 'pluto-ip') return loadProfile('pluto');
  return null;
}

/** A stream's request. UsageError for a gain that the stages cannot make up, with the nearest below. */
export function streamRequest(capabilities: RadioCapabilities, direction: 'rx' | 'tx', wish: BoardWish): StreamRequest {
  const { frequencyHz, rateHz, gainDb } = wish;
  return {
    ...(frequencyHz === undefined ? {} : { frequencyHz }),
    ...(rateHz === undefined ? {} : { rateHz }),
    ...(gainDb === undefined ? {} : { gainsDb: gainsOf(capabilities, direction, gainDb) }),
  };
}

function gainsOf({ name, gains }: RadioCapabilities, direction: 'rx' | 'tx', gainDb: number): Record<string, number> {
  const stages = gains.filter((g) => g.direction === direction && g.max - g.min > g.step);
  if (stages.length === 0) throw new UsageError(`${name} has no ${direction} gain to set`, 'leave out --gain');
  const min = stages.reduce((sum, s) => sum + s.min, 0);
  const max = stages.reduce((sum, s) => sum + s.max, 0);
  if (!(gainDb >= min && gainDb <= max)) {
    throw new UsageError(`--gain ${gainDb} dB is out of range for ${name}: allowed ${min} to ${max} dB`);
  }
  const split = splitGain(stages, gainDb);
  const set = Object.values(split).reduce((a, b) => a + b, 0);
  if (Math.abs(set - gainDb) > 1e-6) {
    throw new UsageError(`--gain ${gainDb} dB is not possible on ${name}`, `${set} dB is the nearest below`);
  }
  return split;
}
