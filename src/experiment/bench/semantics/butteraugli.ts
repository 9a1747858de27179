import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FormatError } from '../../../common/errors.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import { encodePng } from '../../../sct/image/save.ts';

const run = promisify(execFile);
const PROGRAM = 'butteraugli_main';
const TIMEOUT_MS = 120_000;

/** A perceptual distance measured by a program of the system. */
export interface Butteraugli {
  /** 3-norm of the distance map; 0 = identical. */
  distance(a: RgbImage, b: RgbImage): Promise<number>;
}

let known: Promise<Butteraugli | null> | undefined;

/** Debian's butteraugli_main (package libjxl-devtools), or null where it is not installed. */
export function findButteraugli(): Promise<Butteraugli | null> {
  known ??= run(PROGRAM, [], { timeout: TIMEOUT_MS }).then(
    () => program,
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? null : program), // without pictures it says how it is used and fails
  );
  return known;
}

const program: Butteraugli = {
  async distance(a, b) {
    const folder = await mkdtemp(join(tmpdir(), 'sct-butteraugli-'));
    try {
      const [left, right] = [join(folder, 'a.png'), join(folder, 'b.png')];
      await writeFile(left, await encodePng(a));
      await writeFile(right, await encodePng(b));
      const { stdout } = await run(PROGRAM, [left, right], { timeout: TIMEOUT_MS, maxBuffer: 2 ** 20 });
      return threeNorm(stdout);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** "3-norm: 1.234" of the program's answer. @throws FormatError when it says something else */
export function threeNorm(text: string): number {
  const value = Number(/3-norm:\s*([0-9.eE+-]+)/.exec(text)?.[1] ?? Number.NaN);
  if (!(value >= 0)) throw new FormatError(PROGRAM, `gave no 3-norm: ${text.slice(0, 80)}`);
  return value;
}
