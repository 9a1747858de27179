import { meanSnr } from '../../link/plan/channel-knowledge.ts';
import type { Air } from '../../link/session/air.ts';
import type { BurstLevel } from '../../link/session/burst-level.ts';
import type { SenderSession } from '../../link/session/sender.ts';
import type { RxStream, TxStream } from '../../radio/radio.ts';
import type { BurstTrace } from '../metrics/burst-trace.ts';
import type { LinkTrace } from '../metrics/link-trace.ts';
import type { GainKeeper } from './gain-keeper.ts';
import type { PowerKeeper } from './power-keeper.ts';

/** Soundings by which gains are set before the first that counts. */
const MOST_TRIALS = 16;
/** Listened to before the first sounding, and after each change of the receive gain, s. */
const LISTEN_S = 30e-3;
/** Changes of the receive gain by noise alone. */
const MOST_LISTENS = 4;
/** Longest wait for a sounding, s of the receiver's stream: then it was not heard. */
const WAIT_S = 0.5;
/** Share of a burst's samples at the converter's limit above which it is too strong. */
const CLIPPED_SHARE = 1e-3;

export interface GainSetting {
  readonly sender: SenderSession;
  readonly air: Air;
  readonly trace: LinkTrace;
  readonly tx: TxStream;
  readonly rx: RxStream;
  /** What arrives at the receiver's converter, and the level at its connector that it stands for, dBm; null where nobody can tell. */
  readonly level: BurstLevel;
  inputDbm(dbfs: number): number | null;
  /** Receive gain; null: the user's. */
  readonly keeper: GainKeeper | null;
  /** Transmit power; null: the user's. */
  readonly power: PowerKeeper | null;
}

/**
 * Raises the power of a sender whose receiver is on another host, by what its reports say. Its converter is its own business: whether
 * it is full is not reported.
 */
export async function raisePower(
  sender: SenderSession,
  tx: Pick<TxStream, 'setGains'>,
  power: PowerKeeper,
  waitS: number,
): Promise<void> {
  for (let trial = 0; trial < MOST_TRIALS; trial++) {
    const report = await sender.soundForReport(waitS);
    // A report says nothing of levels, and SNR alone cannot tell a missing attenuator from a good receiver.
    const heard = report && { snrDb: 10 * Math.log10(meanSnr(report)), clipped: false, receivedDbm: null };
    if (!(await power.settle(tx, heard))) break;
  }
}

/**
 * Sets the gains of a link before the first burst that counts: the receive gain by the noise, so that weak bursts are not lost between the converter's steps; then
 * soundings until the power and the receive gain stay.
 */
export async function setGains(setting: GainSetting): Promise<void> {
  const { sender, air, trace, tx, rx, keeper, power, level, inputDbm } = setting;
  if (!keeper && !power) return;
  const listen = async (): Promise<void> => {
    await air.pass(LISTEN_S);
    keeper?.forget();
  };
  for (let i = 0; keeper && i < MOST_LISTENS; i++) {
    await listen();
    await air.pass(LISTEN_S);
    if (!(await keeper.settle(false))) break;
  }
  for (let trial = 0; trial < MOST_TRIALS; trial++) {
    let burst: BurstTrace | undefined;
    const clippedBefore = rx.counters.clippedSamples;
    level.take();
    await sender.soundOnce(WAIT_S, (number) => {
      // Of this sounding and no earlier one, which was sent with another gain.
      burst = trace.bursts.findLast((b) => b.burst === number && b.use === 'sounding');
      return burst !== undefined;
    });
    const found = burst as BurstTrace | undefined;
    const full =
      found !== undefined && rx.counters.clippedSamples - clippedBefore > CLIPPED_SHARE * found.lengthSamples;
    const dbfs = level.peakDbfs;
    const heard = found && {
      snrDb: found.snrDb,
      clipped: full && !keeper?.canLower,
      receivedDbm: dbfs === null ? null : inputDbm(dbfs),
    };
    const powerMoved = (await power?.settle(tx, heard ?? null)) ?? false;
    const gainMoved = (await keeper?.settle(heard !== null && !powerMoved)) ?? false;
    if (!powerMoved && !gainMoved) break;
    if (gainMoved) await listen();
  }
  trace.forGains = trace.bursts.length;
}
