import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { SctError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { tcpLink } from '../../../src/radio/pluto/pluto-link.ts';
import { PlutoRadio } from '../../../src/radio/pluto/pluto-radio.ts';
import { blockLength } from '../../../src/radio/radio.ts';
import { sameThread, tcpRig } from './rig.ts';

/** Faults of a network between driver and board. What the driver says is lost or cut, never changed: the board would do what it was told. */
type Fault = 'cut' | 'freeze' | 'drop' | 'garble' | 'repeat' | 'delay';
const TO_BOARD: readonly Fault[] = ['cut', 'freeze', 'drop', 'delay'];
const TO_HOST: readonly Fault[] = ['cut', 'freeze', 'drop', 'garble', 'repeat', 'delay'];

/** A proxy that passes bytes on, and sometimes does not. */
async function badNetwork(t: TestContext, port: number) {
  const state = { random: new RandomStream(0), rate: 0, faults: 0, port: 0 };
  const open = new Set<Socket>();
  const pass = (from: Socket, to: Socket, kinds: readonly Fault[]) => {
    let frozen = false;
    from.on('data', (data: Buffer) => {
      if (frozen) return;
      if (state.random.uniform() >= state.rate) {
        to.write(data);
        return;
      }
      state.faults++;
      const kind = kinds[state.random.integer(kinds.length)];
      if (kind === 'cut') {
        to.write(data.subarray(0, state.random.integer(data.length)));
        from.destroy();
        to.end();
      } else if (kind === 'freeze') frozen = true;
      else if (kind === 'delay') setTimeout(() => to.write(data), state.random.integer(40));
      else if (kind === 'repeat') to.write(Buffer.concat([data, data]));
      else if (kind === 'garble') {
        const spoilt = Buffer.from(data);
        for (let i = 0; i < 4; i++) spoilt[state.random.integer(spoilt.length)] = state.random.integer(256);
        to.write(spoilt);
      }
    });
    from.on('error', () => {});
    from.on('close', () => to.destroy());
  };
  const proxy = createServer((host) => {
    const board = connect(port, '127.0.0.1');
    for (const socket of [host, board]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    }
    pass(host, board, TO_BOARD);
    pass(board, host, TO_HOST);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  state.port = (proxy.address() as AddressInfo).port;
  t.after(() => {
    for (const socket of open) socket.destroy();
    proxy.close();
  });
  return { state, open };
}

test('faults of the network: each ends in a typed error or is said, in time, and nothing stays on the air', async (t) => {
  // SCT_FAULTS=10000 takes some minutes.
  const wanted = Number(process.env.SCT_FAULTS ?? 150);
  const rig = await tcpRig(t, {}, 20);
  const { state, open } = await badNetwork(t, rig.port);
  const outcomes = { done: 0, refused: 0 };
  let worstMs = 0;
  for (let session = 0; state.faults < wanted; session++) {
    state.random = new RandomStream(`pluto-tcp-${session}`);
    state.rate = [0.003, 0.02, 0.1][session % 3];
    const beganMs = performance.now();
    let radio: PlutoRadio | null = null;
    try {
      const link = tcpLink('127.0.0.1', state.port, sameThread);
      radio = await PlutoRadio.open('pluto:ip:bad', link, { timeoutMs: 60 });
      const rx = await radio.openRx({ frequencyHz: 915e6, rateHz: 300_000 });
      const tx = await radio.openTx({ frequencyHz: 915e6, rateHz: 300_000, gainsDb: { tx: -10 } });
      await tx.write(new Float32Array(600).fill(0.4));
      let blocks = 0;
      for await (const block of rx) if (blockLength(block) === 0 || ++blocks === 4) break;
      await tx.drain();
      outcomes.done++;
    } catch (error) {
      assert.ok(error instanceof SctError, String((error as Error)?.stack ?? error));
      outcomes.refused++;
    } finally {
      await radio?.close().catch((error) => assert.ok(error instanceof SctError, String(error)));
    }
    worstMs = Math.max(worstMs, performance.now() - beganMs);
    // A frozen network hides from the board that the host is gone; here it is seen to be, as by IIOD's keep-alive.
    for (const socket of open) socket.destroy();
    for (let waited = 0; rig.board.tx.isOpen && waited < 5000; waited += 5) await new Promise((r) => setTimeout(r, 5));
    assert.ok(!rig.board.tx.isOpen, 'a buffer is still open');
  }
  t.diagnostic(`${state.faults} faults, ${JSON.stringify(outcomes)}, slowest session ${Math.round(worstMs)} ms`);
  assert.ok(outcomes.refused > 5 && worstMs < 60_000);
});
