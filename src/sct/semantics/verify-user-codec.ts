import { RandomStream } from '../../common/random.ts';
import { type RgbImage, rgbImage } from '../image/rgb-image.ts';
import { psnrDb } from '../quality/psnr.ts';
import { UserCodec, type UserCodecInfo } from './user-codec.ts';

/** A user's symbols must have mean power 1 within this on every picture (0.2 dB). */
export const POWER_TOLERANCE = 0.05;

/** One check of a pair and what it found. */
export interface UserCodecCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
}

/** What a pair does with one picture. */
export interface UserCodecProbe {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Complex symbols of the picture, N. */
  readonly symbols: number;
  /** R = N / (width x height) of the picture itself, padding not counted as pixels; cbr = R / 3. */
  readonly symbolsPerPixel: number;
  readonly cbr: number;
  /** Mean |symbol|^2. */
  readonly meanPower: number;
  /** PSNR of the decoded picture, dB, without noise and with AWGN of Es/N0 10 dB (seeded). */
  readonly noiselessPsnrDb: number;
  readonly psnrDbAt10Db: number;
}

export interface UserCodecReport {
  readonly schema: 'sct.user-codec-check/1';
  readonly info: UserCodecInfo;
  readonly bytes: number;
  readonly probes: readonly UserCodecProbe[];
  readonly checks: readonly UserCodecCheck[];
  readonly ok: boolean;
}

const PROBE_SNR_DB = 10;

/**
 * Sanity check of a user's pair (`sct models verify onnx:DIR`): hashes, names, shapes and finite numbers (errors), then
 * mean power, rate, determinism, and that the number of symbols depends on the picture's size alone, on three made-up
 * pictures. The pictures are no photographs: PSNR here says that the pair works, not how well.
 *
 * @throws UsageError, ModelError, TensorError when the pair cannot be run at all
 */
export async function verifyUserCodec(directory: string): Promise<UserCodecReport> {
  const codec = await UserCodec.open(directory);
  try {
    const probes: UserCodecProbe[] = [];
    const checks: UserCodecCheck[] = [];
    const add = (name: string, ok: boolean, found: string) => checks.push({ name, ok, found });
    const pictures = [probePicture(128, 96, 1), probePicture(128, 96, 2), probePicture(75, 49, 3)];
    let same = true;
    let largest = 0;
    const lengths: number[] = [];
    for (const image of pictures) {
      const sent = await codec.encode(image, PROBE_SNR_DB);
      const again = await codec.encode(image, PROBE_SNR_DB);
      same &&= sent.length === again.length && sent.every((v, i) => v === again[i]);
      lengths.push(sent.length / 2, (await codec.encode(image, 0)).length / 2);
      const probe = await probeOf(codec, image, sent);
      largest = Math.max(largest, Math.abs(probe.meanPower - 1));
      probes.push(probe);
    }
    const powers = probes.map((p) => p.meanPower.toFixed(4)).join(', ');
    add(`mean power of a complex symbol 1 ± ${POWER_TOLERANCE} on every picture`, largest <= POWER_TOLERANCE, powers);
    add('the same symbols when a picture is encoded again', same, same ? 'equal' : 'different');
    const [a, aLow, b, bLow, c, cLow] = lengths;
    add(
      'the number of symbols follows from the size alone',
      a === aLow && a === b && b === bLow && c === cLow,
      `${a}, ${b} for 128x96; ${aLow}, ${bLow} at 0 dB; ${c}, ${cLow} for 75x49`,
    );
    const useful = probes.every((p) => p.noiselessPsnrDb > p.psnrDbAt10Db - 0.5);
    const figures = probes.map((p) => `${p.noiselessPsnrDb.toFixed(2)}/${p.psnrDbAt10Db.toFixed(2)} dB`).join(', ');
    add('PSNR without noise not below that at 10 dB', useful, figures);
    return {
      schema: 'sct.user-codec-check/1',
      info: codec.info,
      bytes: codec.bytes,
      probes,
      checks,
      ok: checks.every((check) => check.ok),
    };
  } finally {
    await codec.close();
  }
}

async function probeOf(codec: UserCodec, image: RgbImage, sent: Float32Array): Promise<UserCodecProbe> {
  const shape = { widthPx: image.width, heightPx: image.height };
  const symbols = sent.length / 2;
  let power = 0;
  for (const v of sent) power += v * v;
  const meanPower = power / symbols;
  const clean = await codec.decode(sent, PROBE_SNR_DB, shape);
  const noisy = sent.slice();
  new RandomStream(1).fork('user-codec').addComplexNoise(noisy, meanPower / 10 ** (PROBE_SNR_DB / 10));
  const received = await codec.decode(noisy, PROBE_SNR_DB, shape);
  const symbolsPerPixel = symbols / (image.width * image.height);
  return {
    ...shape,
    symbols,
    symbolsPerPixel,
    cbr: symbolsPerPixel / 3,
    meanPower,
    noiselessPsnrDb: Math.min(100, psnrDb(image, clean)),
    psnrDbAt10Db: Math.min(100, psnrDb(image, received)),
  };
}

/** Waves, a disc and a little noise: not flat, not white, the same on every machine to the last rounding. */
function probePicture(width: number, height: number, seed: number): RgbImage {
  const random = new RandomStream(seed).fork('probe');
  const data = new Uint8Array(3 * width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const disc = (x - width / 3) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2 ? 60 : 0;
      for (let c = 0; c < 3; c++, i++) {
        const wave = 90 + 20 * seed + 50 * Math.sin((x * (c + 1)) / 23 + seed) * Math.cos((y * seed) / 31);
        data[i] = Math.min(255, Math.max(0, wave + disc + random.between(-6, 6)));
      }
    }
  }
  return rgbImage(width, height, data);
}
