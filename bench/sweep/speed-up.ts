import { spread } from '../../src/experiment/bench/spread.ts';
import { ThreadQueue } from '../../src/experiment/sweep/thread-queue.ts';
import { rounded, type SpeedUpFigures } from './report.ts';
import { inScratch, timedSweep } from './timed-sweep.ts';

/** Whole sweeps with one and with two threads, in pairs whose order changes from pair to pair. */
export async function measureSpeedUp(
  codec: string,
  settings: string,
  points: number,
  pairs: number,
): Promise<SpeedUpFigures> {
  const rounds: SpeedUpFigures['rounds'][number][] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const tookS: Record<number, number> = {};
    for (const jobs of pair % 2 === 0 ? [1, 2] : [2, 1]) {
      const yaml = `${settings}seed: 1..${points}\n`;
      const { planS, measureS } = await inScratch((at) => timedSweep(at, yaml, () => new ThreadQueue(jobs)));
      tookS[jobs] = planS + measureS;
    }
    rounds.push({ jobs1S: rounded(tookS[1]), jobs2S: rounded(tookS[2]), ratio: rounded(tookS[1] / tookS[2]) });
  }
  return { codec, points, rounds, ratio: spread(rounds.map(({ ratio }) => ratio)) };
}
