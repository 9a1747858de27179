import { SctError } from '../../common/errors.ts';
import { RandomStream } from '../../common/random.ts';
import { type RgbImage, rgbImage } from '../image/rgb-image.ts';
import { psnrDb } from '../quality/psnr.ts';
import { decodePowerScale, encodePowerScale, powerScale } from '../rate/power-scale.ts';
import { type FeatureMap, flatPlane } from './feature-map.ts';
import { errorOnProbe, int8File, MOST_ERROR, PROBE_GRID } from './int8.ts';
import { lengthsOf } from './loaded-models.ts';
import type { NetworkForm } from './model-contract.ts';
import { ModelError } from './model-error.ts';
import { readModelFile } from './model-files.ts';
import { MANIFEST, type ModelFileInfo, type ModelRole, type ModelSetInfo, readModelSets } from './model-set.ts';
import { openModelSet } from './models.ts';
import type { SemanticModels } from './semantic-models.ts';
import { NetworkSession } from './session.ts';

/** One thing that was looked at. */
export interface ModelCheck {
  /** Path of the file relative to models.json, or models.json itself. */
  readonly file: string;
  readonly sha256: string | null;
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
}

export interface ModelsReport {
  readonly schema: 'sct.models-check/1';
  readonly directory: string;
  readonly sets: readonly { readonly name: string; readonly id: string; readonly checks: readonly ModelCheck[] }[];
  readonly passed: number;
  readonly failed: number;
  readonly ok: boolean;
}

/** PSNR of a smooth made-up picture after analysis and synthesis, and after 64 symbols a cell at 20 dB without noise. */
export const LEAST_ROUND_TRIP_DB = 25;
export const LEAST_SYMBOLS_DB = 22;
const SENT = 64;
const SNR_DB = 20;
/** log10 of the expected squared error that synthesis is told: that of the finest quantiser in training. */
const CLEAN = -1.5;

/**
 * Checks of a model folder: models.json; hash of every file; operator set, shapes and weights; a run of every network on a
 * small picture; and that the set does what it is for: the picture survives analysis and synthesis, the encoder's symbols
 * have a power that the 8-bit scale can say and decode to the picture again, cells without damage pass corrector and
 * generator bit by bit. A fault of the models is a check that failed, not an exception.
 *
 * @throws DeviceError when the folder has no models.json
 */
export async function verifyModels(directory: string): Promise<ModelsReport> {
  const sets: { name: string; id: string; checks: ModelCheck[] }[] = [];
  try {
    for (const set of await readModelSets(directory)) {
      const checks = new Checks(set);
      await verifySet(directory, set, checks);
      sets.push({ name: set.name, id: set.id, checks: checks.list });
    }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const sha256 = error.fault.actualSha256 ?? null;
    sets.push({
      name: '-',
      id: '-',
      checks: [{ file: MANIFEST, sha256, name: 'manifest', ok: false, found: error.message }],
    });
  }
  const checks = sets.flatMap((s) => s.checks);
  const failed = checks.filter((c) => !c.ok).length;
  const passed = checks.length - failed;
  return { schema: 'sct.models-check/1', directory, sets, passed, failed, ok: failed === 0 };
}

/** What was found in one set, by the role of the file it was found in. */
class Checks {
  readonly list: ModelCheck[] = [];
  private readonly set: ModelSetInfo;

  constructor(set: ModelSetInfo) {
    this.set = set;
  }

  has(role: ModelRole): boolean {
    return this.set.files.some((f) => f.role === role);
  }

  add(role: ModelRole, name: string, ok: boolean, found: string): void {
    const file = this.set.files.find((f) => f.role === role);
    this.list.push({ file: file?.path ?? MANIFEST, sha256: file?.sha256 ?? null, name, ok, found });
  }

  /** Result of `work`, or null after a failed check where it threw an error that a user can meet. */
  async attempt<T>(role: ModelRole, name: string, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SctError)) throw error;
      this.add(role, name, false, error.message);
      return null;
    }
  }
}

async function verifySet(directory: string, set: ModelSetInfo, checks: Checks): Promise<void> {
  let whole = true;
  for (const file of set.files) {
    const bytes = await checks.attempt(file.role, 'hash', () => readModelFile(directory, file));
    if (bytes) checks.add(file.role, 'hash', true, `${bytes.length} bytes`);
    else whole = false;
  }
  if (!whole) return;
  const models = await checks.attempt('tables', 'tables', () => openModelSet(directory, set, 1));
  if (!models) return;
  checks.add('tables', 'tables', true, `${models.tables.cdfTables.length} frequency tables`);
  try {
    const image = probePicture(80, 56);
    const y = await checks.attempt('analysis', 'run', () => models.analyse(image));
    if (!y) return;
    checks.add('analysis', 'run', true, `${y.channels}x${y.rows}x${y.columns}`);
    await verifySynthesis(models, image, y, checks);
    await verifyInt8(directory, set, models, checks);
    await verifyHeads(models, y, checks);
    await verifySymbols(models, image, y, checks);
    await verifyRepair(models, y, checks);
  } finally {
    await models.close();
  }
}

/** The 8-bit files: hash, contract, and how near they are to the float networks on this machine. */
async function verifyInt8(directory: string, set: ModelSetInfo, models: SemanticModels, checks: Checks): Promise<void> {
  for (const info of set.files) {
    const file = int8File(info);
    if (!file || info.role === 'tables') continue;
    const { role } = info;
    const error = await checks.attempt(role, 'int8', async () => {
      const open = async (f: ModelFileInfo, form: NetworkForm) =>
        NetworkSession.create(f, role, set.channels, await readModelFile(directory, f), { threads: 1 }, form);
      const sessions = [await open(file, 'cells'), await open(info, 'planes')] as const;
      const found = await errorOnProbe(sessions, (image) => models.analyse(image), lengthsOf(PROBE_GRID));
      await Promise.all(sessions.map((s) => s.release()));
      return found;
    });
    if (error !== null)
      checks.add(role, 'int8', error <= MOST_ERROR, `error of ${(100 * error).toFixed(3)} % of the variance`);
  }
}

