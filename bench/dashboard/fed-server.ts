/** The dashboard's server whose one command is the teller: `node --import tsx fed-server.ts FOLDER`. It prints its port and tokens. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Dashboard } from '../../src/dashboard/server.ts';
import type { Controller, Job, JobListener, JobRequest } from '../../src/link/controller.ts';

const TELLER = fileURLToPath(new URL('teller.ts', import.meta.url));
const folder = process.argv[2];

const refused = () => Promise.reject(new Error('not in this bench'));

const controller: Controller = {
  commands: ['loopback'],
  optionsOf: () => ({}),
  devices: () => Promise.resolve([]),
  pictureSize: refused,
  exportRange: refused,
  start({ command, options }: JobRequest, listener: JobListener): Job {
    const words = ['--import', 'tsx', TELLER, String(options.rate)];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
    const telling = child.stdio[3] as Readable;
    telling.on('data', (chunk: Buffer) => {
      if (!listener.bytes(chunk)) telling.pause();
    });
    const gone = new Promise<void>((resolve) => {
      child.on('close', () => {
        listener.ended({ exitCode: 130, how: 'stopped', result: null, error: null });
        resolve();
      });
    });
    return {
      command,
      tell() {},
      more: () => void telling.resume(),
      stop: () => {
        child.kill('SIGINT');
        return gone;
      },
    };
  },
};

const places = { runs: folder, captures: folder, pictures: folder };
const { port, access } = await Dashboard.listen({ host: '127.0.0.1', port: 0, controller, places });
process.stdout.write(`${JSON.stringify({ port, controlToken: access.controlToken, readToken: access.readToken })}\n`);
