import assert from 'node:assert/strict';
import test from 'node:test';
import { boardIdentity, describeBoard, emulatedSerial } from '../../src/radio/board-identity.ts';

test('a board is emulated where its speed, serial number or firmware says so', () => {
  const real = boardIdentity('HackRF One', '0000000000000000457863c82f1a2b3c', '2024.02.1', 1);
  assert.deepEqual(real, {
    board: 'HackRF One',
    serial: '0000000000000000457863c82f1a2b3c',
    firmware: '2024.02.1',
  });
  assert.equal(describeBoard(real), 'HackRF One, serial 0000000000000000457863c82f1a2b3c, firmware 2024.02.1');
  const first = emulatedSerial(0);
  assert.match(first, /^[0-9a-f]{32}$/);
  assert.deepEqual(boardIdentity('HackRF One', first, null, 1).emulated, { speed: 1 });
  assert.deepEqual(boardIdentity('HackRF One', '1', '2023.01.1-emulated', 1).emulated, { speed: 1 });
  const slow = boardIdentity('Pluto', null, null, 0.1);
  assert.deepEqual(slow.emulated, { speed: 0.1 });
  assert.equal(describeBoard(slow), 'emulated Pluto at 0.1 of real time');
});
