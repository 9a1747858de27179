import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serveConsole } from '../../../hardware/emulated/pluto/console.ts';
import { HostPipe, rig, settle } from './helpers.ts';

function terminal() {
  const { board } = rig();
  const pipe = new HostPipe();
  const done = serveConsole(board, pipe);
  const type = async (text: string) => {
    pipe.say(text);
    await settle();
    return pipe.take().toString('latin1');
  };
  return { pipe, done, type };
}

test('login, facts of the firmware, logout', async () => {
  const { pipe, done, type } = terminal();
  assert.match(await type('\r'), /pluto login: \r\n\r\nWelcome to Pluto\r\npluto login: $/);
  assert.equal(await type('root\r'), 'root\r\nPassword: ');
  assert.match(await type('wrong\r'), /^\r\n\r\nLogin incorrect\r\n\r\nWelcome to Pluto\r\npluto login: $/);
  await type('root\r');
  assert.match(await type('analog\r\n'), /# $/, 'the password is not shown');
  assert.match(
    await type('cat /opt/VERSIONS\r'),
    /^cat \/opt\/VERSIONS\r\ndevice-fw v0\.35\r\nhdl .*\r\nlinux .*\r\nu-boot-xlnx .*\r\n# $/,
  );
  assert.equal(
    await type('cat /sys/bus/iio/devices/iio:device0/out_altvoltage0_RX_LO_frequency\r').then(
      (t) => t.split('\r\n')[1],
    ),
    '2400000000',
  );
  assert.equal(
    await type('fw_printenv mode; echo $?\r').then((t) => t.split('\r\n').slice(1, 3).join()),
    'mode=1r1t,0',
  );
  assert.equal(await type('cat /nothing; echo $?\r').then((t) => t.split('\r\n')[2]), '1');
  assert.match(await type('rm -rf /\r'), /-sh: rm: not found/);
  assert.equal(await type('hostnamx\x7fe\r').then((t) => t.split('\r\n')[1]), 'pluto');
  assert.match(await type('exit\r'), /pluto login: $/);
  pipe.hangUp();
  await done;
});

test("a line without end is held to the terminal's limit", async () => {
  const { pipe, done, type } = terminal();
  await type('root\ranalog\r');
  for (let i = 0; i < 50; i++) await type('x'.repeat(10_000));
  assert.ok((await type('\r')).length < 5000);
  pipe.hangUp();
  await done;
});
