import { DeviceError, FormatError } from '../../common/errors.ts';
import type { PushOffer } from '../../sct/knowledge/push-offer.ts';
import type { PushLink } from './push-link.ts';
import { CHUNK_BYTES, decodePush, encodePush, type VerdictState } from './push-messages.ts';

/** One file of a push, read where it is asked for. */
export interface PushFile {
  readonly bytes: number;
  /** Exactly `length` bytes from `offset`, which lie inside it. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** How a push ended. */
export interface PushEnd {
  readonly state: VerdictState;
  /** Why it was refused, or what has to happen; the other end's words, so to be printed as such. */
  readonly reason: string;
  /** Bytes of files that travelled: less than the whole where an earlier push had been cut off. */
  readonly sentBytes: number;
}

/** A receiver that finds a file wrong asks for it once more; one that never has enough is not served for ever. */
const MOST_TIMES = 3;

/**
 * Offers a set or picture over one connection and serves what the other end asks for, until it says what became of it.
 *
 * @param files in the order of the offer: the first one, then those that it names
 * @param sent called with the bytes that travelled so far
 * @throws DeviceError where the connection ends before; FormatError for what no receiver of this version asks
 */
export async function pushOver(
  link: PushLink,
  offer: PushOffer,
  files: readonly PushFile[],
  sent: (bytes: number) => void = () => undefined,
): Promise<PushEnd> {
  let sentBytes = 0;
  await link.send(encodePush({ type: 'offer', offer }));
  for (;;) {
    const bytes = await link.receive();
    if (bytes === null) throw new DeviceError(`the connection ended before the push was done: ${link.describe()}`);
    const message = decodePush(bytes);
    if (message.type === 'verdict') return { state: message.state, reason: message.reason, sentBytes };
    if (message.type !== 'want') throw new FormatError('type', `${message.type} where want or verdict is due`);
    const { file, offset, length } = message;
    if (file >= files.length) throw new FormatError('file', `${file}, there are ${files.length}`);
    if (offset + length > files[file].bytes) {
      throw new FormatError('length', `${length} from ${offset} leads out of a file of ${files[file].bytes} bytes`);
    }
    if (sentBytes + length > MOST_TIMES * offer.bytes) {
      throw new FormatError('want', `asks for more than ${MOST_TIMES} times what was offered`);
    }
    for (let at = offset; at < offset + length; at += CHUNK_BYTES) {
      const chunk = await files[file].read(at, Math.min(CHUNK_BYTES, offset + length - at));
      await link.send(encodePush({ type: 'data', offset: at, bytes: chunk }));
      sentBytes += chunk.length;
      sent(sentBytes);
    }
  }
}
