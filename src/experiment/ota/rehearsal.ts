import { unsentOf } from '../../link/plan/coded-in-budget.ts';
import { wallClockS } from '../../link/session/stream-clock.ts';
import type { Transmitter } from '../../link/transmitter.ts';
import type {
  AnalyseHints,
  Codec,
  DecodedImage,
  DecodeOptions,
  ReceivedSource,
  SourcePlan,
} from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { KnownSet } from '../../sct/knowledge/knowledge-message.ts';
import type { LinkKnowledge } from '../loopback/session-knowledge.ts';

/**
 * A codec that looks at a picture before the channel is measured: what does not depend on the channel is not done while a
 * CSI report grows old. Gives the same as the codec inside it.
 */
export class RehearsedCodec implements Codec {
  readonly name: string;
  private readonly inner: Codec;
  private readonly plans = new WeakMap<RgbImage, Map<string, Promise<SourcePlan>>>();

  constructor(inner: Codec) {
    this.inner = inner;
    this.name = inner.name;
  }

  describe(): string {
    return this.inner.describe();
  }

  analyse(image: RgbImage, hints: AnalyseHints = {}): Promise<SourcePlan> {
    const known = this.plans.get(image) ?? new Map<string, Promise<SourcePlan>>();
    this.plans.set(image, known);
    const key = JSON.stringify(hints);
    const plan = known.get(key) ?? this.inner.analyse(image, hints);
    known.set(key, plan);
    return plan;
  }

  decode(received: ReceivedSource, options?: DecodeOptions): Promise<DecodedImage> {
    return this.inner.decode(received, options);
  }
}

/** The same, with a model set that is taken later rehearsed as well. */
export function rehearsedChanges(link: LinkKnowledge): LinkKnowledge {
  const { reopen } = link;
  if (!reopen) return link;
  const rehearsed = async (set: KnownSet) => {
    const change = await reopen(set);
    return { ...change, codec: new RehearsedCodec(change.codec) };
  };
  return { ...link, reopen: rehearsed };
}

/**
 * Codes a picture by what is known of the channel so far and sends nothing, so that models are loaded, the picture is analysed and the code has run
 * before the report comes that counts; returns how long a coding takes after that by the session's clock, s: so much older a report is when its bursts are
 * on the air.
 *
 * @param nowS the session's clock; default the process's
 */
export async function rehearse(
  transmitter: Transmitter,
  image: RgbImage,
  budgetRe: number,
  nowS: () => number = wallClockS,
): Promise<number> {
  const code = async (): Promise<number> => {
    const startedS = nowS();
    // What is too much for the channel as it is thought to be now is not refused before it is measured.
    const { bursts } = await unsentOf(transmitter.understudy().send(image, budgetRe, transmitter.measuredAtS ?? 0));
    // The first burst's samples are made before it is on the air as well.
    void bursts[0]?.samples.length;
    return nowS() - startedS;
  };
  await code();
  return code();
}
