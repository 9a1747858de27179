import { join } from 'node:path';
import { UsageError } from '../../common/errors.ts';
import { type AddCommand, outJson, RUNS_FOLDER } from '../context.ts';
import { addCommonOptions, addOutputOption } from '../options.ts';

interface SweepFlags {
  jobs?: string;
  resume?: boolean;
  nats?: string;
  output?: string;
}

/** `sct sweep FILE`: photos through every combination of settings, one result a point, stopped and gone on with at will. */
export const addSweep: AddCommand = (program, context, done) => {
  const command = program
    .command('sweep')
    .summary('measure photos and speech under every combination of settings')
    .description(
      'Sends photos, speech or both through modelled or recorded channels under every combination of the settings of a file.',
    )
    .argument(
      '<file>',
      'YAML: photo, speech or both, and flags of sct loopback with one value or a list of them (docs/sweeps.md)',
    )
    .option('--jobs <n>', 'points at once, each in a thread with networks of its own (default: one a processor)')
    .option('--resume', 'go on with the sweep in the folder: what is measured stays')
    .option(
      '--nats <url>',
      'points go to sct worker on other machines: nats://HOST[:PORT][/NAME] (docs/several-machines.md)',
    );
  addOutputOption(command, 'folder of the sweep (default runs/sweep_NAME)');
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct sweep mapping.yaml
  sct sweep mapping.yaml --jobs 4 --resume   after a stop of any kind

A file:
  photo: [kodak/, demo]                    or speech: voices/, alone or beside photos
  codec: [integrated, classical]
  mapping: [matched, uniform]
  channel: [awgn, epa]
  snr: 0..20..5
  cbr: 1/16
  seed: 1..20
  stop: {metric: psnrDb, halfWidth: 0.2}   seeds until the mean is known so well
`,
  );
  command.action(async (path: string, options: SweepFlags) => {
    const { readSweepFile } = await import('../../experiment/sweep/sweep-file.ts');
    const { defaultJobs, MAX_JOBS } = await import('../../experiment/sweep/thread-queue.ts');
    const jobs = options.jobs === undefined ? defaultJobs() : jobsOf(options.jobs, MAX_JOBS);
    const file = await readSweepFile(path);
    const { runSweep, summaryText } = await import('../../experiment/sweep/run-sweep.ts');
    const folder = options.output ?? join(process.env[RUNS_FOLDER] ?? 'runs', `sweep_${file.name}`);
    const { progress, signal, argv } = context;
    const { nats, resume = false } = options;
    if (nats !== undefined && options.jobs !== undefined) {
      throw new UsageError(
        '--jobs and --nats: the workers say how many points they measure at once',
        'sct worker --jobs N',
      );
    }
    const io = { progress, signal, argv: ['sct', ...argv], now: () => new Date() };
    const sweep = { file, folder, resume, jobs };
    const summary =
      nats === undefined
        ? await runSweep(sweep, io)
        : await runSweep(sweep, io, async (plan) => {
            const { openNatsQueue, queueName } = await import('../../experiment/sweep/nats/nats-queue.ts');
            const note = (text: string) => progress.note(text);
            return openNatsQueue({ url: nats, queue: queueName(plan), resumed: resume, signal, note });
          });
    progress.done();
    if (context.json) outJson(context, summary);
    else context.out(summaryText(summary));
    done(summary.exitCode);
  });
};

function jobsOf(text: string, most: number): number {
  const jobs = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (jobs >= 1 && jobs <= most) return jobs;
  throw new UsageError(`--jobs ${text.slice(0, 40)} is out of range: allowed 1 to ${most}`);
}
