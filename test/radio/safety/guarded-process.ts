// A program with transmitters under the process's guard: started by process-end.test.ts, ended in the way that its argument names. Every
// silencer writes a line with the file descriptor itself, so that nothing is lost in a buffer at exit.
import { writeSync } from 'node:fs';
import { transmitGuard } from '../../../src/radio/safety/process-end.ts';

const [, , how = '', extra = ''] = process.argv;
const say = (line: string) => void writeSync(1, `${line}\n`);
const guard = transmitGuard();

const off = guard.protect('quick', { silence: async () => say('quick silent'), silenceNow: () => say('quick now') });
if (extra === 'hang') {
  guard.protect('stuck', {
    silence: () => {
      say('stuck asked');
      // From here, so that no time-out can come first, however busy the machine.
      if (how === 'two-signals') setImmediate(() => process.kill(process.pid, 'SIGINT'));
      return new Promise<void>(() => {});
    },
    silenceNow: () => say('stuck now'),
  });
}
if (extra === 'own-handler') {
  process.on('SIGTERM', () => {
    say('own handler');
    // As the command line does: unwind, then end with a code of its own.
    setTimeout(() => process.exit(130), 200);
  });
}

const stayAlive = setInterval(() => {}, 1000);
switch (how) {
  case 'signal':
  case 'two-signals':
    say('ready');
    break; // the parent sends it
  case 'exit':
    process.exit(7);
    break;
  case 'exception':
    setImmediate(() => {
      throw new Error('planned exception');
    });
    break;
  case 'rejection':
    void Promise.reject(new Error('planned rejection'));
    break;
  case 'idle':
    clearInterval(stayAlive);
    break;
  case 'closed':
    off();
    say('ready');
    break; // nothing registered: a signal ends the process as if there were no guard
  default:
    throw new Error(`unknown way: ${how}`);
}
