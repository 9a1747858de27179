import { UsageError } from '../../common/errors.ts';
import { requireDistortion } from '../bounds/limits.ts';
import type { Observation } from './observation.ts';

/** Limits of the joint error event P{ds > Ds or dx > Dx} [Shi23]; Infinity for none. */
export interface ErrorLimits {
  readonly ds: number;
  readonly dx: number;
}

export const EVENT_NAMES = ['joint', 'semantic', 'pixel'] as const;

/** The probabilities as a figure has them: with the limits. */
export function eventWords(limits: ErrorLimits | null): Record<(typeof EVENT_NAMES)[number], string> {
  const semantic = `ds > ${limits?.ds ?? 'Ds'}`;
  const pixel = `dx > ${limits?.dx ?? 'Dx'}`;
  const asked = [semantic, pixel].filter((_, i) => limits?.[i === 0 ? 'ds' : 'dx'] !== Number.POSITIVE_INFINITY);
  return { joint: `P{${asked.join(' or ')}}`, semantic: `P{${semantic}}`, pixel: `P{${pixel}}` };
}

/** @throws UsageError for limits out of range, or two that are both inf */
export function errorLimits(ds: number, dx: number): ErrorLimits {
  requireDistortion('Ds', ds);
  requireDistortion('Dx', dx);
  if (ds === Number.POSITIVE_INFINITY && dx === Number.POSITIVE_INFINITY) {
    throw new UsageError('Ds and Dx are both inf: then nothing is an error', 'give one of them a limit');
  }
  return { ds, dx };
}

/**
 * The event and its marginals as 0 or 1 of each picture, null where it cannot be told. Distortions of pictures, as in `sct bounds --points`:
 * ds = 1 - mIoU, by a judge on the received picture where there was one (`--judge`), else of the task on what came; dx = MSE / 255^2 = 10^(-PSNR/10).
 */
export function eventsOf({ ds, dx }: ErrorLimits) {
  const of = (name: 'semantic' | 'pixel', { figures }: Observation): boolean | null => {
    const value = name === 'semantic' ? (figures.judgeMIoU ?? figures.mIoU) : figures.psnrDb;
    const limit = name === 'semantic' ? ds : dx;
    if (limit === Number.POSITIVE_INFINITY) return false;
    if (value === null) return null;
    return (name === 'semantic' ? 1 - value : 10 ** (-value / 10)) > limit;
  };
  const number = (bad: boolean | null) => (bad === null ? null : Number(bad));
  const marginal = (name: 'semantic' | 'pixel', limit: number) => (o: Observation) =>
    limit === Number.POSITIVE_INFINITY ? null : number(of(name, o));
  return {
    joint: (o: Observation): number | null => {
      const [s, x] = [of('semantic', o), of('pixel', o)];
      return s === null || x === null ? null : Number(s || x);
    },
    semantic: marginal('semantic', ds),
    pixel: marginal('pixel', dx),
  } satisfies Record<(typeof EVENT_NAMES)[number], (o: Observation) => number | null>;
}

/**
 * @param told names of the events of which something could be told
 * @throws UsageError where a limit was given for what no picture has
 */
export function checkTold(limits: ErrorLimits, told: ReadonlySet<string>): void {
  if (limits.ds !== Number.POSITIVE_INFINITY && !told.has('semantic')) {
    throw new UsageError('--ds: no picture has an mIoU', 'sweep with truth and judge, or give --dx alone');
  }
  if (limits.dx !== Number.POSITIVE_INFINITY && !told.has('pixel')) {
    throw new UsageError('--dx: no picture has a PSNR');
  }
}
