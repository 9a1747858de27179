import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { ModelledAir } from '../../../src/experiment/video/modelled-air.ts';
import { WaveformSlots } from '../../../src/experiment/video/waveform-slots.ts';
import { buildChannel, type ChannelOptions } from '../../../src/phy/channel/scenario.ts';

const RATE = 1.92e6;
const OPTIONS: ChannelOptions = {
  rateHz: RATE,
  channel: 'epa',
  seed: 'air',
  sfoPpm: 9,
  startDelaySamples: 12.5,
  cfoHz: 4321,
  noiseVariance: 0.01,
};

function burst(samples: number, seed: string): Float32Array {
  const out = new Float32Array(2 * samples);
  new RandomStream(seed).addComplexNoise(out, 0.1);
  return out;
}

describe('ModelledAir', () => {
  it('gives bit by bit what the channel gives of the whole stream, however time goes on', () => {
    const bursts = [
      { start: 1000, reIm: burst(9000, 'a') },
      { start: 10_000, reIm: burst(500, 'b') },
      { start: 300_000, reIm: burst(20_000, 'c') },
    ];
    const total = 400_000;
    const stream = new Float32Array(2 * total);
    for (const { start, reIm } of bursts) stream.set(reIm, 2 * start);
    const channel = buildChannel(OPTIONS);
    const truth: number[] = [];
    for (let at = 0; at < total; at += 5000) {
      for (const v of channel.process(stream.subarray(2 * at, 2 * (at + 5000)))) truth.push(v);
    }
    const air = new ModelledAir(buildChannel(OPTIONS));
    const random = new RandomStream('steps');
    const heard: number[] = [];
    let next = 0;
    while (air.now < total) {
      while (next < bursts.length && bursts[next].start < air.now + 20_000) {
        assert.ok(air.send(bursts[next].reIm, bursts[next].start));
        next++;
      }
      air.advance(Math.min(total, air.now + 1 + random.integer(9000)), (block) => {
        assert.equal(block.index, heard.length / 2);
        for (const v of block.data) heard.push(v);
      });
    }
    assert.equal(heard.length, truth.length);
    assert.deepEqual(Float32Array.from(heard), Float32Array.from(truth));
  });

  it('hands on one block a step where it can, none longer than 16384, without a gap', () => {
    const air = new ModelledAir(buildChannel(OPTIONS));
    assert.ok(air.send(burst(2000, 'a'), 700));
    let heard = 0;
    const lengths = [10_000, 30_000, 5].map((step) => {
      const blocks: number[] = [];
      air.advance(air.now + step, ({ index, data }) => {
        assert.equal(index, heard);
        heard += data.length / 2;
        blocks.push(data.length / 2);
      });
      return blocks;
    });
    // The clock of the receiver makes a sample more or less of them, and begins with the whole samples of the start delay.
    assert.deepEqual(
      lengths.map((blocks) => blocks.length),
      [1, 2, 1],
    );
    assert.equal(lengths[1][0], 16_384);
  });

  it('says when the burst on the air ends, and frees its memory then', () => {
    const slots = new WaveformSlots();
    const air = new ModelledAir(buildChannel(OPTIONS));
    const shared = slots.take(2000);
    shared.set(burst(1000, 'a'));
    assert.equal(air.endOfBurst, null);
    assert.ok(air.send(shared, 500));
    assert.ok(air.send(burst(300, 'b'), 4000));
    assert.equal(air.endOfBurst, 1500);
    const { buffer } = shared;
    air.advance(1499, () => undefined);
    assert.equal(air.endOfBurst, 1500);
    const other = slots.take(2000);
    assert.notEqual(other.buffer, buffer);
    air.advance(1500, () => undefined);
    assert.equal(air.endOfBurst, 4300);
    assert.equal(slots.take(2000).buffer, buffer);
    air.advance(5000, () => undefined);
    assert.equal(air.endOfBurst, null);
  });

  it('refuses a burst in the past and one on top of another', () => {
    const air = new ModelledAir(buildChannel(OPTIONS));
    assert.equal(air.freeAt, 0);
    assert.ok(air.send(burst(1000, 'a'), 500));
    assert.equal(air.freeAt, 1500);
    assert.ok(!air.send(burst(10, 'b'), 1499));
    air.advance(2000, () => undefined);
    assert.equal(air.freeAt, 2000);
    assert.ok(!air.send(burst(10, 'b'), 1999));
    assert.ok(!air.send(burst(10, 'b'), 2000.5));
    assert.ok(air.send(burst(10, 'b'), 2000));
  });

  it('hears what a converter of so many bits hears', () => {
    const air = new ModelledAir(buildChannel(OPTIONS), 'ci8', 128);
    air.advance(5000, (block) => {
      assert.ok(block.data instanceof Int8Array);
      assert.deepEqual([block.format, block.fullScale], ['ci8', 128]);
    });
  });
});
