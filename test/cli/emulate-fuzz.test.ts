import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Emulation } from '../../src/cli/emulation/emulation.ts';
import { planEmulation } from '../../src/cli/emulation/emulation-options.ts';
import { until } from '../hardware/front-ends/peer.ts';
import { UsbIpClient } from '../hardware/front-ends/usbip-client.ts';

/** Requests near those that the boards know, with values near and far. */
const control = fc.record({
  requestType: fc.constantFrom(0x40, 0xc0, 0x41, 0xc1, 0x00, 0x80, 0x02, 0x21, 0xa1),
  request: fc.nat(65),
  value: fc.oneof(fc.nat(6), fc.nat(0xffff)),
  index: fc.oneof(fc.nat(64), fc.nat(0xffff)),
  length: fc.nat(64),
  fill: fc.nat(255),
});

const bulk = fc.record({
  endpoint: fc.integer({ min: 1, max: 5 }),
  isIn: fc.boolean(),
  length: fc.constantFrom(0, 1, 511, 512, 16_384, 262_144),
  fill: fc.nat(255),
});

describe('sct emulate: hosts that ask anything', () => {
  it('no order of requests breaks a board; when the host is gone nothing is on the air', async () => {
    const problems: string[] = [];
    const plan = planEmulation(['hackrf', 'pluto'], { usbip: '0', iiod: 'no', speed: '0.1' });
    const emulation = await Emulation.start(plan, (text) => void problems.push(text));
    const [hackrf, pluto] = emulation.ready();
    try {
      for (const { busId, usbip } of [hackrf, pluto]) {
        const session = fc.array(fc.oneof(control, bulk), { maxLength: 25 });
        await fc.assert(
          fc.asyncProperty(session, async (asked) => {
            const client = await UsbIpClient.importing(usbip ?? '', busId);
            for (const request of asked) ask(client, request);
            await new Promise((resolve) => setTimeout(resolve, 2));
            client.peer.close();
            await until(() => emulation.boards.every(({ port }) => !port.busy));
            for (const { port } of emulation.boards) port.plug(); // a request may have restarted it
            assert.equal(emulation.state()[0].mode, 'off');
          }),
          { numRuns: 150 },
        );
      }
      assert.deepEqual(problems, []);
    } finally {
      await emulation.close();
    }
  });
});

type Control = { requestType: number; request: number; value: number; index: number; length: number; fill: number };
type Bulk = { endpoint: number; isIn: boolean; length: number; fill: number };

function ask(client: UsbIpClient, request: Control | Bulk): void {
  const { length, fill } = request;
  const isIn = 'isIn' in request ? request.isIn : (request.requestType & 0x80) !== 0;
  const data = isIn ? {} : { data: new Uint8Array(length).fill(fill) };
  if ('isIn' in request) client.send({ endpoint: request.endpoint, isIn, length, ...data });
  else {
    const { requestType, request: number, value, index } = request;
    client.send({ endpoint: 0, isIn, length, setup: [requestType, number, value, index, length], ...data });
  }
}
