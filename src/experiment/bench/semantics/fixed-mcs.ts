import type { Codec } from '../../../sct/codec/codec.ts';
import { mean } from '../../metrics/stats.ts';
import { type Air, blindLinkOf, conditionsOf } from './air.ts';
import type { PartContext } from './part.ts';
import { type Draw, type SendOptions, sendAll } from './send-all.ts';
import type { Series, Trial } from './series.ts';

/** Trials that a rung of the ladder is given before it may be dropped as hopeless. */
const FIRST_LOOK = 6;

/** One modulation and one code rate; no margin by importance, which would be a second one. */
const ONE_MCS = { oneMcs: true, protectionDb: 0 };

export interface Ladder {
  /** Where the climb begins, dB. */
  readonly startDb: number;
  readonly stepDb: number;
  /** Rungs in a row that must be worse before the climb turns back. */
  readonly patience: number;
}

/** Rungs for a channel that is known, and for one that fades. */
export function ladderFor({ channel, snrDb }: Air, quick = false): Ladder {
  if (quick) return { startDb: snrDb - 2, stepDb: 3, patience: 1 };
  return channel === 'awgn'
    ? { startDb: snrDb, stepDb: 0.5, patience: 1 }
    : { startDb: snrDb - 4, stepDb: 1, patience: 2 };
}

/**
 * The best fixed MCS of a condition: one modulation and one code rate for all pictures and seeds, interleaved over the band,
 * no feedback. The ladder has the MCS that adaptation would pick for each SNR in steps of `stepDb`; it is climbed from `startDb` up and down
 * until `patience` rungs in a row have a lower mean PSNR. The MCS is chosen on the very trials that are reported,
 * so the figure is what the best fixed MCS could have done, a little better than one chosen beforehand would do.
 */
export async function bestFixedMcs(
  context: PartContext,
  air: Air,
  list: readonly Draw[],
  codec: Codec,
  scheme: string,
  sending: SendOptions = {},
): Promise<Series> {
  const { startDb, stepDb, patience } = ladderFor(air, context.scale.quick);
  const rungs = new Map<number, Rung>();
  // Where nothing fades the sender goes by the rung's SNR as by a flat report (placement makes no difference there), so that control
  // and side information have rates for it, too.
  const sendingFor =
    (designDb: number) =>
    ({ seed }: Draw) => ({
      codec,
      transmitter: ONE_MCS,
      link: blindLinkOf(air, seed, context.scale, designDb),
      ...(air.channel === 'awgn' ? { reportDb: designDb } : {}),
    });
  const climb = async (designDb: number) => {
    const known = rungs.get(designDb);
    if (known) return known;
    const { trials, facts } = await sendAll(context, list, sendingFor(designDb), {
      ...sending,
      pictures: undefined,
      stop: hopeless,
    });
    const whole = trials.length === list.length;
    const rung = { designDb, mcs: String(facts.MCS), trials, psnrDb: whole ? meanPsnr(trials) : -1 };
    rungs.set(designDb, rung);
    return rung;
  };
  let best = await climb(startDb);
  for (const direction of [1, -1]) {
    // Where nothing arrives, a higher rung brings nothing either; below, patience counts from the first that does.
    if (direction > 0 && best.psnrDb < 0) continue;
    let worse = 0;
    for (
      let at = startDb + direction * stepDb;
      worse < patience && Math.abs(at - startDb) <= 20;
      at += direction * stepDb
    ) {
      if (at < -20 || at > 40) break;
      const rung = await climb(at);
      if (rung.psnrDb > best.psnrDb) {
        best = rung;
        worse = 0;
      } else if (best.psnrDb >= 0) worse++;
    }
  }
  const { designDb } = best;
  if (sending.pictures) await sendAll(context, list, sendingFor(designDb), { pictures: sending.pictures });
  const tried = [...rungs.values()].sort((a, b) => a.designDb - b.designDb);
  return {
    scheme,
    conditions: conditionsOf(air),
    facts: {
      MCS: best.mcs,
      'MCS for, dB': best.designDb,
      'MCS tried': tried.map((r) => `${r.mcs} (${r.psnrDb < 0 ? 'none arrived' : r.psnrDb.toFixed(2)})`).join(', '),
    },
    trials: best.trials,
  };
}

interface Rung {
  readonly designDb: number;
  readonly mcs: string;
  readonly trials: readonly Trial[];
  /** -1: given up. */
  readonly psnrDb: number;
}

function hopeless(trials: readonly Trial[]): boolean {
  return trials.length === FIRST_LOOK && trials.every((t) => t.values.outage === 1);
}

function meanPsnr(trials: readonly Trial[]): number {
  return mean(trials.map((t) => t.values.psnrDb!));
}
