import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeviceError, FormatError, UsageError } from '../../src/common/errors.ts';
import { openRadio } from '../../src/radio/open-radio.ts';
import { loadProfile, PROFILE_NAMES, parseProfile, profileCapabilities } from '../../src/radio/profile.ts';
import { onGrid, resolveRequest } from '../../src/radio/settings.ts';
import { formatRadioUri, parseRadioUri } from '../../src/radio/uri.ts';

test('every form of the grammar is understood', () => {
  assert.deepEqual(parseRadioUri('hackrf'), { kind: 'hackrf', serial: null, options: {} });
  assert.deepEqual(parseRadioUri('hackrf:41Fa?lna=16&vga=20&amp=0&ppm=3.1'), {
    kind: 'hackrf',
    serial: '41Fa',
    options: { lnaDb: 16, vgaDb: 20, amp: false, ppm: 3.1 },
  });
  assert.deepEqual(parseRadioUri('hackrf?amp=1'), { kind: 'hackrf', serial: null, options: { amp: true } });
  assert.deepEqual(parseRadioUri('pluto:usb'), { kind: 'pluto-usb' });
  const local = { kind: 'usbip', host: '127.0.0.1', port: 3241 } as const;
  assert.deepEqual(parseRadioUri('hackrf:41fa?usbip=127.0.0.1:3241&amp=1'), {
    kind: 'hackrf',
    serial: '41fa',
    options: { amp: true },
    usbip: local,
  });
  assert.deepEqual(parseRadioUri('hackrf?usbip=lab'), {
    kind: 'hackrf',
    serial: null,
    options: {},
    usbip: { kind: 'usbip', host: 'lab', port: 3240 },
  });
  assert.deepEqual(parseRadioUri('pluto:usb?usbip=127.0.0.1:3241'), { kind: 'pluto-usb', usbip: local });
  assert.deepEqual(parseRadioUri('pluto:usb?serial=10447&usbip=[fe80::1%eth0]:3241'), {
    kind: 'pluto-usb',
    serial: '10447',
    usbip: { kind: 'usbip', host: 'fe80::1%eth0', port: 3241 },
  });
  assert.deepEqual(parseRadioUri('pluto:usb?usbip=unix:/run/a b/%26%25=?.sock'), {
    kind: 'pluto-usb',
    usbip: { kind: 'usbip-unix', path: '/run/a b/&%=?.sock' },
  });
  assert.deepEqual(parseRadioUri('pluto:ip:192.168.2.1'), { kind: 'pluto-ip', host: '192.168.2.1', port: 30431 });
  assert.deepEqual(parseRadioUri('pluto:ip:pluto.local:99'), { kind: 'pluto-ip', host: 'pluto.local', port: 99 });
  assert.deepEqual(parseRadioUri('pluto:ip:[fe80::1%eth0]:99'), { kind: 'pluto-ip', host: 'fe80::1%eth0', port: 99 });
  assert.deepEqual(parseRadioUri('file:a b/c?d.sigmf-meta'), { kind: 'file', path: 'a b/c?d.sigmf-meta' });
  assert.deepEqual(parseRadioUri('file:a?b?pace=0.5&loop=600'), { kind: 'file', path: 'a?b', pace: 0.5, loops: 600 });
  assert.deepEqual(parseRadioUri('loopback'), { kind: 'loopback' });
});

test('what was read is written the same', () => {
  for (const uri of [
    'hackrf:41fa?lna=16&vga=20&amp=0&ppm=-3.1',
    'hackrf',
    'hackrf?bias=1&filter=2500000&trigger=1&clkin=1&clkout=0&path=low-pass&if=2600000000',
    'hackrf?path=bypass',
    'hackrf:41fa?lna=16&usbip=lab:3240',
    'hackrf?usbip=[::1]:3241',
    'hackrf?usbip=unix:/run/%26%25=?.sock',
    'pluto:usb',
    'pluto:usb?serial=1044&usbip=lab.example:99',
    'pluto:ip:[::1]:30431',
    'file:x',
    'file:x?pace=2&loop=3',
    'loopback',
  ]) {
    assert.equal(formatRadioUri(parseRadioUri(uri)), uri);
  }
});

