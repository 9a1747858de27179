import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { RandomStream } from '../../src/common/random.ts';
import { fromFloat } from '../../src/radio/format/convert.ts';
import { formatSpec } from '../../src/radio/format/sample-format.ts';
import type { LossRecord, SampleBlock, SampleFormat } from '../../src/radio/radio.ts';
import type { SigmfMeta } from '../../src/radio/sigmf/meta.ts';

/** A folder that goes away with the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-radio-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Gaussian samples of the given RMS, full scale 1. */
export function noise(seed: number, samples: number, rms = 0.25): Float32Array {
  const out = new Float32Array(2 * samples);
  new RandomStream(seed).addComplexNoise(out, rms * rms);
  return out;
}

/** A native block of noise at an index. */
export function noiseBlock(
  format: SampleFormat,
  index: number,
  samples: number,
  lostBefore: LossRecord | null = null,
): SampleBlock {
  const fullScale = formatSpec(format).defaultFullScale;
  const { data } = fromFloat(noise(index + 1, samples), format, fullScale);
  return { data, format, fullScale, index, lostBefore, timestampNs: null };
}

/** The smallest capture of ours. */
export function smallMeta(global: Record<string, unknown> = {}): SigmfMeta {
  return {
    global: {
      'core:datatype': 'ci8',
      'core:version': '1.2.5',
      'core:sample_rate': 8e6,
      ...global,
    } as SigmfMeta['global'],
    captures: [{ 'core:sample_start': 0, 'core:frequency': 915e6 }],
    annotations: [],
  };
}

export function metaBytes(meta: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(meta));
}
