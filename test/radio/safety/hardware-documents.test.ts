import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { USB_PRODUCT_IDS, USB_VENDOR_ID } from '../../../src/radio/hackrf/board-facts.ts';
import { PLUTO_USB } from '../../../src/radio/pluto/usb-transport.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { BAND_REGIONS, legalBand, loadLegalBands } from '../../../src/radio/safety/bands.ts';

const read = (file: string) => readFileSync(new URL(`../../../hardware/${file}`, import.meta.url), 'utf8');
const tableRows = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|-]+$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

test('the udev rules give access to every board that the drivers look for, and to nothing else', () => {
  const hex = (id: number) => id.toString(16).padStart(4, '0');
  const wanted = [
    ...USB_PRODUCT_IDS.map((product) => `${hex(USB_VENDOR_ID)}:${hex(product)}`),
    `${hex(PLUTO_USB.vendorId)}:${hex(PLUTO_USB.productId)}`,
  ];
  const bootLoaders = ['1fc9:000c', '0456:b674'];
  const granted = read('udev/60-sct.rules')
    .split('\n')
    .filter((line) => /^SUBSYSTEM=="usb"/.test(line) && line.includes('MODE='))
    .map((line) => {
      const id = /ATTR\{idVendor\}=="([0-9a-f]{4})", ATTR\{idProduct\}=="([0-9a-f]{4})"/.exec(line);
      assert.ok(id, line);
      assert.match(line, /ENV\{DEVTYPE\}=="usb_device".*MODE="0660", GROUP="plugdev", TAG\+="uaccess"$/);
      return `${id[1]}:${id[2]}`;
    });
  assert.deepEqual([...granted].sort(), [...wanted, ...bootLoaders].sort());
});

test('the udev rules are well formed: every label that is jumped to is there, quotes are closed', () => {
  const lines = read('udev/60-sct.rules').split('\n');
  const labels = lines.flatMap((line) => /^LABEL="(\w+)"/.exec(line)?.[1] ?? []);
  const jumps = lines.flatMap((line) => /GOTO="(\w+)"/.exec(line)?.[1] ?? []);
  assert.deepEqual([...new Set(jumps)].sort(), [...labels].sort());
  for (const line of lines.filter((each) => each !== '' && !each.startsWith('#'))) {
    assert.match(line, /^(?:[A-Z]+(?:\{\w+\})?(?:==|!=|\+=|=)"[^"]*"(?:, )?)+$/, line);
  }
});

test('every level of the wiring guide is what the safety functions compute', async () => {
  const { outputBoundDbm, cabledInputDbm } = await import('../../../src/radio/safety/output-level.ts');
  const { checkTransmission, TransmitRefused } = await import('../../../src/radio/safety/transmit-permission.ts');
  const rows = tableRows(read('wiring.md')).filter(([board]) => board === 'hackrf' || board === 'pluto');
  assert.ok(rows.length >= 10);
  for (const [board, at, gains, output, attenuation, input, verdict] of rows) {
    const profile = loadProfile(board as 'hackrf' | 'pluto');
    const loHz = Number.parseFloat(at) * 1e6;
    const gainsDb = Object.fromEntries(
      gains.split(' ').map((pair) => [pair.split('=')[0], Number(pair.split('=')[1])]),
    );
    const outputDbm = outputBoundDbm(profile, { lowHz: loHz - 2e6, highHz: loHz + 2e6 }, gainsDb);
    const cabledDb = Number.parseFloat(attenuation);
    const row = `${board} ${at} ${gains}`;
    assert.equal(outputDbm, Number.parseFloat(output), row);
    assert.equal(cabledInputDbm(outputDbm, cabledDb), Number.parseFloat(input), row);
    const check = () =>
      checkTransmission(
        { profile, loHz, offsetHz: 0, occupiedHz: 3.6e6, gainsDb },
        { cabledDb, allowedBands: [], receiver: profile },
      );
    if (verdict === 'allowed') check();
    else assert.throws(check, TransmitRefused, row);
  }
});

test('the table of bands is what the files say', () => {
  const rows = tableRows(read('bands/README.md')).filter(([name]) => /^`(eu|us):/.test(name));
  const listed = new Map(rows.map(([name, ...rest]) => [name.replaceAll('`', ''), rest]));
  const all = BAND_REGIONS.flatMap((region) =>
    loadLegalBands(region).bands.map((band) => ({ name: `${region}:${band.name}`, band })),
  );
  assert.deepEqual([...listed.keys()].sort(), all.map(({ name }) => name).sort());
  for (const { name, band } of all) {
    const [span, limit, duty] = listed.get(name)!;
    assert.equal(span, `${band.fromHz / 1e6} to ${band.toHz / 1e6} MHz`);
    assert.equal(limit, `${band.limit.value} ${band.limit.unit}`);
    assert.equal(
      duty,
      band.maxDutyCycle === null ? '' : `${Number((band.maxDutyCycle * 100).toPrecision(3))} % of any hour`,
    );
    assert.equal(legalBand(name).name, name);
  }
});