async function verifySynthesis(models: SemanticModels, image: RgbImage, y: FeatureMap, checks: Checks): Promise<void> {
  for (const role of ['synthesis', 'synthesis-perceptual'] as const) {
    if (!checks.has(role)) continue;
    const options = { perceptual: role === 'synthesis-perceptual' };
    const back = await checks.attempt(role, 'round trip', () => models.synthesise(y, flatPlane(y, CLEAN), options));
    if (!back) continue;
    const found = psnrDb(image, back);
    checks.add(
      role,
      'round trip',
      found >= LEAST_ROUND_TRIP_DB,
      `PSNR ${found.toFixed(1)} dB, at least ${LEAST_ROUND_TRIP_DB}`,
    );
  }
}

async function verifyHeads(models: SemanticModels, y: FeatureMap, checks: Checks): Promise<void> {
  if (checks.has('labels')) {
    const labels = await checks.attempt('labels', 'run', () => models.labels(y));
    if (labels) checks.add('labels', 'run', true, `street logit ${labels.street.toFixed(2)}`);
  }
  if (checks.has('labels-vjp')) {
    const [maps, presence] = [new Float32Array(11 * 16 * y.rows * y.columns), new Float32Array(11)];
    const none = await checks.attempt('labels-vjp', 'run', () => models.labelsVjp(y, maps, presence));
    if (none)
      checks.add(
        'labels-vjp',
        'gradient of nothing is zero',
        none.data.every((v) => v === 0),
        'all zeros',
      );
  }
  if (checks.has('saliency')) {
    const map = await checks.attempt('saliency', 'run', () => models.saliency(y));
    if (map) checks.add('saliency', 'run', true, `${map.length} logits`);
  }
}

async function verifySymbols(models: SemanticModels, image: RgbImage, y: FeatureMap, checks: Checks): Promise<void> {
  if (!checks.has('symbol-encoder') || !checks.has('symbol-decoder')) return;
  const { rows, columns } = y;
  const classMap = { rows, columns, data: new Uint8Array(rows * columns).fill(8) };
  const [k, snrDb] = [flatPlane(y, SENT), flatPlane(y, SNR_DB)];
  const z = await checks.attempt('symbol-encoder', 'run', () => models.encodeSymbols(y, classMap, k, snrDb));
  if (!z) return;
  const power = powerScale(z, k.data);
  const scale = decodePowerScale(encodePowerScale(power));
  const near = power > 0 && Math.abs(power / scale - 1) < 0.025;
  checks.add('symbol-encoder', 'power', near, `scale ${power.toPrecision(4)}, as sent ${scale.toPrecision(4)}`);
  const share = 10 ** (SNR_DB / 10) / (1 + 10 ** (SNR_DB / 10));
  const received = z.map((v, i) => (i < 2 * SENT * rows * columns ? (share * v) / scale : 0));
  const decoded = await checks.attempt('symbol-decoder', 'run', () =>
    models.decodeSymbols(received, scale, classMap, k, snrDb, y),
  );
  if (!decoded) return;
  const back = await checks.attempt('synthesis', 'run', () => models.synthesise(decoded.yHat, decoded.quality));
  if (!back) return;
  const found = psnrDb(image, back);
  const text = `PSNR ${found.toFixed(1)} dB after ${SENT} symbols a cell, at least ${LEAST_SYMBOLS_DB}`;
  checks.add('symbol-decoder', 'symbols carry the picture', found >= LEAST_SYMBOLS_DB, text);
}

async function verifyRepair(models: SemanticModels, y: FeatureMap, checks: Checks): Promise<void> {
  const { rows, columns, data } = y;
  const cells = rows * columns;
  const map = { rows, columns, data: new Uint8Array(cells) };
  const hit = { rows, columns, data: Float32Array.from({ length: cells }, (_, i) => (i % 4 === 1 ? 1 : 0)) };
  const same = (out: Float32Array, from: Float32Array) =>
    from.every((v, i) => hit.data[i % cells] > 0 || Object.is(out[i], v));
  const name = 'cells without damage are untouched, bit by bit';
  if (checks.has('corrector')) {
    const [quality, strength] = [flatPlane(y, CLEAN), flatPlane(y, 1)];
    const input = { yHat: y, quality, damage: hit, strength, classMap: map, labelMap: map };
    const out = await checks.attempt('corrector', 'run', () => models.correct(input));
    if (out)
      checks.add(
        'corrector',
        name,
        same(out.yHat.data, data) && same(out.quality.data, quality.data),
        `${cells} cells`,
      );
  }
  if (checks.has('generator')) {
    const random = new RandomStream('verify');
    const noise = Float32Array.from({ length: 16 * cells }, () => random.normal());
    const out = await checks.attempt('generator', 'run', () =>
      models.generate({ yHat: y, missing: hit, labelMap: map, noise }),
    );
    if (out) checks.add('generator', name, same(out.data, data), `${cells} cells`);
  }
}

/** Waves of three colours and a disc, no noise. */
function probePicture(width: number, height: number): RgbImage {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++, i++) {
        const disc = (x - width / 3) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2 ? 40 : 0;
        data[i] = 100 + disc + 60 * Math.sin(x / (17 + 3 * c)) * Math.cos(y / (13 + c));
      }
  return rgbImage(width, height, data);
}
