import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { type LinkInput, resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { collectTables } from '../../../src/experiment/export/collect.ts';
import type { NumberColumn, Table } from '../../../src/experiment/export/table.ts';
import { runCapture } from '../../../src/experiment/run/run-capture.ts';
import { runSound } from '../../../src/experiment/send/sound-run.ts';
import { CaptureReader } from '../../../src/radio/sigmf/capture-reader.ts';
import { io, scratch } from '../link-helpers.ts';

async function exported(directory: string, input: LinkInput): Promise<Table[]> {
  const config = { ...resolveLinkConfig(input), count: 2, periodMs: 10, tx: 'loopback', rx: 'loopback' };
  await runSound(config, io(directory));
  const { capture, settings } = await runCapture(directory);
  const reader = await CaptureReader.open(capture);
  try {
    return await collectTables(reader.blocks(), settings);
  } finally {
    await reader.close();
  }
}

function column(tables: readonly Table[], table: string, name: string): NumberColumn {
  const found = tables.find((t) => t.name === table)?.columns[name];
  if (!found || found.kind === 'text') throw new Error(`no numbers ${table}.${name}`);
  return found;
}

test('H(f,t), its error and the noise of the export give the RB SNR that docs/metrics.md defines', async (t) => {
  const folder = await scratch(t);
  const jammer = { kind: 'subband', powerDb: -6, centreHz: 285e3, widthHz: 180e3 } as const;
  for (const more of [
    { channel: 'awgn' },
    { channel: 'eva', dopplerHz: 1 },
    { channel: 'epa', dopplerHz: 0, jammer },
  ]) {
    const tables = await exported(join(folder, more.channel), { numerology: 6, snrDb: 15, ...more });
    const h = column(tables, 'channel', 'h');
    const noise = column(tables, 'channel', 'noise').data;
    const error = column(tables, 'channel', 'h_error').data;
    const snrDb = column(tables, 'rb', 'snr_db').data;
    assert.deepEqual(h.shape, [8, 72]);
    snrDb.forEach((want, rb) => {
      const [slot, subband] = [Math.floor(rb / 6), rb % 6];
      let efficiency = 0;
      for (let c = 12 * subband; c < 12 * subband + 12; c++) {
        const at = 2 * (72 * slot + c);
        const power = Math.max(0, h.data[at] ** 2 + h.data[at + 1] ** 2 - error[rb] ** 2);
        efficiency += Math.log2(1 + power / noise[rb]) / 12;
      }
      const got = 10 * Math.log10(2 ** efficiency - 1);
      // The middle of the slot for the slot: the channel stands almost still; pilots move over the carriers.
      assert.ok(Math.abs(got - want) < 0.3, `${more.channel} slot ${slot} subband ${subband}: ${got} for ${want}`);
    });
    assert.deepEqual([...column(tables, 'rb', 'noise').data], [...noise]);
    const relative = column(tables, 'rb', 'noise_error').data.map((v, i) => v / noise[i]);
    // 56 residuals of one subband, or 14 of one block: 1/sqrt(m), between the whole band's and a single block's.
    assert.ok(relative.every((v) => v > 1 / Math.sqrt(500) && v <= 1 / Math.sqrt(14) + 1e-6));
  }
});

test('times are those of the slots in the capture, frequencies those of carriers and subbands', async (t) => {
  const tables = await exported(join(await scratch(t), 'run'), { numerology: 6, snrDb: 25, ideal: true });
  const time = column(tables, 'channel', 'time_s').data;
  const start = column(tables, 'burst', 'start_sample').data;
  const slotS = (14 * 137) / 1.92e6;
  // Bursts of the loopback begin 3 ms after the first sample; the preamble and the header come before the slots.
  assert.ok(Math.abs(start[0] - 3e-3 * 1.92e6) < 6, `${start[0]}`);
  for (const [i, v] of time.entries()) {
    if (i % 4 > 0) assert.ok(Math.abs(v - time[i - 1] - slotS) < 1e-6);
    else assert.ok(v > start[i / 4] / 1.92e6 + 0.5 * slotS && v < start[i / 4] / 1.92e6 + 4 * slotS);
  }
  assert.ok(Math.abs(time[4] - time[0] - 10e-3) < 1e-5);
  const carriers = column(tables, 'meta', 'carrier_hz').data;
  assert.deepEqual([carriers[0], carriers[35], carriers[36], carriers[71]], [-36 * 15e3, -15e3, 15e3, 36 * 15e3]);
  assert.equal(column(tables, 'meta', 'subband_hz').data[5], 30.5 * 15e3);
});