test('wrong URIs are refused and the message names the wrong part', () => {
  for (const [uri, part] of [
    ['', /not a radio/],
    ['usrp', /not a radio/],
    ['hackrfs', /not a radio/],
    ['HACKRF', /not a radio/],
    ['hackrf:', /serial/],
    ['hackrf:xyz', /serial "xyz"/],
    [`hackrf:${'a'.repeat(33)}`, /serial/],
    ['hackrf?lna=', /lna=/],
    ['hackrf?lna=high', /lna=high/],
    ['hackrf?lna=1e3', /lna=1e3/],
    ['hackrf?amp=on', /amp=on/],
    ['hackrf?gain=3', /"gain"; known: lna/],
    ['hackrf?bias=on', /bias=on; allowed: 0, 1/],
    ['hackrf?filter=wide', /filter/],
    ['hackrf?path=lowpass', /path=lowpass; allowed: bypass, low-pass, high-pass/],
    ['hackrf?path=low-pass', /together with if=HZ/],
    ['hackrf?if=2.6G', /together with if=HZ/],
    ['hackrf?path=bypass&if=2.6G', /together with if=HZ/],
    ['hackrf?lna=8&lna=16', /lna twice/],
    ['hackrf?usbip=', /HOST\[:PORT\] after usbip=/],
    ['hackrf?usbip=lab:0', /port 0/],
    ['hackrf?usbip=lab:65536', /port 65536/],
    ['hackrf?usbip=::1', /IPv6 address in brackets/],
    ['hackrf?usbip=[lab]', /IPv6/],
    ['hackrf?usbip=unix:', /path of a socket/],
    [`hackrf?usbip=unix:/${'a'.repeat(107)}`, /1 to 107 bytes/],
    ['hackrf?usbip=a&usbip=b', /usbip twice/],
    ['pluto:usb?lna=8', /"lna"; known: serial, usbip/],
    ['pluto:usb?serial=', /serial=/],
    ['pluto:usb?serial=a/b', /letters and digits/],
    ['pluto:usbx', /not a radio/],
    ['pluto', /not a radio/],
    ['pluto:usb:1.2.5', /not a radio/],
    ['pluto:ip:', /HOST/],
    ['pluto:ip:a b', /HOST/],
    ['pluto:ip:host:0', /port 0/],
    ['pluto:ip:host:70000', /port 70000/],
    ['file:', /no file/],
    ['file:?pace=1', /no file/],
    ['file:x?pace=0', /pace=0; allowed 0.001 to 1000/],
    ['file:x?pace=fast', /pace=fast, which is not a number/],
    ['file:x?pace=1&pace=2', /pace twice/],
    ['file:x?loop=1.5', /loop=1.5; allowed whole numbers/],
    ['file:x?loop=0', /loop=0; allowed 1 to 1000000/],
    ['file:x?speed=1', /"speed"; known: pace, loop/],
    ['loopback:x', /not a radio/],
  ] as const) {
    assert.throws(
      () => parseRadioUri(uri),
      (error) => error instanceof UsageError && part.test(error.message),
      uri,
    );
  }
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((s) => `hackrf:${s}`),
        fc.string().map((s) => `hackrf?usbip=${s}`),
        fc.string().map((s) => `hackrf?usbip=unix:${s}`),
        fc.string().map((s) => `pluto:usb?${s}`),
        fc.string().map((s) => `file:${s}`),
        fc.string().map((s) => `file:x?pace=${s}`),
        fc.string().map((s) => `pluto:ip:${s}`),
      ),
      (text) => {
        try {
          const uri = parseRadioUri(text);
          assert.deepEqual(parseRadioUri(formatRadioUri(uri)), uri);
        } catch (error) {
          assert.ok(error instanceof UsageError, String(error));
        }
      },
    ),
    { seed: 1, numRuns: 2000 },
  );
});

test('boards that are not there say so with exit code 3, after their gains were checked', async () => {
  // Port 1 (tcpmux) is closed everywhere.
  for (const uri of [
    'hackrf:41fa?lna=16&vga=20&usbip=127.0.0.1:1',
    'pluto:usb?usbip=127.0.0.1:1',
    'pluto:ip:127.0.0.1:1',
  ]) {
    await assert.rejects(
      openRadio(uri),
      (error) => error instanceof DeviceError && error.exitCode === 3 && /127\.0\.0\.1:1/.test(error.message),
    );
  }
  await assert.rejects(openRadio('hackrf?lna=17'), /steps of 8/);
  await assert.rejects(openRadio('hackrf?vga=64'), /allowed 0 to 62/);
  await assert.rejects(openRadio('loopback'), UsageError);
  assert.equal((await openRadio('file:x')).uri, 'file:x');
});

test('profiles load; limits are those of the boards; a wrong profile is refused by field', () => {
  for (const name of PROFILE_NAMES) assert.equal(loadProfile(name).name, name);
  const hackrf = profileCapabilities(loadProfile('hackrf'));
  assert.deepEqual(hackrf.rateHz, { min: 2e6, max: 20e6, step: 0 });
  assert.equal(hackrf.duplex, 'half');
  const pluto = profileCapabilities(loadProfile('pluto'));
  const defaults = { frequencyHz: 915e6, rateHz: 3.84e6, format: 'ci16_le', fullScale: 2048 } as const;
  assert.deepEqual(resolveRequest(pluto, 'tx', { gainsDb: { tx: -20.25 } }, defaults).gainsDb, { tx: -20.25 });
  assert.throws(() => resolveRequest(pluto, 'tx', { gainsDb: { tx: -20.1 } }, defaults), /steps of 0.25/);
  assert.throws(() => resolveRequest(pluto, 'rx', { rateHz: 1.92e6 }, defaults), /allowed 2083333/);
  assert.throws(() => resolveRequest(pluto, 'rx', { frequencyHz: 100e6 }, defaults), /allowed 325000000/);
  assert.throws(() => resolveRequest(pluto, 'rx', { bandwidthHz: 5e6 }, defaults), /bandwidth/);
  assert.throws(() => onGrid('gain', Number.NaN, { min: 0, max: 40, step: 8 }, 'dB'), UsageError);
  const broken = structuredClone(loadProfile('hackrf')) as { limits: { rateHz: { value: unknown } } };
  broken.limits.rateHz.value = 'fast';
  assert.throws(
    () => parseProfile(broken),
    (error) => error instanceof FormatError && error.field === 'limits.rateHz.value',
  );
});
