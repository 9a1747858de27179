import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { nearest } from '../../../src/common/nearest.ts';
import { LINK_FLAGS, linkInputSchema, resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { canonicalText } from '../../../src/experiment/run/canonical-json.ts';

test('defaults are those of the contract', () => {
  const c = resolveLinkConfig({});
  assert.equal(c.codec, 'integrated');
  assert.equal(c.harq, 3);
  assert.equal(c.seed, 1);
  assert.equal(c.numerology, 25);
  assert.equal(c.channel, 'awgn');
  assert.equal(c.snrDb, 15);
  assert.equal(c.symbolsPerPixel, 3 / 16);
  assert.equal(c.csiDelayMs, 20);
  assert.equal(c.ideal, false);
  assert.equal(c.mappingForced, false);
  assert.equal(c.rateHz, 7.68e6);
  assert.equal(resolveLinkConfig({ mapping: 'matched' }).mappingForced, true);
});

test('an image format means the codec that makes image files, a codec that was named stays', () => {
  assert.equal(resolveLinkConfig({ format: 'jpeg' }).codec, 'classical');
  assert.equal(resolveLinkConfig({ format: 'jpeg', codec: 'modular' }).codec, 'modular');
  assert.throws(() => resolveLinkConfig({ format: 'jpeg', keep: 'car' }), /--keep: not with the classical codec/);
  for (const codec of ['classical', 'integrated', 'modular', 'onnx:pair']) {
    const once = resolveLinkConfig({ codec });
    assert.equal(canonicalText(resolveLinkConfig(JSON.parse(canonicalText(once)))), canonicalText(once));
  }
});

test('boards set format and rate; HackRF never below 8 Msps, Pluto never below its minimum', () => {
  for (const numerology of [4, 6, 15, 25, 50]) {
    const hackrf = resolveLinkConfig({ numerology, profile: 'hackrf' });
    assert.equal(hackrf.sampleFormat, 'ci8');
    assert.ok(hackrf.rateHz >= 8e6 && hackrf.rateHz <= 20e6);
    const pluto = resolveLinkConfig({ numerology, profile: 'pluto' });
    assert.equal(pluto.sampleFormat, 'ci16_le');
    assert.ok(pluto.rateHz >= 2_083_333);
  }
  assert.equal(resolveLinkConfig({ numerology: 25, profile: 'hackrf' }).rateHz, 8e6);
  assert.equal(resolveLinkConfig({ numerology: 15, profile: 'pluto' }).rateHz, 3.84e6);
});

test('a resolved configuration, through JSON, resolves to itself', () => {
  const input = fc.record(
    {
      mapping: fc.constantFrom('matched', 'uniform', 'random', 'worst'),
      channel: fc.constantFrom('awgn', 'epa', 'tdl-c'),
      snrDb: fc.double({ min: -60, max: 200, noNaN: true }),
      cbr: fc.double({ min: 1e-3, max: 20, noNaN: true }),
      numerology: fc.constantFrom(4, 6, 15, 25, 50),
      profile: fc.constantFrom('loopback', 'hackrf', 'pluto'),
      harq: fc.nat(16),
      seed: fc.nat(),
      ideal: fc.boolean(),
      bits: fc.integer({ min: 1, max: 16 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(input, (i) => {
      const once = resolveLinkConfig(i);
      // As the run directory holds it: keys sorted, no -0.
      const text = canonicalText(once);
      assert.equal(canonicalText(resolveLinkConfig(JSON.parse(text))), text);
    }),
    { numRuns: 200 },
  );
});

test('whatever is thrown at it, it resolves or says what is wrong', () => {
  const keys = Object.keys(linkInputSchema.shape);
  const value = fc.oneof(fc.anything(), fc.double(), fc.integer(), fc.string());
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), value, { maxKeys: 4 }), (i) => {
      try {
        resolveLinkConfig(i);
      } catch (error) {
        assert.ok(error instanceof UsageError, String(error));
        assert.ok(error.message.length < 400, error.message);
      }
    }),
    { numRuns: 2000 },
  );
});

test('every setting that has a flag is a setting', () => {
  for (const key of Object.keys(LINK_FLAGS)) assert.ok(key in linkInputSchema.shape, key);
});

test('nearest: a slip of the finger is found, another word is not', () => {
  const words = ['channel', 'snrDb', 'numerology', 'harq'];
  assert.equal(nearest('chanel', words), 'channel');
  assert.equal(nearest('numreology', words), 'numerology');
  assert.equal(nearest('snrdb', words), 'snrDb');
  assert.equal(nearest('photograph', words), null);
  assert.equal(nearest('x'.repeat(1000), words), null);
});
