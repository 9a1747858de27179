import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BurstTransmitter, paddingSymbols, TRANSMIT_RMS } from '../../../src/phy/burst/transmit.ts';
import { NUMEROLOGIES, RB_DATA_RE, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../../../src/phy/numerology.ts';
import { OfdmDemodulator } from '../../../src/phy/ofdm/demodulate.ts';
import { payloadIndex, resourceGrid, turn } from '../../../src/phy/resource-grid.ts';

test('pilots are a twelfth of all RE, one a subband and symbol, and visit all carriers', () => {
  for (const n of NUMEROLOGIES) {
    const grid = resourceGrid(n);
    const visited = new Set<number>();
    for (let t = 0; t < SLOT_SYMBOLS; t++) {
      const data = grid.dataCarriersOf(t);
      assert.equal(data.length, n.symbolDataRe);
      assert.equal((n.nCarriers - data.length) / n.nCarriers, 1 / 12);
      visited.add(grid.pilotOffset(t));
      for (let i = 1; i < data.length; i++) assert.ok(data[i] > data[i - 1], 'ascending');
      for (const c of data) assert.notEqual(c % SUBBAND_CARRIERS, grid.pilotOffset(t));
    }
    assert.equal(visited.size, SUBBAND_CARRIERS);
  }
});

test('the payload order uses every data RE of a slot once and keeps each RB together', () => {
  for (const n of NUMEROLOGIES) {
    const seen = new Uint8Array(n.nSubbands * RB_DATA_RE);
    for (let t = 0; t < SLOT_SYMBOLS; t++) {
      const carriers = resourceGrid(n).dataCarriersOf(t);
      for (let i = 0; i < carriers.length; i++) {
        const p = payloadIndex(t, i);
        seen[p]++;
        assert.equal(Math.floor(p / RB_DATA_RE), Math.floor(carriers[i] / SUBBAND_CARRIERS));
      }
    }
    assert.ok(seen.every((v) => v === 1));
  }
});

test('every symbol of a burst has unit mean power an RE, pilots have exactly unit power', () => {
  for (const n of NUMEROLOGIES) {
    const grid = resourceGrid(n);
    const transmitter = new BurstTransmitter(n);
    const payload = paddingSymbols(n, 2 * n.nSubbands * RB_DATA_RE);
    const header = {
      numerology: n.id,
      session: 3,
      burst: 4,
      kind: 0 as const,
      slots: 2,
      csiNumber: 0,
      modelSet: 0,
      extensionMcs: 0,
    };
    const samples = transmitter.build({ header, extension: new Uint8Array(0), payload });
    const layout = transmitter.layout(2, 0, 0);
    assert.equal(samples.length, 2 * layout.samples);
    const gain = TRANSMIT_RMS * Math.sqrt(n.fftSize / n.nCarriers);
    const row = new Float32Array(2 * n.nCarriers);
    const pilots = new Float32Array(2 * n.nSubbands);
    const pair = new Float32Array(2);
    for (let q = 0; q < layout.symbols; q++) {
      const window = n.preambleLength + q * n.symbolLength + n.cpLength;
      new OfdmDemodulator(n).demodulate(samples, window, 0, 0, 0, row, 0);
      let power = 0;
      for (const v of row) power += (v / gain) ** 2;
      assert.ok(Math.abs(power / n.nCarriers - 1) < 1e-4, 'QPSK throughout: unit power');
      const inSlot = q >= layout.controlSymbols;
      const t = inSlot ? (q - layout.controlSymbols) % SLOT_SYMBOLS : q;
      // A flat channel of 1 shows at every pilot: position and value are those of the document.
      grid.pilotChannel(row, 0, q, t, pilots, 0);
      for (let s = 0; s < n.nSubbands; s++) {
        assert.ok(Math.hypot(pilots[2 * s] / gain - 1, pilots[2 * s + 1] / gain) < 1e-4);
      }
      if (!inSlot) continue;
      const slot = Math.floor((q - layout.controlSymbols) / SLOT_SYMBOLS);
      const carriers = grid.dataCarriersOf(t);
      const turns = grid.turnsOf(q);
      for (let i = 0; i < carriers.length; i++) {
        pair[0] = row[2 * carriers[i]] / gain;
        pair[1] = row[2 * carriers[i] + 1] / gain;
        turn(pair, 0, (4 - turns[i]) & 3);
        const p = 2 * (slot * n.nSubbands * RB_DATA_RE + payloadIndex(t, i));
        assert.ok(Math.hypot(pair[0] - payload[p], pair[1] - payload[p + 1]) < 1e-4);
      }
    }
  }
});
