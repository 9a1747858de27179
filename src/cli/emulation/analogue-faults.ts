import type { MakeFaults } from '../../../hardware/emulated/analogue-faults.ts';
import { buildChannel, type ChannelOptions } from '../../phy/channel/scenario.ts';
import type { EmulatedKind } from './emulation-options.ts';

/** Mixers that the modem has to stand at both ends (docs/air-interface.md); the converters are the boards' own. */
const MIXER_FAULTS = { iqDb: 0.5, iqDeg: 3, dcDbfs: -20 } as const;
/** Rates that channel models know, Hz; a host may set a board to others. */
const MODEL_RATE_HZ = { min: 1e5, max: 61.44e6 } as const;

/** `--faults`: mixers as MIXER_FAULTS says, oscillators with the phase noise of the board's kind (phy/channel/phase-noise). */
export function analogueFaults(kind: EmulatedKind, seed: string): { rxFaults: MakeFaults; txFaults: MakeFaults } {
  const faults = { ...MIXER_FAULTS, phaseNoise: kind };
  const made = (name: string, options: Partial<ChannelOptions>) => (trueRateHz: number) =>
    buildChannel({
      rateHz: Math.min(Math.max(trueRateHz, MODEL_RATE_HZ.min), MODEL_RATE_HZ.max),
      seed: `${seed}/${name}`,
      ...options,
    });
  return { rxFaults: made('rx', faults), txFaults: made('tx', { tx: faults }) };
}
