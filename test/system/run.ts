// npm run test:system: real clients and our drivers in a QEMU guest, on emulated boards, with a picture from a HackRF to a Pluto; then pictures
// between all kinds of boards on this machine, which is quicker. Where the guest cannot be, it says why and ends with 0.
// SCT_SYSTEM_CACHE=DIR keeps kernel and RAM disk elsewhere; SCT_SYSTEM_VECTORS=1 writes test/vectors/radio/hackrf-clients.json anew.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { guestImage, whyNot } from './guest.ts';

const reason =
  (await whyNot()) ??
  (await guestImage().then(
    () => null,
    (error: Error) => `no kernel for the guest: ${error.message.split('\n').slice(0, 3).join(' ')}`,
  ));
if (reason) {
  process.stdout.write(`system test skipped: ${reason}\n`);
} else {
  process.stdout.write(
    'in a QEMU guest: clients, drivers, a picture HackRF to Pluto; a guest as network: two hosts with delay and loss; on this machine: HackRF to HackRF, HackRF to Pluto, Pluto to itself\n',
  );
  const child = spawn(
    process.execPath,
    [
      ...['--import', 'tsx', '--test', '--test-concurrency=1', '--test-reporter=./test/brief-reporter.js'],
      fileURLToPath(new URL('clients.system.ts', import.meta.url)),
      fileURLToPath(new URL('network.system.ts', import.meta.url)),
      fileURLToPath(new URL('../e2e/link-emulated.test.ts', import.meta.url)),
    ],
    { stdio: 'inherit', cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  );
  child.on('exit', (code) => process.exit(code ?? 1));
}
