import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RandomStream } from '../../../src/common/random.ts';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { emptyMetrics, type SfvState } from '../../../src/experiment/metrics/metrics.ts';
import type { SweepPoint } from '../../../src/experiment/sweep/point.ts';
import type { StopRule } from '../../../src/experiment/sweep/stop-rule.ts';
import { planSha256 } from '../../../src/experiment/sweep/sweep-directory.ts';

/** A sweep of known numbers: PSNR = 20 + SNR + photo + seed + codec + mapping, so that every mean and gain can be said beforehand. */
export const PHOTOS = [0, 3, 5];
export const SEEDS = [1, 2, 3, 4];
/** Code blocks of each photo. */
export const BLOCKS = [2, 10, 40];
export const SNRS = [0, 6, 12];
export const MAPPING_GAIN_DB = 1.75;
export const CODEC_GAIN_DB = -0.5;

export interface FakePoint {
  readonly point: Record<string, unknown>;
  readonly result: Record<string, unknown>;
}

export function seedEffectDb(seed: number): number {
  return new RandomStream('seed').fork(String(seed)).normal();
}

export function fakePoints(change = 0): FakePoint[] {
  const points: FakePoint[] = [];
  for (const codec of ['integrated', 'classical']) {
    for (const mapping of ['matched', 'uniform']) {
      for (const snrDb of SNRS) {
        for (const [p, photoDb] of PHOTOS.entries()) {
          for (const [seedIndex, seed] of SEEDS.entries()) {
            const index = points.length;
            const id = index.toString(16).padStart(32, '0');
            const config = resolveLinkConfig({ codec, mapping, snrDb, seed, channel: 'eva', cbr: 1 / 24 });
            const gain = (mapping === 'matched' ? MAPPING_GAIN_DB : 0) + (codec === 'integrated' ? CODEC_GAIN_DB : 0);
            const psnrDb = 20 + snrDb + photoDb + seedEffectDb(seed) + gain + change;
            const outage = codec === 'classical' && snrDb === 0 && seed === 1 ? 1 : 0;
            const { files: _, timings: __, ...empty } = emptyMetrics(codec);
            const states: SfvState[] = ['received', 'received', 'repaired', 'lost'];
            const sfvs = codec === 'integrated' ? states.map((state, i) => sfv(i, state)) : [];
            const modelSet = codec === 'integrated' ? 'e1d7d342' : null;
            const blocks = BLOCKS[p];
            const failed = outage * blocks;
            const coded = { bler: failed / blocks, codeBlocks: blocks, codeBlockErrors: failed };
            const measured = { psnrDb, roiPsnrDb: psnrDb + 1, outage, ...coded, mIoU: 0.5 + snrDb / 100 };
            const metrics = {
              ...empty,
              mapping,
              snrDb,
              seed,
              ...measured,
              symbolsPerPixel: 0.125,
              cbr: 0.125 / 3,
              sfvs,
              modelSet,
            };
            points.push({
              point: {
                schema: 'sct.sweep-point/1',
                id,
                index,
                seedIndex,
                config,
                photo: `photo${p}.png`,
                group: 'a'.repeat(32),
                inputs: [{ use: 'photo', path: `/somewhere/photo${p}.png`, sha256: String(p).repeat(64) }],
              },
              result: { schema: 'sct.sweep-result/1', id, metrics, exitCode: 0, timings: { totalMs: index } },
            });
          }
        }
      }
    }
  }
  return points;
}

function sfv(id: number, state: SfvState) {
  return { id, label: `cluster ${id}`, importance: 0.4 - 0.1 * id, symbols: 10, rbs: [id], snrDb: 10, state };
}

export async function writeSweep(
  folder: string,
  points: readonly FakePoint[],
  results: readonly FakePoint[] = points,
  more: { tail?: string; manifest?: { state?: string; stop?: StopRule } } = {},
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const ids = points.map((p) => p.point as unknown as SweepPoint);
  const plan = {
    planSha256: planSha256(ids, more.manifest?.stop ?? null),
    points: points.length,
    groups: 1,
    repeated: 0,
    program: {},
    startedAt: '',
  };
  const manifest = { schema: 'sct.sweep-plan/1', name: 'fake', state: 'done', stop: null, ...plan, ...more.manifest };
  await writeFile(join(folder, 'sweep.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'points.jsonl'), points.map((p) => `${JSON.stringify(p.point)}\n`).join(''));
  const lines = results.map((p) => `${JSON.stringify(p.result)}\n`).join('');
  await writeFile(join(folder, 'results.jsonl'), lines + (more.tail ?? ''));
  return folder;
}
