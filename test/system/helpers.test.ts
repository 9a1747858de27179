import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestDevice, TestRequest } from '../hardware/front-ends/test-device.ts';
import { jumpsOf } from './counter-check.ts';
import { readClientVectors, timeless } from './hackrf-vectors.ts';
import { saidOf } from './iio-vectors.ts';
import { RecordedDevice } from './recorder.ts';

describe('what the system test checks with', () => {
  it('jumpsOf finds missing samples, also where the counter wraps, and nothing else', () => {
    const bytes = new Uint8Array(2 * 140_000);
    const missing = new Map([
      [0, 5],
      [65_531, 1],
      [100_000, 4000],
    ]);
    let value = 0;
    for (let n = 0; n < bytes.length / 2; n++, value++) {
      value += missing.get(n) ?? 0;
      bytes[2 * n] = value;
      bytes[2 * n + 1] = value >> 8;
    }
    assert.deepEqual(
      jumpsOf(bytes),
      [...missing].map(([atSample, count]) => ({ atSample, missing: count })),
    );
    assert.deepEqual(jumpsOf(Uint8Array.of(0, 0, 1, 0, 2, 0)), []);
  });

  it('RecordedDevice writes down what was asked, and hands it on', async () => {
    const device = new TestDevice();
    const recorded = new RecordedDevice(device);
    const signal = new AbortController().signal;
    await recorded.control(
      { requestType: 0xc0, request: TestRequest.give, value: 3, index: 0, length: 2 },
      new Uint8Array(),
    );
    await recorded.control({ requestType: 0x40, request: 99, value: 1, index: 2, length: 0 }, new Uint8Array());
    await recorded.bulkIn(0x81, 16, signal);
    await recorded.bulkOut(0x02, Uint8Array.of(1, 2), signal);
    assert.deepEqual(recorded.asked, [
      { kind: 'control', requestType: 0xc0, request: 2, value: 3, index: 0, length: 2, data: '' },
      { kind: 'control', requestType: 0x40, request: 99, value: 1, index: 2, length: 0, data: '', stall: true },
      { kind: 'in', endpoint: 0x81, bytes: 16 },
      { kind: 'out', endpoint: 0x02, bytes: 2 },
    ]);
    assert.deepEqual(device.kept, [Uint8Array.of(1, 2)]);
  });

  it('the committed recordings of hackrf-tools are those of four programs and do not depend on time', () => {
    const clients = readClientVectors();
    assert.deepEqual(
      clients.map((client) => client.command),
      ['hackrf_info', 'receive', 'transmit', 'sweep'],
    );
    for (const { asked } of clients) assert.deepEqual(timeless(asked), asked);
  });

  it('saidOf keeps requests to the interface and words, of samples only how many', () => {
    const control = {
      kind: 'control',
      requestType: 0x41,
      request: 1,
      value: 2,
      index: 5,
      length: 0,
      data: '',
    } as const;
    const data = Buffer.from('VERSION\r\nWRITEBUF iio:device2 5\r\n\r\nabcCLOSE iio:device2\r\nEXI');
    const said = saidOf(
      [control, { ...control, requestType: 0x80 }, { kind: 'in', endpoint: 0x81, bytes: 512 }],
      [
        { endpoint: 2, data: data.subarray(0, 20) },
        { endpoint: 4, data: Buffer.from('X') },
        { endpoint: 2, data: data.subarray(20) },
      ],
    );
    assert.deepEqual(said, {
      controls: ['41 1 2 5 0'],
      pipes: { 2: 'VERSION\r\nWRITEBUF iio:device2 5\r\n<5 bytes>\nCLOSE iio:device2\r\nEXI', 4: 'X' },
    });
  });
});
