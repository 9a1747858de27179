import { ExitCode } from '../../common/errors.ts';
import type { BurstTrace } from '../../experiment/metrics/burst-trace.ts';
import type { Monitored } from '../../experiment/receive/monitor-run.ts';
import type { ReceiveSettings } from '../../experiment/receive/receive-stream.ts';
import { type AddCommand, type CliContext, outJson, runIo } from '../context.ts';
import { addCommonOptions, addLinkOptions, linkInput } from '../options.ts';
import { noteTrigger, requireRadio } from '../radios.ts';

/** `sct monitor URI|RUN`: RB SNR of every burst, one JSON object a line. */
export const addMonitor: AddCommand = (program, context, done) => {
  const command = program
    .command('monitor')
    .summary('print the SNR of every resource block, one JSON line a burst')
    .description(
      'Prints RB SNR as NDJSON: rbSnrDb[slot x subbands + subband], one line a burst. Of a board until Ctrl-C; nothing is kept.',
    )
    .argument(
      '<source>',
      'radio (hackrf[:SERIAL], pluto:usb, pluto:ip:HOST, file:PATH, which may still grow), run directory or its run.json',
    );
  addLinkOptions(command, ['modem', 'receive', 'duration']);
  addCommonOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  sct monitor runs/first\n  sct monitor file:air | head -1\n  sct monitor hackrf:3c4d -f 868.3M --numerology 15\n',
    )
    .action(async (source: string) => {
      const { bursts, lost } = await monitor(context, source, linkInput(command));
      if (lost.max > 0) context.progress.note(lostText(lost), true);
      done(bursts > 0 || context.signal.aborted ? ExitCode.ok : ExitCode.noSignal);
      if (bursts === 0 && !context.signal.aborted) process.stderr.write('sct: no burst was found\n');
    });
};

async function monitor(context: CliContext, source: string, given: ReturnType<typeof linkInput>): Promise<Monitored> {
  const { parseLinkInput } = await import('../../experiment/config/link-config.ts');
  const { runMonitor } = await import('../../experiment/receive/monitor-run.ts');
  if (/^(file:|hackrf(?=$|[:?])|pluto:|loopback$)/.test(source)) {
    await requireRadio('monitor', source, 'sct sound');
    await noteTrigger(context, source);
  }
  return runMonitor(source, parseLinkInput(given), runIo(context, undefined), (trace, settings) =>
    outJson(context, line(trace, settings)),
  );
}

function lostText({ min, max, gaps }: Monitored['lost']): string {
  return `${min === max ? max : `${min} to ${max}`} samples lost in ${gaps} ${gaps === 1 ? 'gap' : 'gaps'}`;
}

function line(b: BurstTrace, settings: ReceiveSettings): object {
  const round = (v: number) => (Number.isFinite(v) ? Math.round(100 * v) / 100 : null);
  return {
    schema: 'sct.rb-snr/1',
    timeS: b.startSample / settings.rateHz,
    use: b.use,
    session: b.session,
    burst: b.burst,
    slots: b.slots,
    subbands: settings.numerology,
    snrDb: round(b.snrDb),
    cfoHz: round(b.cfoHz),
    subbandSnrDb: Array.from(b.subbandSnrDb, round),
    subbandSnrErrorDb: Array.from(b.subbandSnrErrorDb, round),
    rbSnrDb: Array.from(b.rbSnrDb, round),
    suspect: b.suspect,
  };
}
