import { ExitCode } from '../common/errors.ts';
import { Progress } from '../experiment/report/progress.ts';
import { wantsColour } from '../experiment/report/terminal.ts';
import type { LogEvent } from '../link/telemetry.ts';
import type { CliContext } from './context.ts';
import { failureJson, failureOf, failureText } from './failure.ts';
import { buildProgram } from './program.ts';
import type { TelemetryPipe } from './telemetry-pipe.ts';

/**
 * Runs one command line (the words after `sct`) and returns its exit code. Only the result goes to stdout; progress,
 * notes and errors go to stderr.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const has = (long: string, short?: string) =>
    words.includes(long) || (short !== undefined && words.some((w) => /^-[a-z]+$/.test(w) && w.includes(short)));
  const json = has('--json');
  const quiet = has('--quiet', 'q');
  const verbose = has('--verbose', 'v');
  const interrupt = catchInterrupts();
  const streams = watchStreams(interrupt.controller);
  const telemetry = await watcher();
  // Who started this to watch it is gone without a word: nobody could stop a transmitter any more.
  telemetry?.gone.addEventListener('abort', () => endAlone(interrupt.controller), { once: true });
  const context: CliContext = {
    argv,
    json,
    quiet,
    verbose,
    colour: wantsColour(process.stdout.isTTY, process.env),
    signal: interrupt.controller.signal,
    progress: new Progress({
      stream: process.stderr,
      now: () => performance.now(),
      quiet,
      ...(telemetry ? { unwritten: (text) => telemetry.tell(noteEvent(text)) } : {}),
    }),
    telemetry,
    out: (text) => void process.stdout.write(text),
  };
  let exitCode: number;
  try {
    exitCode = await runProgram(argv, context);
  } catch (error) {
    const failure = failureOf(error);
    exitCode = failure?.exitCode ?? ExitCode.ok;
    context.progress.done();
    // What fails after Ctrl-C fails because of it.
    if (failure && !interrupt.byUser()) {
      process.stderr.write(failureText(failure));
      if (json) context.out(`${JSON.stringify(failureJson(failure))}\n`);
      if (verbose && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    }
  }
  context.progress.done();
  if (interrupt.byUser()) {
    exitCode = ExitCode.interrupted;
    process.stderr.write('sct: interrupted\n');
  }
  interrupt.dispose();
  await telemetry?.end();
  await flushed(process.stdout);
  if (streams.lost) {
    process.stderr.write(`sct: the result could not be written to stdout (${streams.lost.code})\n`);
    return ExitCode.internal;
  }
  return exitCode;
}

/** Who started this command to watch it; null where nobody did. */
async function watcher(): Promise<TelemetryPipe | null> {
  if (process.env.SCT_TELEMETRY_FD === undefined) return null;
  const { TelemetryPipe } = await import('./telemetry-pipe.ts');
  return TelemetryPipe.fromEnvironment(process.env);
}

/** A run that nobody watches any more has so long to end by itself, ms. */
const ALONE_MS = 5000;

function endAlone(controller: AbortController): void {
  controller.abort();
  setTimeout(() => process.exit(ExitCode.interrupted), ALONE_MS).unref();
}

function noteEvent(text: string): LogEvent {
  return { topic: 'log', level: 'note', at: new Date().toISOString(), text };
}

async function runProgram(argv: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = ExitCode.ok;
  const program = buildProgram(context, (code) => {
    exitCode = code;
  });
  await program.parseAsync([...argv], { from: 'user' });
  return exitCode;
}

/** `timeout` and `npm run` hand the same signal on a second time, at once; nobody presses twice within this. */
const SAME_SIGNAL_MS = 300;

/** A terminal that is closed counts, too: Node takes SIGHUP even where `nohup` asked for it to be ignored. */
const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The first Ctrl-C (or another of these signals) asks the command to stop, a later one ends the process at once. */
function catchInterrupts() {
  const controller = new AbortController();
  let firstMs: number | null = null;
  const onSignal = () => {
    const nowMs = performance.now();
    if (firstMs !== null) {
      if (nowMs - firstMs > SAME_SIGNAL_MS) process.exit(ExitCode.interrupted);
      return;
    }
    firstMs = nowMs;
    process.stderr.write('\nsct: stopping (Ctrl-C again kills)\n');
    controller.abort();
  };
  for (const signal of INTERRUPTS) process.on(signal, onSignal);
  const dispose = () => {
    for (const signal of INTERRUPTS) process.removeListener(signal, onSignal);
  };
  return { controller, byUser: () => firstMs !== null, dispose };
}

/**
 * `sct monitor ... | head -1` ends quietly: without a reader there is nothing left to do. A full disk behind stdout is an
 * error; stderr has nobody to tell about its own.
 */
function watchStreams(controller: AbortController): { lost: NodeJS.ErrnoException | null } {
  const state: { lost: NodeJS.ErrnoException | null } = { lost: null };
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') state.lost = error;
    controller.abort();
  });
  process.stderr.on('error', () => {});
  return state;
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  // A turn more: a failed write tells so in an event of its own.
  return new Promise((resolve) => {
    if (stream.destroyed) setImmediate(resolve);
    else stream.write('', () => setImmediate(resolve));
  });
}
