import { DeviceError, FormatError, SctError } from '../../common/errors.ts';
import type { Arrival } from '../../sct/knowledge/arrival.ts';
import type { PushOffer } from '../../sct/knowledge/push-offer.ts';
import type { FileClaim } from '../../sct/semantics/model-files.ts';
import type { PushLink } from './push-link.ts';
import { decodePush, encodePush, type PushMessage, type VerdictState, WINDOW_BYTES } from './push-messages.ts';

/** Where a push is kept, as `PushedStore` does. */
export interface PushKeeper {
  /** What is to be received, or null where it is here; UsageError where it is not wanted. */
  begin(offer: PushOffer): Promise<Arrival | null>;
  isAllowed(sha256: string): Promise<boolean>;
}

/** What came of one push. */
export interface PushTaken {
  readonly offer: PushOffer;
  readonly state: VerdictState;
  readonly reason: string;
  /** Bytes of files that travelled over this connection, and that were there from earlier ones. */
  readonly receivedBytes: number;
  readonly resumedBytes: number;
}

/** A file may come once more when its hash is wrong: a part that an earlier, killed program left may be damaged. */
const MOST_TRIES = 2;

/**
 * Takes one push: asks for what is missing, span by span, checks every file against its hash, and puts the whole in its place at once. What
 * was received stays when the connection ends, so that the next push goes on there. Nothing that comes is opened here: not before it is
 * allowed.
 *
 * @param received called with the bytes that are here so far
 * @throws DeviceError where the connection ends before the verdict; FormatError for what no pusher says. What was wrong with a set or picture
 *   is no error here: the verdict says so to the other end and to the caller.
 */
export async function takePush(
  link: PushLink,
  keeper: PushKeeper,
  received: (bytes: number, offer: PushOffer) => void = () => undefined,
): Promise<PushTaken> {
  const first = await next(link);
  if (first.type !== 'offer') throw new FormatError('type', `${first.type} where an offer is due`);
  const { offer } = first;
  const tally = { received: 0, resumed: 0, told: () => received(tally.received + tally.resumed, offer) };
  const end = async (state: VerdictState, reason: string): Promise<PushTaken> => {
    await link.send(encodePush({ type: 'verdict', state, reason }));
    return { offer, state, reason, receivedBytes: tally.received, resumedBytes: tally.resumed };
  };
  let arrival: Arrival | null;
  try {
    arrival = await keeper.begin(offer);
  } catch (error) {
    return end('refused', refusal(error));
  }
  if (arrival) {
    try {
      const reason = await receiveAll(link, arrival, tally);
      if (reason !== null) return end('refused', reason);
    } catch (error) {
      await arrival.pause();
      if (!isFileError(error)) throw error;
      // A full disk is said to the other end, and what is here stays; another program may have received the same meanwhile.
      if (error.code !== 'ENOENT' || !(await isHeld(keeper, offer))) return end('refused', refusal(error));
    }
  }
  if (await keeper.isAllowed(offer.sha256)) return end('trusted', '');
  return end('waiting', `allow it there: sct models allow ${offer.sha256.slice(0, 12)} --pushed DIR`);
}

interface Tally {
  received: number;
  resumed: number;
  told(): void;
}

/** Every file of an arrival; what is wrong with it where nothing of it can stay, else null. */
async function receiveAll(link: PushLink, arrival: Arrival, tally: Tally): Promise<string | null> {
  const files: FileClaim[] = [arrival.first];
  for (let i = 0; i < files.length; i++) {
    if (!(await receiveFile(link, arrival, i, files[i], tally))) {
      await arrival.discard();
      return `${files[i].path} does not have the hash ${files[i].sha256}`;
    }
    if (i > 0) continue;
    try {
      files.push(...(await arrival.others()));
    } catch (error) {
      if (!(error instanceof SctError)) throw error;
      await arrival.discard();
      return error.message;
    }
  }
  await arrival.commit(files);
  return null;
}

/** One file, from where it ended before; false where it has come whole and wrong as often as it may. */
async function receiveFile(
  link: PushLink,
  arrival: Arrival,
  file: number,
  claim: FileClaim,
  tally: Tally,
): Promise<boolean> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    let at = await arrival.have(file, claim);
    const resumed = at;
    tally.resumed += resumed;
    while (at < claim.bytes) {
      const length = Math.min(WINDOW_BYTES, claim.bytes - at);
      await link.send(encodePush({ type: 'want', file, offset: at, length }));
      for (const end = at + length; at < end; ) {
        const message = await next(link);
        if (message.type !== 'data') throw new FormatError('type', `${message.type} where data is due`);
        const { offset, bytes } = message;
        if (offset !== at) throw new FormatError('offset', `${offset} where ${at} is due`);
        if (at + bytes.length > end)
          throw new FormatError('bytes', `lead to ${at + bytes.length}, asked for up to ${end}`);
        await arrival.write(file, at, bytes);
        at += bytes.length;
        tally.received += bytes.length;
        tally.told();
      }
    }
    if (await arrival.check(file, claim)) return true;
    tally.resumed -= resumed;
  }
  return false;
}

async function next(link: PushLink): Promise<PushMessage> {
  const bytes = await link.receive();
  if (bytes === null) throw new DeviceError(`the push was cut off: ${link.describe()}`);
  return decodePush(bytes);
}

function refusal(error: unknown): string {
  if (error instanceof SctError) return error.message;
  if (!isFileError(error)) throw error;
  return error.code === 'ENOENT'
    ? 'what had come was removed there meanwhile'
    : `cannot be written there (${error.code})`;
}

/** Whether the whole of it is here; if not, nothing is. */
async function isHeld(keeper: PushKeeper, offer: PushOffer): Promise<boolean> {
  const arrival = await keeper.begin(offer).catch(() => undefined);
  await arrival?.discard();
  return arrival === null;
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
