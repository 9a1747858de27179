import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { sendSession } from '../../../src/experiment/send/send-session.ts';
import { type RgbImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';

const grey = (width: number, height: number, level: number): RgbImage =>
  rgbImage(width, height, new Uint8Array(3 * width * height).fill(level));

function session(input: object, image: RgbImage, to = 'file:air', path = 'photo.png'): number {
  return sendSession({ ...resolveLinkConfig(input), photo: { kind: 'file', path }, to }, image);
}

test('the session of a sending follows from seed, settings and picture, not from where files lie', () => {
  const image = grey(40, 30, 90);
  const first = session({}, image);
  assert.equal(session({}, image, 'file:elsewhere', 'copy.png'), first);
  assert.equal(session({ modelsDir: 'models' }, image), first);
  // Five changes that each give the same number by chance have a probability of 255^-5.
  const changed = [
    session({ seed: 2 }, image),
    session({ cbr: 1 / 4 }, image),
    session({ numerology: 6 }, image),
    session({}, grey(40, 30, 91)),
    session({}, grey(30, 40, 90)),
  ];
  assert.ok(changed.filter((s) => s !== first).length >= 4, `${first} against ${changed}`);
});

test('sessions are 1 to 255 and spread evenly', () => {
  const image = grey(16, 16, 1);
  const count = new Array(256).fill(0);
  const trials = 255 * 20;
  for (let seed = 0; seed < trials; seed++) count[session({ seed }, image)]++;
  assert.equal(count[0], 0);
  // Chi-square with 254 degrees of freedom: mean 254, standard deviation 22.5; 5 of them are 367.
  const chi2 = count.slice(1).reduce((sum, n) => sum + (n - 20) ** 2 / 20, 0);
  assert.ok(chi2 < 367, `chi-square ${chi2}`);
});
