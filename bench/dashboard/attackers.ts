import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { attack, type Target } from './hostile-clients.ts';

const OWN = fileURLToPath(import.meta.url);
/** One that is not thrown out goes by itself after so long, ms, where they come one after another. */
const PATIENCE_MS = 150;
/** Connections of this machine are there, and what they send first has been sent. */
const READY_MS = 1000;

/**
 * Hostile clients in a process of their own, of all kinds in turn: `atOnce` of them, replaced as they are thrown out; `inAll` 0: until `end`. They come from
 * other machines in earnest, so they get only what processors have left.
 */
export function attackers(target: Target, atOnce: number, inAll: number) {
  const words = ['--import', 'tsx', OWN, JSON.stringify({ target, atOnce, inAll })];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  setPriority(child.pid!, constants.priority.PRIORITY_LOW);
  const done = once(child, 'close').then(() => {});
  return {
    /** The first of them all are at work. */
    ready: once(child.stdout!, 'data').then(() => {}),
    done,
    end: () => {
      child.kill('SIGKILL');
      return done;
    },
  };
}

async function run({ target, atOnce, inAll }: { target: Target; atOnce: number; inAll: number }): Promise<void> {
  let turn = 0;
  const stream = async () => {
    while (inAll === 0 || turn < inAll) {
      const { gone, end } = attack(target, turn++);
      const patience = inAll === 0 ? [] : [new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))];
      await Promise.race([gone, ...patience]);
      end();
    }
  };
  const all = Array.from({ length: atOnce }, stream);
  setTimeout(() => process.stdout.write('ready\n'), READY_MS);
  await Promise.all(all);
  process.exit();
}

if (process.argv[1] === OWN) await run(JSON.parse(process.argv[2]));
