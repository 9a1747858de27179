// A TCP relay with the delay of a long way and the stalls that an application sees where packets are lost (TCP says them again after 200 ms and more).
//   node test/link/slow-relay.js LISTEN_HOST PORT          to 127.0.0.1:PORT
import { connect, createServer } from 'node:net';

const DELAY_MS = 40;
const JITTER_MS = 10;
const LOSS = 0.05;
const STALL_MS = 200;

const [host, port] = process.argv.slice(2);

/** What comes goes on later, in order. */
function forward(from, to) {
  let dueMs = 0;
  const queue = [];
  from.on('data', (data) => {
    const delayMs = DELAY_MS + JITTER_MS * Math.random() + (Math.random() < LOSS ? STALL_MS : 0);
    dueMs = Math.max(dueMs, performance.now() + delayMs);
    queue.push(data);
    // Timers that are due together may come in any order.
    setTimeout(() => void (to.destroyed || to.write(queue.shift())), dueMs - performance.now());
  });
  from.on('error', () => undefined);
  from.once('close', () => setTimeout(() => to.destroy(), Math.max(0, dueMs - performance.now()) + 1));
}

createServer((near) => {
  const far = connect(Number(port), '127.0.0.1');
  forward(near, far);
  forward(far, near);
}).listen(Number(port), host, () => process.stdout.write('listening\n'));
