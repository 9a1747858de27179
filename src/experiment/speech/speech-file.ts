import { readFile, stat } from 'node:fs/promises';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { resample } from '../../sct/speech/resample.ts';
import { readWav, SPEECH_RATE_HZ, type Speech, speechOf, withoutOffset } from '../../sct/speech/speech.ts';

/** Bytes of a sound file that are read, at most. */
const MAX_FILE_BYTES = 2 ** 28;

/** Whether a path names speech and not a picture: by its end, for what is in it is looked at only later. */
export function isSpeechPath(path: string): boolean {
  return /\.wave?$/i.test(path);
}

/**
 * Speech of a WAV file at 16 kHz, without an offset.
 *
 * @throws DeviceError where it cannot be read, UsageError where it is too long or is no WAV file
 */
export async function loadSpeech(path: string): Promise<Speech> {
  const bytes = await fileBytes(path);
  try {
    const wav = readWav(bytes);
    return speechOf(withoutOffset(resample(wav.samples, wav.rateHz, SPEECH_RATE_HZ)));
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}

async function fileBytes(path: string): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    // Of a pipe or a device nobody knows the end.
    if (!found.isFile()) throw new UsageError(`${path} is no file: a WAV file is wanted`);
    if (found.size > MAX_FILE_BYTES) {
      throw new UsageError(`${path} has ${found.size} bytes: allowed up to ${MAX_FILE_BYTES}`);
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new DeviceError(`${path} cannot be read: ${(error as Error).message}`);
  }
}
