import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadDemoPhoto } from '../../src/sct/image/demo.ts';
import { cropImage, encodePng } from '../../src/sct/image/save.ts';
import { killedSweep, plainResults, resultLines, startSweep } from './killed-sweep.ts';
import type { KillFigures } from './report.ts';
import { inScratch } from './timed-sweep.ts';

/** Left, top, width and height of so much of the demo photo that points take milliseconds. */
const PICTURE = [256, 192, 64, 48] as const;

/** Some groups stop early, some take all their seeds. */
const sweepOf = (seeds: number) => `photo: a.png
cbr: 1
numerology: 6
seed: 1..${seeds}
cases:
- {codec: classical, format: jpeg, channel: awgn, snr: [6, 9, 12, 20]}
- {codec: integrated, size: live, channel: epa, snr: [5, 10, 15]}
stop: {metric: psnrDb, halfWidth: 0.4, min: 20}
`;

/** Runs of the built program with SIGKILL at random moments, then one to the end, against one that was left alone. */
export async function measureKills(seed: number, kills: number, seeds: number): Promise<KillFigures> {
  return inScratch(async (at) => {
    await writeFile(join(at, 'a.png'), await encodePng(cropImage(await loadDemoPhoto(), ...PICTURE)));
    const file = join(at, 'sweep.yaml');
    await writeFile(file, sweepOf(seeds));
    const jobs = [2, 1, 3];
    const alone = await finished({ file, folder: join(at, 'alone'), jobs });
    const expected = plainResults(join(at, 'alone'));
    const mostResults = Math.floor(expected.length / kills) - 2;
    const plan = { file, folder: join(at, 'killed'), kills, seed, jobs, mostResults };
    const { resultsAtKill, early } = await killedSweep(plan);
    await finished(plan);
    const lines = plainResults(plan.folder);
    const ids = (of: readonly string[]) => of.map((line) => /"id":"([0-9a-f]{32})"/.exec(line)![1]);
    const [before, after] = [new Set(ids(expected)), ids(lines)];
    return {
      seed,
      jobs,
      kills,
      early,
      resultsAtKill,
      points: alone.points,
      results: expected.length,
      lost: [...before].filter((id) => !after.includes(id)).length,
      doubled: resultLines(plan.folder).length - new Set(after).size,
      different: lines.filter((line) => !expected.includes(line)).length,
    };
  });
}

async function finished(plan: Parameters<typeof startSweep>[0]): Promise<{ points: number }> {
  const { code, stdout, stderr } = await startSweep(plan).ended;
  if (code !== 0) throw new Error(`sct sweep ended with ${code}: ${stderr || stdout}`);
  return JSON.parse(stdout);
}
