import { createInterface } from 'node:readline';
import { ExitCode, SctError } from '../../common/errors.ts';
import { type AddCommand, type CliContext, outJson } from '../context.ts';
import type { Emulation } from '../emulation/emulation.ts';
import type { EmulationPlan, EmulationWords } from '../emulation/emulation-options.ts';
import { addCommonOptions } from '../options.ts';

type Words = EmulationWords & { readonly commands?: boolean };

/** `sct emulate hackrf`: boards that exist only as models, for every program that speaks to the real ones. */
export const addEmulate: AddCommand = (program, context, done) => {
  const command = program
    .command('emulate')
    .summary('boards without hardware, for this and other programs')
    .description(
      'Emulates boards on one air until it is interrupted. They are reached over USB/IP (by sct, by Linux), usbredir (by QEMU), Plutos over TCP, too.',
    )
    .argument('<board...>', 'hackrf, pluto, attenuator[:MODEL], relay[:kmtronic|lctech], gpsdo; each as often as named')
    .optionsGroup('Boards:')
    .option('--count <n>', 'so many of each board, at most 15 in all (default 1)')
    .option('--serial <list>', 'serial numbers, hexadecimal, with commas between them')
    .option('--ppm <list>', 'clock error of each board, -1000 to 1000, with commas between them (default 0)')
    .option(
      '--api <version>',
      'USB API version of the firmware of HackRFs: 0106 to 0112 (default 0107, release 2023.01.1)',
    )
    .option('--firmware <release>', 'firmware of Plutos: v0.32, v0.35 (default), v0.39 (its underflow bit is stuck)')
    .option('--counter', 'receive a counter in place of the air: sample n is n and n/256 (Pluto: n/2048) modulo that')
    .option(
      '--faults',
      "IQ imbalance of 0.5 dB and 3 degrees, DC of -20 dBFS and the board's phase noise, at both ends (default: none)",
    )
    .optionsGroup('How they are reached:')
    .option(
      '--usbip <at>',
      'PORT, HOST:PORT or path of a socket (default 3240 of 127.0.0.1 with HackRFs, unless --usbredir)',
    )
    .option('--usbredir <list>', 'path of a socket for each board, for QEMU')
    .option(
      '--iiod <list>',
      'IIO server of each Pluto: PORT, HOST:PORT, path of a socket, or no (default from 30431 on)',
    )
    .option('--console <list>', 'serial console of each Pluto, for socat PTY,link=tty,raw,echo=0 TCP:HOST:PORT')
    .option(
      '--instruments <list>',
      'line of each serial instrument: PORT, HOST:PORT or path of a socket (default from 7001 on)',
    )
    .option('--allow-remote', 'listen to other machines, too: nobody is asked for a password')
    .option('--commands', 'read commands from stdin: state, unplug SERIAL, plug SERIAL, trigger SERIAL')
    .optionsGroup('Air:')
    .option('--channel <name>', 'awgn (default), epa, eva, etu, tdl-a, tdl-b, tdl-c')
    .option('--path-loss <db>', 'mean loss between two boards, 0 to 300 (default 60)')
    .option('--own-loss <db>', 'from the output of a board to its own input, 0 to 300 (default: not heard)')
    .option('--doppler <hz>', 'Doppler of the channel, 0 to 1000 (default EPA 5, EVA 70, ETU 70, TDL 5)')
    .option('--delay-spread <ns>', 'of the TDL channels, 1 to 1000 (default 300)')
    .option('--seed <n>', 'seed of fading and noise (default 1)')
    .option('--speed <x>', 'emulated seconds in a second, 0.0001 to 1, for slow machines (default 1)')
    .option('--duration <s>', 'stop after this time of the wall clock');
  addCommonOptions(command)
    .addHelpText('after', HELP_END)
    .action(async (names: readonly string[], words: Words) => {
      const { planEmulation } = await import('../emulation/emulation-options.ts');
      await emulate(context, planEmulation(names, words), words.commands ?? false);
      done(ExitCode.ok);
    });
};

