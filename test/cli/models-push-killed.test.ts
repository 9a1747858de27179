import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DeviceError } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import { feedbackToken } from '../../src/link/feedback-auth.ts';
import { connectPush } from '../../src/link/feedback-push.ts';
import { connectNatsPush } from '../../src/link/nats/nats-push.ts';
import type { PushLink } from '../../src/link/push/push-link.ts';
import { WINDOW_BYTES } from '../../src/link/push/push-messages.ts';
import { type PushFile, pushOver } from '../../src/link/push/push-sender.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { NO_NATS, TestNats, until } from '../nats-server.ts';
import { pushablePicture, served } from '../sct/knowledge/pushed-objects.ts';
import { scratch, sct, startSct } from './helpers.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const KILLS = 4;
const HELD = ['models', 'held', '--pushed', 'pushed', '--json'];
const NAME = 'a receiver that is killed at any moment goes on where it was, and what is held in the end is whole';

test(`${NAME} (WebSocket)`, async (t) => {
  // Each life listens at a port of its own: one that is free between two lives may be taken by anybody.
  await killedAgainAndAgain(t, 'ws://127.0.0.1:0', connectPush);
});

test(`${NAME} (NATS)`, { skip: NO_NATS }, async (t) => {
  await killedAgainAndAgain(t, `${(await TestNats.start(t, [], false)).url}/kills`, connectNatsPush);
});

async function killedAgainAndAgain(
  t: TestContext,
  at: string,
  connect: (url: string, token: Buffer) => Promise<PushLink>,
): Promise<void> {
  const dir = await scratch(t);
  writeFileSync(join(dir, 'token'), TOKEN);
  const random = new RandomStream('kills');
  const picture = await pushablePicture(rgbImage(1300, 1000, random.bytes(3 * 1300 * 1000)));
  const { bytes, sha256 } = picture.offer;
  const part = join(dir, 'pushed', 'arriving', sha256, '0.part');
  const written = () => statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  const words = ['models', 'accept', '--feedback', at, '--feedback-token', 'token', '--pushed', 'pushed', '-n', '1'];
  let total = 0;
  for (let i = 0; i <= KILLS; i++) {
    const child = startSct([...words, '--json'], dir);
    t.after(() => child.kill('SIGKILL'));
    const [, url] = await child.stderrMatches(/pushes are taken at (\S+)/);
    const link = await connect(url, feedbackToken(TOKEN));
    const before = written();
    let sent = 0;
    const most = i < KILLS ? (bytes / (KILLS + 1)) * random.between(0.2, 1) : Number.POSITIVE_INFINITY;
    // However slow it is, it is killed in the middle, and not before it has written something.
    const files = served(picture.files).map((file) =>
      slowed(file, async () => {
        if (sent < most) return;
        await until(() => written() > before, 'a byte of this life');
        child.kill('SIGKILL');
        await child.ended;
      }),
    );
    const pushing = pushOver(link, picture.offer, files, (now) => {
      sent = now;
    });
    if (i < KILLS) {
      const over = assert.rejects(pushing, DeviceError);
      await child.ended;
      // Over NATS a pusher sees only by silence, after 3 s, that nobody is there: it sees it once, then it leaves.
      if (i > 0) await link.close();
      await over;
      const { arriving, objects } = JSON.parse((await sct(HELD, dir)).stdout);
      const { sha256: hash, hereBytes, allowed } = arriving[0];
      assert.deepEqual([objects, arriving.length, hash, hereBytes, allowed], [[], 1, sha256, written(), false]);
    } else {
      assert.equal((await pushing).state, 'waiting');
      // As every pusher does: who stays silently is waited for.
      await link.close();
      const { code, stdout } = await child.ended;
      const [push] = JSON.parse(stdout).pushes;
      assert.deepEqual([code, push.sha256, push.receivedBytes + push.resumedBytes], [0, sha256, bytes]);
      assert.ok(push.resumedBytes > 0);
    }
    await link.close();
    total += sent;
  }
  // Of every life at most one span had been asked for and was not written.
  assert.ok(total <= bytes + KILLS * WINDOW_BYTES, `${total} bytes for ${bytes}`);
  const held = readFileSync(join(dir, 'pushed', 'held', sha256, 'picture.png'));
  assert.ok(held.equals(picture.files[0]));
}

/** A file before each of whose pieces something else happens. */
function slowed(file: PushFile, first: () => Promise<void>): PushFile {
  return {
    bytes: file.bytes,
    read: async (offset, length) => {
      await first();
      return file.read(offset, length);
    },
  };
}
