import { createHash } from 'node:crypto';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { Speech } from '../../sct/speech/speech.ts';
import { canonicalText } from '../run/canonical-json.ts';
import type { SendConfig } from '../run/run-io.ts';

/** Settings that say where files lie on the sender's machine, not what is sent. */
const PLACES: ReadonlySet<string> = new Set(['photo', 'to', 'modelsDir', 'lpips', 'judge', 'truth', 'feedbackToken']);

/**
 * Session of a sending, 1 to 255: session = 1 + (SHA-256(settings, size, pixels), its first 32 bits) mod 255. The same
 * picture with the same settings and seed has the same session again; two that differ in anything have different ones but
 * for 1 case in 255, so that a receiver that hears both keeps them apart.
 */
export function sendSession({ speech: words, ...config }: SendConfig, image: RgbImage, speech?: Speech): number {
  // Where the WAV file lies is not what is sent.
  const said = words ? { ...config, speech: { ...words, path: '' } } : config;
  const settings = Object.fromEntries(Object.entries(said).filter(([key]) => !PLACES.has(key)));
  const hash = createHash('sha256');
  hash.update(canonicalText(settings)).update(`${image.width}x${image.height}\n`).update(image.data);
  if (speech) hash.update(new Uint8Array(speech.samples.buffer, speech.samples.byteOffset, speech.samples.byteLength));
  return 1 + (hash.digest().readUInt32BE(0) % 255);
}