async function emulate(context: CliContext, plan: EmulationPlan, takesCommands: boolean): Promise<void> {
  const { Emulation } = await import('../emulation/emulation.ts');
  const problem = (text: string) => void process.stderr.write(`sct: ${text}\n`);
  const emulation = await Emulation.start(plan, problem);
  try {
    if (!context.quiet) process.stderr.write(`sct: ${emulation.describe()}; Ctrl-C ends it\n`);
    for (const board of emulation.ready()) {
      if (context.json) outJson(context, { schema: 'sct.emulate/1', event: 'ready', speed: plan.speed, ...board });
      else context.out(`ready ${board.kind} ${board.serial} ${board.uri ?? board.usbredir}\n`);
    }
    for (const instrument of emulation.instruments.ready()) {
      if (context.json) outJson(context, { schema: 'sct.emulate/1', event: 'ready', ...instrument });
      else context.out(`ready ${instrument.kind} ${instrument.uri}\n`);
    }
    const commands = takesCommands ? readCommands(context, emulation, problem) : null;
    await ended(context.signal, plan.durationS);
    commands?.close();
    tell(context, emulation, 'end');
  } finally {
    await emulation.close();
  }
}

/** The state of all boards: one JSON line, or a line a board. */
function tell(context: CliContext, emulation: Emulation, event: 'state' | 'end'): void {
  const boards = emulation.state();
  const instruments = emulation.instruments.state();
  if (context.json) {
    const { speed } = emulation.plan;
    outJson(context, { schema: 'sct.emulate/1', event, ok: true, speed, boards, instruments });
    return;
  }
  for (const { kind, serial, mode, plugged, samples, lostSamples, emittedSamples } of boards) {
    context.out(
      `${event} ${kind} ${serial} ${plugged ? mode : 'unplugged'}: samples ${samples}, lost ${lostSamples}, sent ${emittedSamples}\n`,
    );
  }
  for (const { kind, attenuationDb, on } of instruments) {
    const is = attenuationDb !== undefined ? `${attenuationDb} dB` : on ? `on: ${on.join(', ') || 'none'}` : 'locked';
    context.out(`${event} ${kind} ${is}\n`);
  }
}

function readCommands(context: CliContext, emulation: Emulation, problem: (text: string) => void) {
  return createInterface({ input: process.stdin }).on('line', (line) => {
    if (line.trim() === '') return;
    try {
      if (line.trim() === 'state') tell(context, emulation, 'state');
      else emulation.command(line);
    } catch (error) {
      if (!(error instanceof SctError)) throw error;
      problem(error.message);
    }
  });
}

function ended(signal: AbortSignal, durationS: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    // A timer holds 2^31 ms; nobody waits longer.
    const timer = setTimeout(resolve, Math.min(durationS * 1000, 2 ** 31 - 1));
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const HELP_END = `
A line for each board says when it is ready and its radio URI; --json: NDJSON with event ready, state or end. The boards listen
to this machine alone. Time is the wall clock's: a machine that is too slow overruns as a real one does; --speed 0.1 gives it time. A
Pluto's cable passes 28 MB a second, as its USB does: 3.84 Msps go on for ever, 7.68 Msps in bursts of one buffer.

Serial instruments stand in the cable between the boards: an attenuator adds its setting to --path-loss, a relay board lets
nothing through until its first relay is on. For programs that need a terminal: socat PTY,link=./att,raw,echo=0 TCP:127.0.0.1:7001

Examples:
  sct emulate hackrf --count 2 --path-loss 70 --channel epa
  sct emulate hackrf hackrf attenuator:rudat    then sct link ... --attenuator att:tcp:127.0.0.1:7001
  sct emulate hackrf --usbip ./boards.sock --ppm 12.5
  sct emulate pluto --own-loss 50               then iio_info -u ip:127.0.0.1
  sct emulate hackrf pluto --iiod 30500 --console 30501
  sct emulate hackrf --usbredir ./r0.sock       with qemu -chardev socket,id=r0,path=./r0.sock -device usb-redir,chardev=r0
`;
