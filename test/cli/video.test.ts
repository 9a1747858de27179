import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { flatImage } from '../../src/sct/image/rgb-image.ts';
import { savePng } from '../../src/sct/image/save.ts';
import { scratch, sctInside } from './helpers.ts';

/** [words, exit code, message, hint] */
const WRONG: readonly [words: string[], code: number, message: RegExp, hint?: RegExp][] = [
  [['stream'], 2, /no source given/, /folder/],
  [['stream', 'FRAMES'], 2, /--to URI is missing/],
  [['stream', 'FRAMES', '--to', 'walkie'], 2, /is not a radio/],
  [['stream', '/nonexistent/x', '--to', 'loopback'], 2, /no such file or folder/],
  [['stream', 'camera:', '--to', 'loopback'], 2, /names no camera/, /camera:\/dev\/video0/],
  [['stream', 'camera:/dev/video77', '--to', 'loopback'], 3, /no such camera/],
  [['stream', 'FRAMES', '--to', 'loopback', '--size-px', '300'], 2, /--size-px 300: allowed 256, 512/],
  [['stream', 'FRAMES', '--to', 'loopback', '--size-px', 'big'], 2, /--size-px: "big" is not a number/],
  [['stream', 'FRAMES', '--to', 'loopback', '--fps', '1000'], 2, /allowed 0.5 to 120/],
  [['stream', 'FRAMES', '--to', 'loopback', '--deadline', '5'], 2, /allowed 20 to 10000/],
  [['stream', 'FRAMES', '--to', 'loopback', '--keep-frames', '0.5'], 2, /whole number/],
  [['stream', 'FRAMES', '--to', 'loopback', '--harq', '1'], 2, /asked for again comes too late/],
  [['stream', 'FRAMES', '--to', 'loopback', '--harq-by', 'uniform'], 2, /--harq-by: means nothing to a video/],
  [['watch', '--from', 'file:x', '--known', 'y', '--task', 'machine'], 2, /--task, --known: means nothing/],
  [['stream', 'FRAMES', '--to', 'loopback', '--feedback', 'burst'], 2, /same or none|both ends/],
  [['stream', 'FRAMES', '--to', 'loopback', '--channel', 'trace:x'], 2, /too short for a video/],
  [['stream', 'FRAMES', '--to', 'file:x', '--keep-frames', '3'], 2, /nothing is shown at this end/, /sct watch/],
  [['stream', 'FRAMES', '--to', 'hackrf'], 2, /no frequency/],
  [['stream', 'FRAMES', '--to', 'hackrf', '-f', '868.3M'], 2, /--cabled|band/],
  [['stream', 'FRAMES', '--to', 'hackrf', '-f', '868.3M', '--feedback', 'burst'], 2, /no time for answers/],
  [['watch'], 2, /--from URI is missing/],
  [['watch', '--from', 'loopback'], 2, /only inside one command/, /sct stream SOURCE --to loopback/],
  [['watch', '--from', 'file:x', '--feedback', 'burst'], 2, /no time for answers/],
  [['watch', '--from', 'hackrf'], 2, /no frequency/],
];

test('sct stream, sct watch: wrong words get the code and the sentence of the contract', async (t) => {
  const folder = await scratch(t);
  const frames = join(folder, 'frames');
  await mkdir(frames);
  await savePng(join(frames, 'a.png'), flatImage(256, 256, 90));
  for (const [words, code, message, hint] of WRONG) {
    await t.test(words.join(' '), async () => {
      const said = words.map((word) => (word === 'FRAMES' ? frames : word));
      const ended = await sctInside([...said, '-o', join(folder, 'run')]);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, message);
      if (hint) assert.match(String(ended.hint), hint);
    });
  }
});
