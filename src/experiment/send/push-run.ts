import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { DeviceError, ExitCode, SctError, UsageError } from '../../common/errors.ts';
import { connectPush } from '../../link/feedback-push.ts';
import { isNatsUrl, parseNatsUrl } from '../../link/nats/nats-url.ts';
import type { PushLink } from '../../link/push/push-link.ts';
import type { VerdictState } from '../../link/push/push-messages.ts';
import { type PushEnd, type PushFile, pushOver } from '../../link/push/push-sender.ts';
import { referenceHash } from '../../sct/knowledge/knowledge-store.ts';
import { checkedOffer, type PushOffer, pictureName } from '../../sct/knowledge/push-offer.ts';
import { pushedManifest } from '../../sct/knowledge/pushed-set.ts';
import { readModelFile, shippedModelsDir } from '../../sct/semantics/model-files.ts';
import { type ModelSetInfo, readModelSets } from '../../sct/semantics/model-set.ts';
import { readFeedbackToken } from '../ota/feedback.ts';
import type { RunIo } from '../run/run-io.ts';

export interface PushConfig {
  /** A picture's path; or a set of `modelsDir` by its name or the start of its hash. */
  readonly what: string;
  readonly modelsDir?: string | undefined;
  /** ws://HOST:PORT of the receiver, or nats://HOST[:PORT][/NAME] where it meets others. */
  readonly feedback: string;
  readonly feedbackToken?: string | undefined;
}

export interface PushReport {
  readonly schema: 'sct.models-push/1';
  readonly ok: boolean;
  readonly kind: PushOffer['kind'];
  readonly name: string;
  readonly version: number | null;
  readonly sha256: string;
  readonly bytes: number;
  /** trusted: it may be used there; waiting: it is there, and someone there must allow it; refused: see `reason`. */
  readonly state: VerdictState;
  readonly reason: string;
  /** Bytes of files sent by this command, over all its connections. */
  readonly sentBytes: number;
  readonly connections: number;
}

/** Connections in a row that bring nothing further before it gives up, and the waits between them, ms. */
const MOST_FAILURES = 5;
const MOST_TIMES = 4;
const RETRY_MS = { first: 200, most: 5000 } as const;

/**
 * `sct models push`: sends a model set or a reference picture to a receiver, over as many connections as it takes.
 *
 * @throws DeviceError where nobody takes it; UsageError for another token, or something that is neither set nor picture
 */
export async function runPush(config: PushConfig, io: Pick<RunIo, 'progress' | 'signal'>): Promise<PushReport> {
  checkPushWay(config.feedback);
  const token = await readFeedbackToken(config);
  const { offer, files } = await objectOf(config.what, config.modelsDir);
  let [sentBytes, connections, failures] = [0, 0, 0];
  for (;;) {
    let here = 0;
    try {
      const end = await overOne(config.feedback, token, offer, files, io, (bytes) => {
        here = bytes;
        io.progress.update(`push  ${((sentBytes + here) / 1e6).toFixed(1)} of ${(offer.bytes / 1e6).toFixed(1)} MB`);
      });
      const { kind, name, version, sha256, bytes } = offer;
      return {
        schema: 'sct.models-push/1',
        ok: end.state !== 'refused',
        kind,
        name,
        version: kind === 'set' ? version : null,
        sha256,
        bytes,
        state: end.state,
        reason: end.reason,
        sentBytes: sentBytes + here,
        connections: connections + 1,
      };
    } catch (error) {
      if (io.signal.aborted) throw new SctError('interrupted: the next push goes on here', ExitCode.interrupted);
      if (!(error instanceof DeviceError)) throw error;
      connections++;
      sentBytes += here;
      // A peer that forgets what it got is not served for ever.
      failures = here > 0 && sentBytes <= MOST_TIMES * offer.bytes ? 0 : failures + 1;
      if (failures >= MOST_FAILURES) throw error;
      io.progress.note(`${error.message}: once more`);
      await pause(Math.min(RETRY_MS.first * 2 ** Math.max(0, failures - 1), RETRY_MS.most), io.signal);
    }
  }
}

