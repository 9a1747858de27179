import { RandomStream } from '../../src/common/random.ts';

/** One step of a driver on the bus, as a fault plan sees it. */
export interface UsbStep {
  /** Count of steps since the bus was made, from 0. */
  readonly step: number;
  readonly kind: 'claim' | 'controlIn' | 'controlOut' | 'bulkIn' | 'bulkOut';
  /** Endpoint of a bulk transfer; bRequest of a control request; interface number of a claim. */
  readonly target: number;
  readonly length: number;
}

/**
 * What goes wrong in a step.
 * short: at most `bytes` of it happen. stall, io: refused without reaching the board. timeout: lost on the way; ends at
 * its time-out, or never where it has none. late: the board does it, the answer comes `ms` later, which may be after
 * the time-out. garbage: an answer of random bytes, of `bytes` length where given. unplug: the board is pulled, before
 * or after it did the step.
 */
export type UsbFault =
  | { readonly kind: 'short'; readonly bytes: number }
  | { readonly kind: 'stall' | 'io' | 'timeout' }
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'garbage'; readonly seed: number; readonly bytes?: number }
  | { readonly kind: 'unplug'; readonly when: 'before' | 'after' };

/** Chooses the fault of a step; null: none. */
export type FaultPlan = (step: UsbStep) => UsbFault | null;

export const NO_FAULTS: FaultPlan = () => null;

/** The given faults at the given steps. */
export function faultsAt(faults: Readonly<Record<number, UsbFault>>): FaultPlan {
  return ({ step }) => faults[step] ?? null;
}

/**
 * Faults drawn at random: each step fails with probability `rate`. Late answers take at most `maxLateMs`.
 *
 * @param kinds what may be drawn; all by default
 */
export function randomFaults(options: {
  readonly seed: number | string;
  readonly rate: number;
  readonly maxLateMs?: number;
  readonly kinds?: readonly UsbFault['kind'][];
}): FaultPlan {
  const random = new RandomStream(options.seed).fork('usb-faults');
  const kinds = options.kinds ?? ['short', 'stall', 'io', 'timeout', 'late', 'garbage', 'unplug'];
  return ({ length }) => {
    if (random.uniform() >= options.rate) return null;
    const kind = kinds[random.integer(kinds.length)];
    switch (kind) {
      case 'short':
        return { kind, bytes: length > 0 ? random.integer(length) : 0 };
      case 'late':
        return { kind, ms: random.integer((options.maxLateMs ?? 50) + 1) };
      case 'garbage': {
        const seed = random.uint32();
        return random.uniform() < 0.5 ? { kind, seed } : { kind, seed, bytes: random.integer(length + 1) };
      }
      case 'unplug':
        return { kind, when: random.uniform() < 0.5 ? 'before' : 'after' };
      default:
        return { kind };
    }
  };
}

/** Random bytes of a fault. */
export function garbage(seed: number, length: number): Uint8Array {
  const random = new RandomStream(seed);
  return Uint8Array.from({ length }, () => random.uint32() & 0xff);
}
