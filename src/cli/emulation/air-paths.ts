import type { AirPath, PathChannel } from '../../../hardware/emulated/air-model.ts';
import { buildChannel } from '../../phy/channel/scenario.ts';
import type { EmulationPlan } from './emulation-options.ts';

type FadingPlan = Pick<EmulationPlan, 'channel' | 'dopplerHz' | 'delaySpreadNs' | 'seed' | 'pathLossDb' | 'ownLossDb'>;

/** Every board hears every other through a fading of its own, the same taps both ways; itself over `ownLossDb`, which does not fade. */
export function airPaths(plan: FadingPlan, names: readonly string[]): AirPath[] {
  const { channel, dopplerHz, delaySpreadNs, seed } = plan;
  const made =
    (from: string, to: string) =>
    (rateHz: number): PathChannel =>
      buildChannel({
        rateHz,
        channel,
        seed: `${seed}/${[from, to].sort().join('/')}`,
        ...(dopplerHz === undefined ? {} : { dopplerHz }),
        ...(delaySpreadNs === undefined ? {} : { delaySpreadNs }),
      });
  return names.flatMap((from) =>
    names.flatMap((to): AirPath[] => {
      const lossDb = from === to ? plan.ownLossDb : plan.pathLossDb;
      if (lossDb === null) return [];
      const fades = from !== to && channel !== 'awgn';
      return [{ from, to, lossDb, ...(fades ? { channel: made(from, to) } : {}) }];
    }),
  );
}
