import { basename } from 'node:path';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { PhotoSource } from './run-io.ts';

/** Loads a picture of a source; heavy modules are loaded only now. */
export async function loadPhoto(
  source: Exclude<PhotoSource, { kind: 'folder' }>,
): Promise<{ image: RgbImage; name: string }> {
  if (source.kind === 'demo') {
    const { loadDemoPhoto } = await import('../../sct/image/demo.ts');
    return { image: await loadDemoPhoto(), name: 'demo photo' };
  }
  const { loadImage } = await import('../../sct/image/load.ts');
  return { image: await loadImage(source.path), name: basename(source.path) };
}
