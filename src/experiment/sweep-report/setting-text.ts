import { BUDGET, SNR, SOURCE } from './design.ts';
import type { Setting } from './observation.ts';

/** Words that say by themselves what they are. */
const SPEAKING = new Set(['codec', 'mapping', 'mode', SOURCE, 'task', 'size', 'modelSet']);

/** Units that end the name of a setting. */
const UNITS: Readonly<Record<string, string>> = { Hz: 'Hz', Ms: 'ms', Db: 'dB', Dbm: 'dBm', Ppm: 'ppm', S: 's' };

/** Words of names of settings that are written otherwise than they stand there. */
const WORDS: Readonly<Record<string, string>> = {
  cfo: 'CFO',
  cnn: 'CNN',
  csi: 'CSI',
  doppler: 'Doppler',
  harq: 'HARQ',
  iq: 'IQ',
  lmmse: 'LMMSE',
  lpips: 'LPIPS',
  mimo: 'MIMO',
  rb: 'RB',
  rx: 'RX',
  sfv: 'SFV',
  snr: 'SNR',
  tx: 'TX',
};

/** "dopplerHz" as "Doppler" and "Hz", "harqBy" as "HARQ by" without a unit. */
export function settingName(key: string): { readonly name: string; readonly unit: string | null } {
  const words = key.split(/(?<=[a-z0-9])(?=[A-Z])/);
  const last = words[words.length - 1];
  const unit = words.length > 1 && Object.hasOwn(UNITS, last) ? UNITS[last] : null;
  const named = (unit === null ? words : words.slice(0, -1)).map((word) => {
    const small = word.toLowerCase();
    return Object.hasOwn(WORDS, small) ? WORDS[small] : small;
  });
  return { name: named.join(' '), unit };
}

/** A setting in few words: "15 dB", "matched", "EVA", "Doppler 70 Hz". */
export function settingText(key: string, value: Setting): string {
  if (key === SNR) return value === null ? 'SNR as it came' : `${value} dB`;
  if (key === BUDGET) return value === null ? 'no budget' : `R ${Number(Number(value).toPrecision(4))}`;
  if (key === 'speechSymbols' && value !== null) return `${value} symbols`;
  const { name, unit } = settingName(key);
  if (value === null) return `no ${name}`;
  if (key === 'channel' && /^[a-z-]+$/.test(String(value))) return String(value).toUpperCase();
  if (typeof value === 'string') return SPEAKING.has(key) || key === 'channel' ? value : `${name} ${value}`;
  if (typeof value === 'boolean') return `${name} ${value ? 'on' : 'off'}`;
  return `${name} ${value}${unit === null ? '' : ` ${unit}`}`;
}

/** A setting below its name: "15", "matched", "on". */
export function valueText(value: Setting): string {
  if (value === null) return 'none';
  if (typeof value === 'number') return String(Number(value.toPrecision(6)));
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : value;
}