/** UsageError for a way back that no push goes over. */
function checkPushWay(feedback: string): void {
  if (isNatsUrl(feedback)) return void parseNatsUrl(feedback, '--feedback');
  if (/^wss?:/.test(feedback) && URL.canParse(feedback)) return;
  throw new UsageError(
    `--feedback ${feedback} cannot carry a push: allowed ws://HOST:PORT, wss://HOST:PORT, nats://HOST[:PORT][/NAME], tls://HOST[:PORT][/NAME]`,
  );
}

async function connectBy(url: string, token: Buffer): Promise<PushLink> {
  if (!isNatsUrl(url)) return connectPush(url, token);
  // The NATS client is an optional package: it is loaded only where it is asked for.
  const { connectNatsPush } = await import('../../link/nats/nats-push.ts');
  return connectNatsPush(url, token);
}

async function overOne(
  url: string,
  token: Buffer,
  offer: PushOffer,
  files: readonly PushFile[],
  { signal }: Pick<RunIo, 'signal'>,
  sent: (bytes: number) => void,
): Promise<PushEnd> {
  let link: PushLink | null = null;
  const stop = () => void link?.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    link = await connectBy(url, token);
    if (signal.aborted) throw new DeviceError('interrupted');
    return await pushOver(link, offer, files, sent);
  } finally {
    signal.removeEventListener('abort', stop);
    await link?.close();
  }
}

/** What is offered, and its files: every one read and checked before the first byte travels. */
export async function objectOf(
  what: string,
  modelsDir: string | undefined,
): Promise<{ readonly offer: PushOffer; readonly files: readonly PushFile[] }> {
  const found = await stat(what).catch(() => null);
  if (found?.isFile()) return pictureObject(what);
  const dir = modelsDir ?? shippedModelsDir();
  const sets = await readModelSets(dir);
  const fitting = sets.filter((s) => s.name === what || (/^[0-9a-f]{8,64}$/.test(what) && s.sha256.startsWith(what)));
  if (fitting.length !== 1) {
    const there = sets.map((s) => `${s.name} (${s.id})`).join(', ');
    const file = found ? 'is a folder' : 'there is no such file';
    throw new UsageError(
      `"${what.slice(0, 80)}": ${file}, and no such model set in ${dir}: there is ${there}`,
      'name a picture file, a set of there, or another folder of sets with --models DIR',
    );
  }
  return setObject(dir, fitting[0]);
}

async function setObject(dir: string, set: ModelSetInfo) {
  const first = pushedManifest(set);
  const others: Uint8Array[] = [];
  for (const file of set.files) others.push(await readModelFile(dir, file));
  const { name, version, sha256 } = set;
  const bytes = others.reduce((sum, f) => sum + f.length, first.length);
  const offer = { kind: 'set', name, version, sha256, width: 0, height: 0, bytes, ...facts(first) } as const;
  return { offer: checkedOffer(offer), files: [first, ...others].map(inMemory) };
}

async function pictureObject(path: string) {
  const { loadImage } = await import('../../sct/image/load.ts');
  const { encodePng } = await import('../../sct/image/save.ts');
  const image = await loadImage(path);
  // The samples are what both ends must share, whatever file they came from.
  const png = await encodePng(image);
  const { width, height } = image;
  const name = pictureName(basename(path, extname(path)));
  const sha256 = referenceHash(image);
  const offer = { kind: 'picture', name, version: 0, sha256, width, height, bytes: png.length, ...facts(png) } as const;
  return { offer: checkedOffer(offer), files: [inMemory(png)] };
}

function facts(first: Uint8Array) {
  return { firstBytes: first.length, firstSha256: createHash('sha256').update(first).digest('hex') };
}

function inMemory(bytes: Uint8Array): PushFile {
  return { bytes: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
