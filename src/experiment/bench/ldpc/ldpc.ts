import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DeviceError, FormatError, UsageError } from '../../../common/errors.ts';
import { systemWords } from '../../../common/system-words.ts';
import type { BaseGraphId } from '../../../phy/fec/ldpc-code.ts';
import { parseNpy } from '../npy.ts';
import {
  checkBaseGraph,
  checkCodewords,
  checkCrc,
  checkGeneratorMatrix,
  type VectorCase,
} from './ldpc-vector-checks.ts';

export interface LdpcVectorReport {
  readonly schema: 'sct-bench-ldpc/1';
  readonly passed: number;
  readonly failed: number;
  readonly cases: readonly VectorCase[];
}

/** Largest vector file, on disk and unpacked. */
const LARGEST_FILE_BYTES = 256 << 20;
const DEEPEST_FOLDER = 4;
const MOST_FILES = 10_000;

const KINDS =
  'message and codeword pairs (*.txt, *.txt.gz), generator matrices (kK_nN_G.npy), base graphs (*bg1.csv, *bg2.csv) and ' +
  'CRC references (crc_u_NAME.npy beside crc_x_ref_np_NAME.npy)';

/**
 * `sct bench ldpc --vectors PATH`: compares encoder, rate matching, base graphs and CRCs with published vectors. PATH is
 * one file or a folder, searched for files of the kinds above; others in it are passed over. passed and failed count
 * cases (a lifting size of a codeword file, a matrix, a graph, a CRC).
 *
 * A missing path is a DeviceError, a path without vectors a UsageError, a broken file a FormatError naming the place.
 */
export function benchLdpcVectors(path: string): LdpcVectorReport {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new DeviceError(`${path} does not exist`);
  const cases = stat.isDirectory()
    ? listFiles(path, DEEPEST_FOLDER).flatMap((file) => checkFile(file, relative(path, file), false))
    : checkFile(path, basename(path), true);
  if (cases.length === 0) throw new UsageError(`${path} holds no LDPC vectors`, `known are ${KINDS}`);
  const passed = cases.filter((c) => c.ok).length;
  return { schema: 'sct-bench-ldpc/1', passed, failed: cases.length - passed, cases };
}

/** The cases of one file. One of no known kind is passed over in a folder, but read as codewords if it was asked for. */
function checkFile(path: string, label: string, asked: boolean): VectorCase[] {
  const name = basename(path);
  const matrix = /^k(\d{1,7})_n(\d{1,7})_G\.npy$/.exec(name);
  if (matrix) {
    return [checkGeneratorMatrix(label, Number(matrix[1]), Number(matrix[2]), parseNpy(label, readBounded(path)))];
  }
  const crc = /^crc_u(?:_([A-Z0-9]+))?\.npy$/.exec(name);
  if (crc) {
    const reference = join(dirname(path), name.replace('crc_u', 'crc_x_ref_np'));
    const remainder = parseNpy(basename(reference), readBounded(reference));
    return [checkCrc(label, crc[1] ?? '', parseNpy(label, readBounded(path)), remainder)];
  }
  const graph = /bg([12])\.csv$/i.exec(name);
  if (graph) return [checkBaseGraph(label, Number(graph[1]) as BaseGraphId, textOf(path, label))];
  if (asked) return checkCodewords(label, textOf(path, label));
  if (!/\.txt(\.gz)?$/i.test(name)) return [];
  const text = textOf(path, label);
  return /^\s*z\s+\d/m.test(text) ? checkCodewords(label, text) : [];
}

function listFiles(folder: string, depth: number): string[] {
  const files: string[] = [];
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth > 0) files.push(...listFiles(path, depth - 1));
    else if (entry.isFile() && !/^(readme|licen[cs]e)/i.test(entry.name)) files.push(path);
    if (files.length > MOST_FILES) throw new UsageError(`${folder} holds more than ${MOST_FILES} files`);
  }
  return files;
}

function readBounded(path: string): Uint8Array {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new DeviceError(`${path} cannot be read`);
  // A pipe would never end, and /dev/zero neither.
  if (!stat.isFile()) throw new UsageError(`${path} is no file`, 'give a file of vectors or a folder of them');
  const { size } = stat;
  if (size > LARGEST_FILE_BYTES)
    throw new FormatError(basename(path), `has ${size} bytes: at most ${LARGEST_FILE_BYTES}`);
  try {
    return readFileSync(path);
  } catch (error) {
    throw new DeviceError(`${path} cannot be read: ${systemWords(error)}`);
  }
}

function textOf(path: string, label: string): string {
  let bytes = readBounded(path);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = gunzipSync(bytes, { maxOutputLength: LARGEST_FILE_BYTES });
    } catch (error) {
      throw new FormatError(label, `cannot be unpacked: ${(error as Error).message}`);
    }
  }
  return Buffer.from(bytes).toString('latin1');
}
