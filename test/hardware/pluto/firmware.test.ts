import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLUTO_RELEASES, plutoFirmware } from '../../../hardware/emulated/pluto/firmware.ts';
import { Host, rig } from './helpers.ts';

test('a release says its version everywhere', async () => {
  for (const [release, version] of [
    ['v0.32', '0.21.v0.21  \n'],
    ['v0.35', '0.24.v0.24  \n'],
    ['v0.39', '0.26.v0.26  \n'],
  ]) {
    const host = new Host(rig({ firmware: plutoFirmware(release) }).iiod);
    assert.equal(await host.ask('VERSION\r\n'), version);
    const xml = await host.ask('PRINT\r\n');
    assert.match(xml, new RegExp(`<context-attribute name="fw_version" value="${release}" />`));
    assert.match(xml, new RegExp(`version-git="${version.slice(5, 10)}"`));
  }
  assert.throws(() => plutoFirmware('v0.99'), /known: v0\.32, v0\.35, v0\.39/);
});

test('v0.39 alone reads the underflow bit as 1 whatever was written', async () => {
  for (const release of PLUTO_RELEASES) {
    const host = new Host(rig({ firmware: plutoFirmware(release) }).iiod);
    await host.set('iio:device2 DEBUG direct_reg_access', '0x80000088 0x1');
    await host.set('iio:device2 DEBUG direct_reg_access', '0x80000088');
    const expected = release === 'v0.39' ? '0x1' : '0x0';
    assert.equal(await host.get('iio:device2 DEBUG direct_reg_access'), expected, release);
    await host.set('iio:device3 DEBUG direct_reg_access', '0x80000088');
    assert.equal(await host.get('iio:device3 DEBUG direct_reg_access'), '0x0', 'the receiver has its bit');
  }
});
