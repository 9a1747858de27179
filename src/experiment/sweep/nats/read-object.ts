import type { ObjectStore } from '@nats-io/obj';

/** Longest that a server says nothing in the middle of an object, ms: one that has lost its disk never ends what it had begun to send. */
const SILENCE_MS = 30_000;

/**
 * An object of at most so many bytes; null where it is not there or is deleted.
 *
 * @param tooLarge makes the error for more bytes than that, said or sent
 * @param silenceMs instead of 30 s
 * @throws AbortError with the signal; Error where the server falls silent or sends something else than was put
 */
export async function readObject(
  store: ObjectStore,
  name: string,
  limits: {
    readonly mostBytes: number;
    readonly signal: AbortSignal;
    readonly silenceMs?: number;
    tooLarge(bytes: number): Error;
  },
): Promise<Uint8Array | null> {
  const { mostBytes, signal, tooLarge, silenceMs = SILENCE_MS } = limits;
  const object = await store.get(name);
  if (object === null) return null;
  // What goes wrong on the way ends the stream as well.
  object.error.catch(() => undefined);
  const reader = object.data.getReader();
  const cancel = () => void reader.cancel().catch(() => undefined);
  if (object.info.size > mostBytes) {
    cancel();
    throw tooLarge(object.info.size);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let silent = false;
  const timer = setTimeout(() => {
    silent = true;
    cancel();
  }, silenceMs);
  signal.addEventListener('abort', cancel);
  if (signal.aborted) cancel();
  try {
    // A stream that is cancelled ends as one that is whole does.
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      timer.refresh();
      bytes += next.value.length;
      if (bytes > mostBytes) throw tooLarge(bytes);
      chunks.push(next.value);
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
    cancel();
  }
  signal.throwIfAborted();
  if (silent) throw new Error(`no answer in ${silenceMs / 1e3} s`);
  return Buffer.concat(chunks, bytes);
}
