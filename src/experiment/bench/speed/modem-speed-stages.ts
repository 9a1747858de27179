import { type Profiler, Session } from 'node:inspector';
import { promisify } from 'node:util';

/** Share of one stage in the receiver's time. */
export interface StageCost {
  readonly stage: string;
  readonly share: number;
  readonly nsPerSample: number;
}

/**
 * Stage of each function, by file and, where a file serves several, by name; kernels (but that of OFDM, which the tracker calls)
 * and estimators belong to who calls them. What none of these has called is `rest` (buffers, records, the bench itself).
 */
const STAGES: readonly (readonly [stage: string, file: RegExp, name?: RegExp])[] = [
  ['search', /\/sync\/(detect|dc|clean-window|sample-window|tone)\.[jt]s$/, /^(?!withoutMean)/],
  ['acquisition', /\/sync\/(acquire|preamble)\.[jt]s$/],
  ['acquisition', /\/channel-est\/training\.[jt]s$/],
  ['acquisition', /\/burst\/burst-receiver\.[jt]s$/, /^acquire$/],
  ['header', /\/burst\/control-reader\.[jt]s$/],
  ['demodulation', /\/(ofdm\/demodulate|kernels\/ofdm\/ofdm-(wasm|plain))\.[jt]s$/],
  ['channel estimate', /\/burst\/payload-estimate\.[jt]s$/],
  ['tracking', /\/burst\/(symbol-tracker|control-channel|disturbance)\.[jt]s$/],
  ['tracking', /\/sync\/(phase-tracker|timing-tracker|pilot-delay|locate-symbols)\.[jt]s$/],
  ['RB SNR', /\/channel-est\/rb-snr\.[jt]s$/],
  ['equalise', /\/burst\/payload-reader\.[jt]s$/],
  ['demap', /\/modulation\/soft-demapper\.[jt]s$/],
  ['demap', /\/bench\/modem-speed-ours\.[jt]s$/, /^demap$/],
];

/**
 * Where the time of `work` goes, by a sampling profile (one sample each 0.2 ms): a sample belongs to the innermost stage on
 * its stack. `nsPerSample` is the whole cost, measured without the profiler.
 */
export async function stageCosts(work: () => void, repeats: number, nsPerSample: number): Promise<StageCost[]> {
  const session = new Session();
  session.connect();
  const post = promisify(session.post.bind(session)) as (method: string, params?: object) => Promise<unknown>;
  await post('Profiler.enable');
  await post('Profiler.setSamplingInterval', { interval: 200 });
  // Starting the profiler compiles anew: the first profile is thrown away.
  await post('Profiler.start');
  for (let i = 0; i < 3; i++) work();
  await post('Profiler.stop');
  await post('Profiler.start');
  for (let i = 0; i < repeats; i++) work();
  const { profile } = (await post('Profiler.stop')) as { profile: Profiler.Profile };
  session.disconnect();
  const costs = new Map<string, number>();
  let total = 0;
  for (const [stage, time] of stageTimes(profile)) {
    costs.set(stage, time);
    total += time;
  }
  return Array.from(costs, ([stage, time]) => ({
    stage,
    share: time / total,
    nsPerSample: (nsPerSample * time) / total,
  })).sort((a, b) => b.share - a.share);
}

/** Self times, microseconds, summed by stage; time that the profiler or idling took is left out. */
export function stageTimes(profile: Profiler.Profile): Map<string, number> {
  const stages = new Map<number, string>();
  const names = new Map<number, string>();
  const urls = new Map<number, string>();
  // Parents stand before their children.
  for (const node of profile.nodes) {
    const { functionName, url } = node.callFrame;
    names.set(node.id, functionName);
    urls.set(node.id, url);
    const own = STAGES.find(([, file, name]) => file.test(url) && (!name || name.test(functionName)))?.[0];
    const stage = functionName === '(garbage collector)' ? 'memory' : (own ?? stages.get(node.id) ?? 'rest');
    // The outer stage is inherited only where there is no own.
    stages.set(node.id, stage);
    for (const child of node.children ?? []) stages.set(child, stage);
  }
  const times = new Map<string, number>();
  profile.samples?.forEach((id, i) => {
    const name = names.get(id) ?? '';
    if (/^\((program|idle|root)\)$/.test(name) || urls.get(id) === 'node:inspector') return;
    const stage = stages.get(id) ?? 'rest';
    times.set(stage, (times.get(stage) ?? 0) + Math.max(0, profile.timeDeltas?.[i] ?? 0));
  });
  return times;
}
