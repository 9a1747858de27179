import { inRange, UsageError } from '../../common/errors.ts';

/** Taps of a channel: delays in ns and mean powers that sum to 1. */
export interface PowerDelayProfile {
  name: string;
  delaysNs: readonly number[];
  powers: readonly number[];
  defaultDopplerHz: number;
}

interface Table {
  delays: readonly number[];
  powersDb: readonly number[];
  defaultDopplerHz: number;
  /** Delays are multiples of the wanted RMS delay spread (TS 38.901) instead of ns. */
  normalised: boolean;
}

/** EPA, EVA, ETU: TS 36.104 Annex B.2. TDL-A, B, C: TR 38.901 tables 7.7.2-1 to 7.7.2-3. */
const TABLES: Record<string, Table> = {
  epa: {
    delays: [0, 30, 70, 90, 110, 190, 410],
    powersDb: [0, -1, -2, -3, -8, -17.2, -20.8],
    defaultDopplerHz: 5,
    normalised: false,
  },
  eva: {
    delays: [0, 30, 150, 310, 370, 710, 1090, 1730, 2510],
    powersDb: [0, -1.5, -1.4, -3.6, -0.6, -9.1, -7, -12, -16.9],
    defaultDopplerHz: 70,
    normalised: false,
  },
  etu: {
    delays: [0, 50, 120, 200, 230, 500, 1600, 2300, 5000],
    powersDb: [-1, -1, -1, 0, 0, 0, -3, -5, -7],
    defaultDopplerHz: 70,
    normalised: false,
  },
  'tdl-a': {
    delays: [
      0, 0.3819, 0.4025, 0.5868, 0.461, 0.5375, 0.6708, 0.575, 0.7618, 1.5375, 1.8978, 2.2242, 2.1718, 2.4942, 2.5119,
      3.0582, 4.081, 4.4579, 4.5695, 4.7966, 5.0066, 5.3043, 9.6586,
    ],
    powersDb: [
      -13.4, 0, -2.2, -4, -6, -8.2, -9.9, -10.5, -7.5, -15.9, -6.6, -16.7, -12.4, -15.2, -10.8, -11.3, -12.7, -16.2,
      -18.3, -18.9, -16.6, -19.9, -29.7,
    ],
    defaultDopplerHz: 5,
    normalised: true,
  },
  'tdl-b': {
    delays: [
      0, 0.1072, 0.2155, 0.2095, 0.287, 0.2986, 0.3752, 0.5055, 0.3681, 0.3697, 0.57, 0.5283, 1.1021, 1.2756, 1.5474,
      1.7842, 2.0169, 2.8294, 3.0219, 3.6187, 4.1067, 4.279, 4.7834,
    ],
    powersDb: [
      0, -2.2, -4, -3.2, -9.8, -1.2, -3.4, -5.2, -7.6, -3, -8.9, -9, -4.8, -5.7, -7.5, -1.9, -7.6, -12.2, -9.8, -11.4,
      -14.9, -9.2, -11.3,
    ],
    defaultDopplerHz: 5,
    normalised: true,
  },
  'tdl-c': {
    delays: [
      0, 0.2099, 0.2219, 0.2329, 0.2176, 0.6366, 0.6448, 0.656, 0.6584, 0.7935, 0.8213, 0.9336, 1.2285, 1.3083, 2.1704,
      2.7105, 4.2589, 4.6003, 5.4902, 5.6077, 6.3065, 6.6374, 7.0427, 8.6523,
    ],
    powersDb: [
      -4.4, -1.2, -3.5, -5.2, -2.5, 0, -2.2, -3.9, -7.4, -7.1, -10.7, -11.1, -5.1, -6.8, -8.7, -13.2, -13.9, -13.9,
      -15.8, -17.1, -16, -15.7, -21.6, -22.8,
    ],
    defaultDopplerHz: 5,
    normalised: true,
  },
};

/** Names of the fading channels. */
export const FADING_CHANNELS: readonly string[] = Object.keys(TABLES);

export const DEFAULT_DELAY_SPREAD_NS = 300;

/**
 * The profile of a fading channel, powers normalised to sum 1.
 *
 * @param delaySpreadNs RMS delay spread, only for TDL-A/B/C (default 300 ns)
 * @throws UsageError for an unknown name, a spread out of 1..1000 ns, or a spread given to EPA, EVA or ETU
 */
export function powerDelayProfile(name: string, delaySpreadNs?: number): PowerDelayProfile {
  const table = Object.hasOwn(TABLES, name) ? TABLES[name] : undefined;
  if (!table) throw new UsageError(`unknown fading channel "${name}": one of ${FADING_CHANNELS.join(', ')}`);
  let scaleNs = 1;
  if (table.normalised) {
    scaleNs = inRange('delay spread', delaySpreadNs ?? DEFAULT_DELAY_SPREAD_NS, 1, 1000, 'ns');
  } else if (delaySpreadNs !== undefined) {
    throw new UsageError(`the delays of ${name} are fixed: a delay spread is for tdl-a, tdl-b, tdl-c`);
  }
  const linear = table.powersDb.map((db) => 10 ** (db / 10));
  const sum = linear.reduce((a, b) => a + b, 0);
  return {
    name,
    delaysNs: table.delays.map((d) => d * scaleNs),
    powers: linear.map((p) => p / sum),
    defaultDopplerHz: table.defaultDopplerHz,
  };
}

/** RMS delay spread sqrt(E[tau^2] - E[tau]^2) over the power-weighted delays, ns. */
export function rmsDelaySpreadNs(profile: PowerDelayProfile): number {
  let mean = 0;
  let square = 0;
  profile.powers.forEach((p, k) => {
    mean += p * profile.delaysNs[k];
    square += p * profile.delaysNs[k] ** 2;
  });
  return Math.sqrt(square - mean * mean);
}
