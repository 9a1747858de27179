import { ExitCode, NoSignalError, SctError, UsageError } from '../../common/errors.ts';
import { TxChain } from '../../link/chains.ts';
import type { HostFeedback } from '../../link/host-feedback.ts';
import { NoFeedback } from '../../link/reverse/feedback.ts';
import { LiveAir, type SentBurst } from '../../link/session/live-air.ts';
import { SenderSession } from '../../link/session/sender.ts';
import { WallTime } from '../../link/session/session-time.ts';
import { wallClockS } from '../../link/session/stream-clock.ts';
import type { TurningSender } from '../../link/session/turning-sender.ts';
import type { WayBack } from '../../link/telemetry.ts';
import type { TransmissionPlan, Transmitter } from '../../link/transmitter.ts';
import type { TransmitterOptions } from '../../link/transmitter-options.ts';
import type { TxStream } from '../../radio/radio.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { LinkConfig } from '../config/link-config.ts';
import type { LinkSetup } from '../config/link-setup.ts';
import type { SessionKnowledge } from '../loopback/session-knowledge.ts';
import type { RunIo } from '../run/run-io.ts';
import { type FeedbackFacts, feedbackFacts, isSocket, openSocket, wayBackOf } from './feedback.ts';
import type { PowerKeeper } from './power-keeper.ts';
import { rehearse } from './rehearsal.ts';
import { raisePower } from './set-gains.ts';

/** A picture and all that is needed to send it. */
export interface Sending {
  readonly config: LinkConfig;
  readonly setup: LinkSetup;
  readonly transmitter: Transmitter;
  readonly knowledge: SessionKnowledge | null;
  readonly image: RgbImage;
  readonly budget: number;
  /** Open for the whole session; null where `turning` opens it. */
  readonly tx: TxStream | null;
  /** A radio that listens for answers between its bursts. */
  readonly turning: TurningSender | null;
  /** The transmitter's power; null where it is fixed. */
  readonly power: PowerKeeper | null;
  /** By which its gain is changed while it is open. */
  readonly gains: Pick<TxStream, 'setGains'> | null;
  readonly io: Pick<RunIo, 'progress' | 'signal'>;
  /** Told what is planned, and of each burst when it is sent: where it ends, s and samples of the transmitted stream. */
  planned(plan: TransmissionPlan): void;
  sent(endS: number, samples: number): void;
  /** Told how the way back to another host is read, once there is one. */
  back?(read: () => WayBack): void;
}

/** Silence before, between and after the bursts of a file, s: a receiver can see its noise floor. */
const LEAD_S = 2e-3;
const GAP_S = 0.5e-3;
const TAIL_S = 5e-3;
/** Waits of a sender whose receiver is on another host: for its first message, a report, answers, s. */
const PEER_S = 30;
const WAIT_S = 3;
const ACK_TIMEOUT_S = 1;
/** Whether the way back of `sct send` brings anything. */
export function hasAnswers(config: LinkConfig): boolean {
  return isSocket(config) || config.feedback === 'burst';
}

/** What was sent, and where it stands in the transmitted stream. */
export interface Sent {
  readonly plan: TransmissionPlan;
  readonly bursts: readonly Omit<SentBurst, 'endS'>[];
  /** Of a way back to another host. */
  readonly feedback?: FeedbackFacts;
}

/** Into a file: one sounding, so that a receiver can tell the channel, then the picture with the robust map. */
export async function sendToFile(sending: Sending & { readonly tx: TxStream }): Promise<Sent> {
  const { setup, transmitter, knowledge, image, budget, tx, io } = sending;
  const chain = new TxChain(setup.frontend, tx);
  const rate = setup.frontend.deviceRateHz;
  const plan = await transmitter.send(image, budget, 0, knowledge?.agree());
  knowledge?.sent(plan.settings);
  sending.planned(plan);
  const bursts = [transmitter.sounding(), ...plan.bursts];
  const sent: Omit<SentBurst, 'endS'>[] = [];
  let at = Math.ceil(LEAD_S * rate);
  for (const [i, burst] of bursts.entries()) {
    if (io.signal.aborted) throw new SctError('interrupted: the transmitter is off', ExitCode.interrupted);
    io.progress.update(`send  burst ${i + 1}/${bursts.length}`);
    const placed = await chain.send(burst.samples, at);
    sent.push({ burst: burst.burst, use: burst.use, ...placed });
    sending.sent((placed.index + placed.samples) / rate, placed.index + placed.samples);
    at = placed.index + placed.samples + Math.ceil(GAP_S * rate);
  }
  await tx.write(new Float32Array(2 * Math.ceil(TAIL_S * rate)), at);
  return { plan, bursts: sent };
}

