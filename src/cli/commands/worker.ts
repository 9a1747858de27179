import { ExitCode, UsageError } from '../../common/errors.ts';
import { writableFolder } from '../../common/make-folder.ts';
import { type AddCommand, outJson } from '../context.ts';
import { addCommonOptions } from '../options.ts';

interface WorkerFlags {
  nats?: string;
  jobs?: string;
  cache?: string;
  cacheSize?: string;
  untilIdle?: string;
}

const MAX_IDLE_S = 86_400;
const MAX_CACHE_GIB = 1_000_000;

/** `sct worker --nats URL`: measures points of sweeps that others have begun, until it is stopped. */
export const addWorker: AddCommand = (program, context, done) => {
  const command = program
    .command('worker')
    .summary('measure points of sweeps on other machines')
    .description(
      'Takes points of sct sweep --nats from a NATS server with JetStream, as many at once as it has threads. Photos, models and captures come from ' +
        'the server, checked by their SHA-256. Whoever may publish there can have anything measured here: give the server credentials.',
    )
    .option('--nats <url>', 'nats://HOST[:PORT][/NAME], with TLS tls://; the same NAME for those who work together')
    .option('--jobs <n>', 'points at once, each in a thread with networks of its own (default: one a processor)')
    .option('--cache <dir>', 'folder for files that points read (default ~/.cache/sct/sweep-inputs)')
    .option('--cache-size <GiB>', 'what that folder may take, the least recently used goes first (default 10)')
    .option('--until-idle <seconds>', 'end when nothing has come for so long (default: go on until stopped)');
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  nats-server -js -sd /var/lib/nats            # on a host that all can reach
  sct worker --nats nats://that-host           # on every machine that shall work
  sct sweep mapping.yaml --nats nats://that-host

SCT_NATS_CREDENTIALS names a file with user:password, a token, an nkey seed or NATS credentials (.creds); SCT_NATS_CA one with the certificate of the authority that signed the server's; SCT_NATS_CERT and SCT_NATS_KEY this end's own certificate and key.
`,
  );
  command.action(async (flags: WorkerFlags) => {
    if (flags.nats === undefined) throw new UsageError('--nats URL is missing', 'give nats://HOST[:PORT][/NAME]');
    const { defaultJobs, MAX_JOBS, ThreadQueue } = await import('../../experiment/sweep/thread-queue.ts');
    const { NatsWorker } = await import('../../experiment/sweep/nats/nats-worker.ts');
    const { defaultCache } = await import('../../experiment/sweep/nats/cache-folder.ts');
    const jobs = flags.jobs === undefined ? defaultJobs() : inWhole('--jobs', flags.jobs, MAX_JOBS);
    const idleS = flags.untilIdle === undefined ? null : inWhole('--until-idle', flags.untilIdle, MAX_IDLE_S);
    const cacheGib = flags.cacheSize === undefined ? null : inWhole('--cache-size', flags.cacheSize, MAX_CACHE_GIB);
    const cache = flags.cache === undefined ? defaultCache() : await writableFolder(flags.cache);
    const { progress, signal } = context;
    const executor = new ThreadQueue(jobs);
    try {
      const worker = await NatsWorker.open({
        url: flags.nats,
        signal,
        executor,
        cache,
        ...(cacheGib === null ? {} : { cacheBytes: cacheGib * 2 ** 30 }),
        idleMs: idleS === null ? null : 1e3 * idleS,
        note: (text) => progress.note(text),
        took: ({ measured, failed }) =>
          progress.update(`${measured} points measured${failed > 0 ? `, ${failed} failed` : ''}`),
      });
      progress.note(worker.describe());
      const counters = await worker.work();
      progress.done();
      const { measured, failed, repeated, refused } = counters;
      if (context.json) outJson(context, { schema: 'sct.worker/1', ok: true, ...counters });
      else {
        context.out(
          `${measured} points measured, ${failed} failed, ${repeated} measured elsewhere, ${refused} messages refused\n`,
        );
      }
      done(signal.aborted ? ExitCode.interrupted : ExitCode.ok);
    } finally {
      await executor.close();
    }
  });
};

function inWhole(name: string, text: string, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= most) return value;
  throw new UsageError(`${name} ${text.slice(0, 40)} is out of range: allowed 1 to ${most}`);
}
