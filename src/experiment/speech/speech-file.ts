import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../common/errors.ts';
import { resample } from '../../sct/speech/resample.ts';
import { readWav, SPEECH_RATE_HZ, type Speech, speechOf, withoutOffset } from '../../sct/speech/speech.ts';

/** Bytes of a sound file that are read, at most. */
const MAX_FILE_BYTES = 2 ** 28;

/** Whether a path names speech and not a picture: by its end, for what is in it is looked at only later. */
export function isSpeechPath(path: string): boolean {
  return /\.wave?$/i.test(path);
}

/** Most WAV files taken from one folder. */
const MAX_LISTED = 10_000;

/**
 * The WAV files a path stands for: the file itself, or those of a folder, by name in code-point order.
 *
 * @throws UsageError where there is none, and for a file that is no WAV file by its name
 */
export async function listSpeech(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => null);
  if (!found) throw new UsageError(`${path}: no such file or folder`);
  if (!found.isDirectory()) {
    if (!isSpeechPath(path)) throw new UsageError(`${path}: speech is a file that ends in .wav`);
    return [path];
  }
  const entries = await readdir(path, { withFileTypes: true });
  const names = entries.filter((e) => !e.isDirectory() && !e.name.startsWith('.') && isSpeechPath(e.name));
  if (names.length < 1 || names.length > MAX_LISTED) {
    throw new UsageError(`${path} holds ${names.length} WAV files: allowed 1 to ${MAX_LISTED}`);
  }
  return names
    .map((e) => e.name)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    .map((name) => join(path, name));
}

/**
 * Speech of a WAV file at 16 kHz, without an offset.
 *
 * @throws UsageError where it cannot be read, is too long or is no WAV file
 */
export async function loadSpeech(path: string): Promise<Speech> {
  const bytes = await fileBytes(path);
  try {
    const wav = readWav(bytes);
    const { samples } = speechOf(resample(wav.samples, wav.rateHz, SPEECH_RATE_HZ));
    return { samples: withoutOffset(samples) };
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
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`${path}: ${code === 'ENOENT' ? 'no such file' : `cannot be read (${code ?? 'error'})`}`);
  }
}
