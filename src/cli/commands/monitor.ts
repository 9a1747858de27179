import { ExitCode } from '../../common/errors.ts';
import type { BurstTrace } from '../../experiment/metrics/burst-trace.ts';
import type { ReceiveSettings } from '../../experiment/receive/receive-stream.ts';
import type { RxStream, SampleBlock } from '../../radio/radio.ts';
import { type AddCommand, type CliContext, outJson } from '../context.ts';
import { addCommonOptions, addLinkOptions, linkInput } from '../options.ts';
import { requireRadio } from '../radios.ts';

/** `sct monitor URI|RUN`: RB SNR of every burst, one JSON object a line. */
export const addMonitor: AddCommand = (program, context, done) => {
  const command = program
    .command('monitor')
    .summary('print the SNR of every resource block, one JSON line a burst')
    .description('Prints RB SNR as NDJSON: rbSnrDb[slot x subbands + subband], one line a burst.')
    .argument('<source>', 'radio (file:PATH), run directory or its run.json');
  addLinkOptions(command, ['modem', 'receive', 'duration']);
  addCommonOptions(command)
    .addHelpText('after', '\nExamples:\n  sct monitor runs/first\n  sct monitor file:air | head -1\n')
    .action(async (source: string) => {
      const heard = await monitor(context, source, linkInput(command));
      done(heard > 0 || context.signal.aborted ? ExitCode.ok : ExitCode.noSignal);
      if (heard === 0 && !context.signal.aborted) process.stderr.write('sct: no burst was found\n');
    });
};

async function monitor(context: CliContext, source: string, given: ReturnType<typeof linkInput>): Promise<number> {
  const { receiveStream, captureHints } = await import('../../experiment/receive/receive-stream.ts');
  const { parseLinkInput, resolveLinkConfig } = await import('../../experiment/config/link-config.ts');
  const input = parseLinkInput(given);
  let heard = 0;
  let stop: (() => Promise<void>) | null = null;
  const follow = async (blocks: AsyncIterable<SampleBlock>, settings: ReceiveSettings) => {
    const last = (input.durationS ?? Number.POSITIVE_INFINITY) * settings.rateHz;
    const burst = (trace: BurstTrace): boolean => {
      heard++;
      outJson(context, line(trace, settings));
      return context.signal.aborted || trace.startSample > last;
    };
    await receiveStream(until(blocks, context.signal, last), settings, { burst });
  };
  if (/^(file:|hackrf(?=$|[:?])|pluto:|loopback$)/.test(source)) {
    const uri = await requireRadio('monitor', source, 'sct sound');
    const { openRadio } = await import('../../radio/open-radio.ts');
    const radio = await openRadio(uri);
    const rx: RxStream = await radio.openRx(input.rateHz === undefined ? {} : { rateHz: input.rateHz });
    stop = () => rx.close();
    context.signal.addEventListener('abort', () => void stop?.(), { once: true });
    try {
      const hints = uri.startsWith('file:') ? await captureHints(uri.slice(5)) : null;
      const numerology = input.numerology ?? hints?.numerology ?? undefined;
      const config = resolveLinkConfig({ ...input, ...(numerology === undefined ? {} : { numerology }) });
      const { estimator } = config;
      const { rateHz } = rx.settings;
      const loOffsetHz = hints?.loOffsetHz ?? 0;
      await follow(rx, { numerology: config.numerology, rateHz, loOffsetHz, estimator });
    } finally {
      await radio.close();
    }
    return heard;
  }
  const { runCapture } = await import('../../experiment/run/run-capture.ts');
  const { CaptureReader } = await import('../../radio/sigmf/capture-reader.ts');
  const { capture, settings } = await runCapture(source);
  const reader = await CaptureReader.open(capture);
  try {
    const { numerology = settings.numerology, estimator = settings.estimator } = input;
    await follow(reader.blocks(), { ...settings, numerology, estimator });
  } finally {
    await reader.close();
  }
  return heard;
}

/** The blocks until the signal aborts or the stream index passes `last`. */
async function* until(blocks: AsyncIterable<SampleBlock>, signal: AbortSignal, last: number) {
  for await (const block of blocks) {
    if (signal.aborted || block.index > last) return;
    yield block;
    // Blocks of a file come without a pause: let signals and closed pipes be noticed.
    await new Promise((resolve) => setImmediate(resolve));
  }
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
