import { readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DeviceError, FormatError } from '../common/errors.ts';
import { makeFolder } from '../common/make-folder.ts';
import { systemWords } from '../common/system-words.ts';
import type { ClockCorrection } from './clock-error.ts';

/** Largest error of a crystal that is believed, ppm: the boards are specified at 20. */
export const MAX_CALIBRATION_PPM = 100;
const MAX_FILE_BYTES = 2 ** 20;

const boardSchema = z.strictObject({
  /** Error of the board's clock: positive where it is fast. */
  ppm: z.number().min(-MAX_CALIBRATION_PPM).max(MAX_CALIBRATION_PPM),
  /** What it was measured with, and when (ISO 8601). */
  referenceHz: z.number().positive(),
  measuredAt: z.string().max(40),
  /** Level at the connector of a tone of full scale at receive gains of 0 dB, measured at this frequency; absent: not measured. */
  level: z.strictObject({ fullScaleDbm: z.number().min(-150).max(150), atHz: z.number().positive() }).optional(),
});

const fileSchema = z.strictObject({
  schema: z.literal('sct.calibration/1'),
  /** By serial, lower case. */
  boards: z.record(z.string().regex(/^[0-9a-z]{1,64}$/), boardSchema),
});

export type BoardCalibration = z.infer<typeof boardSchema>;

/** calibration.json in the user's folder of configurations (XDG Base Directory Specification). */
export function calibrationPath(environment: NodeJS.ProcessEnv = process.env): string {
  const home = environment.XDG_CONFIG_HOME;
  // A relative path there is to be ignored, the specification says.
  return join(home?.startsWith('/') ? home : join(homedir(), '.config'), 'sct', 'calibration.json');
}

/** All boards that were calibrated; none where there is no file. FormatError where it is not what this program wrote. */
export async function readCalibrations(path = calibrationPath()): Promise<Readonly<Record<string, BoardCalibration>>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new DeviceError(`${path} cannot be read: ${systemWords(error)}`);
  }
  if (text.length > MAX_FILE_BYTES) throw new FormatError('calibration', `${path} is too long`);
  const hint = 'delete the file and calibrate again';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new FormatError('calibration', `${path} is no JSON`, hint);
  }
  const result = fileSchema.safeParse(json);
  if (result.success) return result.data.boards;
  const issue = result.error.issues[0];
  throw new FormatError(issue.path.join('.') || 'calibration', `${issue.message} in ${path}`, hint);
}

/** Stores what was found of one board; the others stay, and so does its level where none was measured. The file is replaced as a whole. */
export async function storeCalibration(
  serial: string,
  board: BoardCalibration,
  path = calibrationPath(),
): Promise<void> {
  const all = await readCalibrations(path);
  const key = serial.toLowerCase();
  const boards = { ...all, [key]: { ...(Object.hasOwn(all, key) ? all[key] : {}), ...board } };
  const file = fileSchema.parse({ schema: 'sct.calibration/1', boards });
  try {
    await makeFolder(dirname(path));
    const next = `${path}.${process.pid}`;
    await writeFile(next, `${JSON.stringify(file, null, 2)}\n`);
    await rename(next, path);
  } catch (error) {
    throw new DeviceError(`${path} cannot be written: ${(error as Error).message}`);
  }
}

/** What is stored of the clock of the board with this serial, as far as a measurement goes; null for nothing. */
export async function storedClock(serial: string, path = calibrationPath()): Promise<ClockCorrection | null> {
  const boards = await readCalibrations(path);
  const key = serial.toLowerCase();
  if (!Object.hasOwn(boards, key)) return null;
  const { ppm, measuredAt } = boards[key];
  return { ppm: Number(ppm.toFixed(4)), from: 'stored', measuredAt };
}

/** What is stored of a board's level; null for nothing. */
export async function storedLevel(
  serial: string | null,
  path = calibrationPath(),
): Promise<NonNullable<BoardCalibration['level']> | null> {
  const key = serial?.toLowerCase() ?? '';
  const boards = await readCalibrations(path);
  return (Object.hasOwn(boards, key) ? boards[key].level : null) ?? null;
}
