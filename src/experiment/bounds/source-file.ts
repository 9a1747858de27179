import { FormatError, inRange } from '../../common/errors.ts';
import { asArray, asNumber, asObject, readJsonFile } from '../../common/json-input.ts';
import { MAX_ROWS, matrixSource, type VectorSource } from './gaussian-vector.ts';
import { LARGEST } from './limits.ts';
import { conditionalSource, type JointGaussian, jointGaussian, requireCovariance } from './side-information.ts';
import { type Matrix, matrix, trace } from './symmetric.ts';

/** Files with matrices of at most 96 rows are far below this. */
export const MAX_FILE_BYTES = 2 ** 20;

/**
 * Vector source of a JSON file: {"sx": covariance of X, "h": H, "noise": covariance of N} with S = H X + N (noise may be missing), or
 * {"covariance": of S and X together, "s": components of S, "x": of X}.
 *
 * @throws FormatError or UsageError naming the field
 */
export async function readVectorSource(path: string): Promise<VectorSource> {
  const o = asObject(path, await readJsonFile(path, MAX_FILE_BYTES));
  if (o.covariance !== undefined) return conditionalSource(jointOf(o, false), false);
  onlyKeys(o, ['sx', 'h', 'noise']);
  const sx = matrixOf('sx', o.sx, MAX_ROWS);
  const h = matrixOf('h', o.h, MAX_ROWS);
  requireCovariance('sx', sx);
  if (h.columns !== sx.rows) throw new FormatError('h', `has ${h.columns} columns, sx has ${sx.rows} rows`);
  const noise = o.noise === undefined ? matrix(h.rows, h.rows) : matrixOf('noise', o.noise, MAX_ROWS);
  requireCovariance('noise', noise);
  if (noise.rows !== h.rows) throw new FormatError('noise', `has ${noise.rows} rows, h has ${h.rows}`);
  return matrixSource(sx, h, Math.max(0, trace(noise)));
}

/** Joint source with side information of a JSON file: {"covariance": of S, X and V together, "s", "x", "v": their components}. */
export async function readJointGaussian(path: string): Promise<JointGaussian> {
  return jointOf(asObject(path, await readJsonFile(path, MAX_FILE_BYTES)), true);
}

function jointOf(o: Record<string, unknown>, withV: boolean): JointGaussian {
  onlyKeys(o, withV ? ['covariance', 's', 'x', 'v'] : ['covariance', 's', 'x']);
  const v = withV ? asNumber('v', o.v) : 0;
  return jointGaussian(matrixOf('covariance', o.covariance, 3 * MAX_ROWS), asNumber('s', o.s), asNumber('x', o.x), v);
}

function matrixOf(field: string, value: unknown, most: number): Matrix {
  const rows = asArray(field, value, most).map((row, r) => {
    const cells = asArray(`${field}[${r}]`, row, most);
    return cells.map((cell, c) => {
      return inRange(`${field}[${r}][${c}]`, asNumber(`${field}[${r}][${c}]`, cell), -LARGEST, LARGEST);
    });
  });
  const columns = rows[0]?.length ?? 0;
  if (columns === 0) throw new FormatError(field, 'is empty');
  rows.forEach((row, r) => {
    if (row.length !== columns) {
      throw new FormatError(`${field}[${r}]`, `has ${row.length} elements, ${field}[0] has ${columns}`);
    }
  });
  return matrix(rows.length, columns, (r, c) => rows[r][c]);
}

function onlyKeys(o: Record<string, unknown>, allowed: readonly string[]): void {
  for (const key of Object.keys(o)) {
    if (!allowed.includes(key)) throw new FormatError(key.slice(0, 40), `is not one of ${allowed.join(', ')}`);
  }
}
