import { type Device, sampleBytes } from '../iio-context.ts';
import { IioError } from '../iio-error.ts';

/** A device's channel mask out of its text: 8 hexadecimal digits for 32 channels. IioError EINVAL for any other length or no channel in it. */
export function parseMask(device: Device, text: string): number {
  const digits = 8 * Math.ceil(device.channels.length / 32);
  if (text.length !== digits || !/^[0-9a-fA-F]+$/.test(text)) throw new IioError('EINVAL');
  const mask = Number.parseInt(text, 16);
  if (sampleBytes(device, mask) === 0) throw new IioError('EINVAL');
  return mask;
}

export function formatMask(mask: number): string {
  return mask.toString(16).padStart(8, '0');
}

/** Bytes of the channels in a mask (1 I, 2 Q, 3 both) out of [sample][I, Q]. */
export function pickChannels(iq: Int16Array, samples: number, mask: number): Uint8Array {
  if ((mask & 3) === 3) return new Uint8Array(iq.buffer, iq.byteOffset, 4 * samples);
  const from = mask & 1 ? 0 : 1;
  const one = new Int16Array(samples);
  for (let i = 0; i < samples; i++) one[i] = iq[2 * i + from];
  return new Uint8Array(one.buffer);
}

/** [sample][I, Q] out of the bytes of the channels in a mask; the other channel is 0. */
export function placeChannels(bytes: Uint8Array, mask: number): Int16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if ((mask & 3) === 3) {
    const iq = new Int16Array(bytes.length >> 1);
    for (let i = 0; i < iq.length; i++) iq[i] = view.getInt16(2 * i, true);
    return iq;
  }
  const to = mask & 1 ? 0 : 1;
  const samples = bytes.length >> 1;
  const iq = new Int16Array(2 * samples);
  for (let i = 0; i < samples; i++) iq[2 * i + to] = view.getInt16(2 * i, true);
  return iq;
}
