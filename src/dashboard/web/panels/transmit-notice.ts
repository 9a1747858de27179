import { fixed, hertz } from '../draw/format.ts';
import { type FormValues, parseQuantity } from '../state/validate.ts';

/** Commands that may transmit. */
const TRANSMITTING = ['link', 'sound', 'stream'];
const SUBBAND_HZ = 180e3;
const DEFAULT_SUBBANDS = 25;
const VIDEO_SUBBANDS = 15;

/** What a command would put on the air or on a cable, in words; null where it sends nothing. */
export function transmitNotice(command: string, values: FormValues): string[] | null {
  const text = (name: string) => String(values.get(name) ?? '').trim();
  const video = command === 'stream';
  const tx = text(video ? 'to' : 'tx');
  if (!TRANSMITTING.includes(command) || tx === '' || /^(loopback|file:)/.test(tx)) return null;
  const subbands = parseQuantity(text('numerology')) ?? (video ? VIDEO_SUBBANDS : DEFAULT_SUBBANDS);
  return [frequencyWords(text('freq'), subbands), powerWords(text('tx-gain')), placeWords(text('cabled'))];
}

function frequencyWords(freq: string, subbands: number): string {
  const centre = parseQuantity(freq, { unit: 'Hz' });
  if (centre === null) return 'Frequency: none is given, it will be refused.';
  const width = subbands * SUBBAND_HZ;
  return `Frequency: ${hertz(centre)}; the signal occupies ${fixed((centre - width / 2) / 1e6, 3)} to ${fixed((centre + width / 2) / 1e6, 3)} MHz.`;
}

function powerWords(gain: string): string {
  return gain === ''
    ? 'Power: no gain is given, so that of the board at its least.'
    : `Power: transmit gain ${gain.replace(/\s*dB$/i, '')} dB.`;
}

function placeWords(cabled: string): string {
  return cabled === ''
    ? 'Band: on the air. It is refused unless the configuration of the server allows this band and power.'
    : `Cable: you promise ${cabled.replace(/\s*dB$/i, '')} dB between the boards; it is refused where the receiver would get too much.`;
}
