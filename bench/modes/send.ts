import { RandomStream } from '../../src/common/random.ts';
import { sideInformationSymbols } from '../../src/experiment/bench/models/models-awgn.ts';
import type { DecodedImage, DecodeOptions, ReceivedSource, StreamGrant } from '../../src/sct/codec/codec.ts';
import type { IntegratedCodec, IntegratedPlan } from '../../src/sct/codec/integrated.ts';
import { grantsByImportance, overAir } from '../integrated/air.ts';

/**
 * Symbols of each stream in proportion to importance. SFVs that would get less than their minimum get nothing, the least important
 * first, and the others share what that leaves: what the link's allocation does on a flat channel.
 */
export function grantsAbove(plan: IntegratedPlan, symbols: number, snrDb: number): StreamGrant[] {
  const scores = Uint8Array.from(plan.streams, (s) => s.score);
  for (;;) {
    const grants = grantsByImportance(scores, symbols, snrDb);
    const short = grants.filter((g) => g.size < plan.streams[g.id].minSize);
    if (short.length === 0 || grants.length === 1) return grants;
    const least = short.reduce((a, b) => (scores[b.id] < scores[a.id] ? b : a));
    scores[least.id] = 0;
  }
}

/** What arrives of a plan over AWGN at a budget, side information paid from it as the link codes it. */
export async function sendAwgn(
  plan: IntegratedPlan,
  budget: number,
  snrDb: number,
  seed: string,
): Promise<{ received: ReceivedSource; settings: Readonly<Record<string, unknown>> }> {
  const left = budget - sideInformationSymbols(plan.sideInfoBytes);
  if (left < 1) throw new Error(`${budget} symbols do not hold ${plan.sideInfoBytes} bytes of side information`);
  const { sideInfo, streams, settings } = await plan.encode(grantsAbove(plan, left, snrDb));
  const random = new RandomStream(`modes/${seed}`);
  return {
    received: { sideInfo, streams: streams.map((s) => overAir(s, () => snrDb, random.fork(`${s.id}`))) },
    settings,
  };
}

/** The same, decoded. */
export async function overAwgnPlan(
  codec: IntegratedCodec,
  plan: IntegratedPlan,
  budget: number,
  snrDb: number,
  seed: string,
  options: DecodeOptions = {},
): Promise<DecodedImage> {
  return codec.decode((await sendAwgn(plan, budget, snrDb, seed)).received, options);
}
