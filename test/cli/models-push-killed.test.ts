import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { DeviceError } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import { feedbackToken } from '../../src/link/feedback-auth.ts';
import { connectPush } from '../../src/link/feedback-push.ts';
import { WINDOW_BYTES } from '../../src/link/push/push-messages.ts';
import { pushOver } from '../../src/link/push/push-sender.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { pushablePicture, served } from '../sct/knowledge/pushed-objects.ts';
import { scratch, startSct } from './helpers.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const KILLS = 4;

test('a receiver that is killed at any moment goes on where it was, and what is held in the end is whole', async (t) => {
  const dir = await scratch(t);
  writeFileSync(join(dir, 'token'), TOKEN);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const url = `ws://127.0.0.1:${port}`;
  const random = new RandomStream('kills');
  const picture = await pushablePicture(rgbImage(1300, 1000, random.bytes(3 * 1300 * 1000)));
  const { bytes, sha256 } = picture.offer;
  const words = ['models', 'accept', '--feedback', url, '--feedback-token', 'token', '--pushed', 'pushed', '-n', '1'];
  let total = 0;
  for (let i = 0; i <= KILLS; i++) {
    const child = startSct([...words, '--json'], dir);
    await child.stderrMatches(/pushes are taken/);
    const link = await connectPush(url, feedbackToken(TOKEN));
    let sent = 0;
    const until = i < KILLS ? (bytes / (KILLS + 1)) * random.between(0.2, 1) : Number.POSITIVE_INFINITY;
    const pushing = pushOver(link, picture.offer, served(picture.files), (now) => {
      sent = now;
      if (now >= until) child.kill('SIGKILL');
    });
    if (i < KILLS) {
      await assert.rejects(pushing, DeviceError);
      await child.ended;
    } else {
      assert.equal((await pushing).state, 'waiting');
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
});