/** What a transmitter with a socket has beside its usual options. */
export function answeredOptions(config: LinkConfig, setup: LinkSetup): Partial<TransmitterOptions> {
  const { mapping, mappingForced, harqBy, repeatBudget, powerLoading } = config;
  const { maxCsiAgeS, dopplerHz } = setup;
  return {
    mapping,
    mappingForced,
    harqBy,
    repeatBudget,
    powerLoading,
    maxCsiAgeS,
    dopplerHz,
    ackTimeoutS: ACK_TIMEOUT_S,
  };
}

/** Waits for the receiver. UsageError where it holds another token, NoSignalError where nobody comes: then nothing is sent. */
async function peerOf(
  socket: HostFeedback,
  { feedback }: LinkConfig,
  wall: WallTime,
  io: Sending['io'],
): Promise<void> {
  if (!socket.connected) io.progress.note(`waiting for the receiver: ${socket.describe()}`);
  await wall.until(wall.nowS + PEER_S, () => socket.connected || socket.counters.refused > 0);
  if (socket.connected) return;
  if (socket.counters.refused > 0) {
    throw new UsageError(`--feedback ${feedback}: the receiver there holds another token`, 'give both ends the same');
  }
  throw new NoSignalError(
    `no receiver: ${socket.describe()}; nothing was sent`,
    'start sct receive there first, with the same --feedback and token',
  );
}

/** By radio: with a socket to the receiver, or with its reverse bursts, as a session with reports and answers, else as into a file. */
export async function sendLive(sending: Sending): Promise<Sent> {
  const { config, setup, transmitter, knowledge, image, budget, tx, turning, power, gains, io } = sending;
  const wall = new WallTime(wallClockS, io.signal);
  const socket = isSocket(config)
    ? await openSocket(config, 'sender', { changed: () => wall.nudge(), note: (text) => io.progress.note(text) })
    : null;
  if (socket) sending.back?.(() => wayBackOf(socket));
  try {
    if (socket) await peerOf(socket, config, wall, io);
    await rehearse(transmitter, image, budget);
    const { modemRateHz, deviceRateHz } = setup.frontend;
    const open = tx && { chain: new TxChain(setup.frontend, tx), tx };
    const port = turning ?? { ready: async () => open!, done: async () => undefined };
    const air = new LiveAir({ port, time: turning ?? wall, modemRateHz, deviceRateHz });
    let codingS = 0;
    let onAir = 0;
    const back = socket ?? turning;
    const sender = new SenderSession({
      transmitter,
      air,
      feedback: back ?? new NoFeedback(),
      knowledge,
      signal: io.signal,
      get codingS() {
        return codingS;
      },
      answers: back !== null,
      soundings: { count: back ? config.soundings : 1, everyS: config.soundingEveryMs / 1e3 },
      waitS: { report: WAIT_S, answers: back ? WAIT_S : TAIL_S },
      planned: (plan) => sending.planned(plan),
      changed: async () => {
        codingS = await rehearse(transmitter, image, budget, () => air.nowS);
      },
      burst: (use) => {
        io.progress.update(`send  ${use} burst sent`);
        const { endS, samples } = air.sent.at(-1) ?? { endS: 0, samples: 0 };
        onAir += samples;
        sending.sent(endS, onAir);
      },
    });
    // A turning radio is opened for each sending, with the gains that the power has then.
    const setter = gains ?? { setGains: async (gainsDb: Readonly<Record<string, number>>) => gainsDb };
    if (back && power) await raisePower(sender, setter, power, WAIT_S);
    codingS = await rehearse(transmitter, image, budget, () => air.nowS);
    const plan = await sender.sendPicture(image, budget);
    return { plan, bursts: air.sent, ...(socket ? { feedback: feedbackFacts(socket) } : {}) };
  } finally {
    await socket?.close();
    await turning?.close();
  }
}
