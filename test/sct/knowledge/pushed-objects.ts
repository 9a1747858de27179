import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PushFile } from '../../../src/link/push/push-sender.ts';
import type { RgbImage } from '../../../src/sct/image/rgb-image.ts';
import { encodePng } from '../../../src/sct/image/save.ts';
import { referenceHash } from '../../../src/sct/knowledge/knowledge-store.ts';
import type { PushOffer } from '../../../src/sct/knowledge/push-offer.ts';
import { pushedManifest } from '../../../src/sct/knowledge/pushed-set.ts';
import { readModelSets } from '../../../src/sct/semantics/model-set.ts';

/** Something to push, and its files. */
export interface Pushable {
  readonly offer: PushOffer;
  readonly files: readonly Uint8Array[];
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The only set of a folder, as it is pushed; `manifest` replaces what its models.json says. */
export async function pushableSet(dir: string, manifest?: Uint8Array): Promise<Pushable> {
  const [set] = await readModelSets(dir);
  const first = manifest ?? pushedManifest(set);
  const files = [first, ...set.files.map((f) => Uint8Array.from(readFileSync(join(dir, f.path))))];
  const bytes = files.reduce((sum, f) => sum + f.length, 0);
  return {
    offer: {
      kind: 'set',
      name: set.name,
      version: set.version,
      sha256: set.sha256,
      width: 0,
      height: 0,
      bytes,
      firstBytes: first.length,
      firstSha256: sha256(first),
    },
    files,
  };
}

export async function pushablePicture(image: RgbImage, name = 'street'): Promise<Pushable> {
  const png = await encodePng(image);
  const { width, height } = image;
  return {
    offer: {
      kind: 'picture',
      name,
      version: 0,
      sha256: referenceHash(image),
      width,
      height,
      bytes: png.length,
      firstBytes: png.length,
      firstSha256: sha256(png),
    },
    files: [png],
  };
}

export function served(files: readonly Uint8Array[]): PushFile[] {
  return files.map((f) => ({ bytes: f.length, read: async (offset, length) => f.subarray(offset, offset + length) }));
}
