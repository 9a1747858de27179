import { Command } from 'commander';
import { addAnalyze } from './commands/analyze.ts';
import { addBench } from './commands/bench.ts';
import { addBounds } from './commands/bounds.ts';
import { addCapture } from './commands/capture.ts';
import { addDashboard } from './commands/dashboard.ts';
import { addDevices } from './commands/devices.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEmulate } from './commands/emulate.ts';
import { addExport } from './commands/export.ts';
import { addInstrument } from './commands/instrument.ts';
import { addLink } from './commands/link.ts';
import { addLoopback } from './commands/loopback.ts';
import { addModels } from './commands/models.ts';
import { addMonitor } from './commands/monitor.ts';
import { addReceive } from './commands/receive.ts';
import { addRecord } from './commands/record.ts';
import { addReplay } from './commands/replay.ts';
import { addReport } from './commands/report.ts';
import { addSend } from './commands/send.ts';
import { addSound } from './commands/sound.ts';
import { addSpectrum } from './commands/spectrum.ts';
import { addSpeech } from './commands/speech.ts';
import { addStream } from './commands/stream.ts';
import { addSweep } from './commands/sweep.ts';
import { addTone } from './commands/tone.ts';
import { addWatch } from './commands/watch.ts';
import { addWorker } from './commands/worker.ts';
import type { AddCommand, CliContext } from './context.ts';
import { wrapAddedHelp } from './help-text.ts';
import { packageVersion } from './version.ts';

const GROUPS: readonly { readonly heading: string; readonly commands: readonly AddCommand[] }[] = [
  { heading: 'A picture over the link:', commands: [addLoopback, addLink, addSend, addReceive] },
  { heading: 'A video over the link:', commands: [addStream, addWatch] },
  { heading: 'Speech over the link:', commands: [addSpeech] },
  { heading: 'Experiments:', commands: [addSweep, addWorker, addReport] },
  { heading: 'What is in a picture:', commands: [addAnalyze, addModels] },
  { heading: 'What theory allows:', commands: [addBounds] },
  {
    heading: 'Recordings and runs:',
    commands: [addRecord, addReplay, addCapture, addExport, addMonitor, addDashboard],
  },
  {
    heading: 'Channel, boards, checks:',
    commands: [addSound, addDevices, addDoctor, addSpectrum, addTone, addInstrument, addEmulate, addBench],
  },
];

/** The whole command tree. Commands import what is heavy only when they run, so that help stays fast. */
export function buildProgram(context: CliContext, done: (exitCode: number) => void): Command {
  const program = new Command('sct');
  program
    .description('Sends images over the air so that what matters most rides on the best part of the channel.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.out(wrapAddedHelp(text, helpWidth())),
      getOutHelpWidth: helpWidth,
      writeErr: (text) => void process.stderr.write(wrapAddedHelp(text, helpWidth())),
      // Errors are printed once, by main, in the form of the contract.
      outputError: () => {},
    })
    .configureHelp({ sortOptions: false, showGlobalOptions: false })
    .addHelpText('after', HELP_END);
  for (const { heading, commands } of GROUPS) {
    program.commandsGroup(heading);
    for (const add of commands) add(program, context, done);
  }
  return program;
}

/** Columns for help: the terminal's, or 80 where stdout is none. */
function helpWidth(): number {
  return (process.stdout.isTTY && process.stdout.columns) || 80;
}

const HELP_END = `
Radios: hackrf[:SERIAL], pluto:usb, pluto:ip:HOST, file:PATH, loopback; sct devices lists what is there.

Exit codes: 0 ok, 1 internal, 2 usage or config, 3 device or file missing, 4 no signal, 5 received but below
--min-psnr or only made up, 6 samples lost above --max-drops, 7 replay differs, 8 a check failed, 130 interrupted.

Start here:
  sct loopback --demo                        a photo through a modelled channel, no hardware
  sct loopback photo.png --channel epa --snr 15 -o runs/first
`;
