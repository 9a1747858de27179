import { ExitCode, UsageError } from '../../common/errors.ts';
import type { FoundBoard, Problem, SearchedPlace } from '../../experiment/board/find-boards.ts';
import type { RadioUri } from '../../radio/uri.ts';
import { type AddCommand, type CliContext, outJson } from '../context.ts';
import { addCommonOptions } from '../options.ts';

/** What needs no board. */
const ALWAYS = [
  { uri: 'loopback', about: 'both ends in one process, joined by a modelled channel (sct loopback, sct sound)' },
  {
    uri: 'file:PATH',
    about:
      'a SigMF recording; one process sends into it, another receives from it while it grows; ?pace=1 plays it as a board delivers, ?loop=N again and again',
  },
] as const;

/** What may be behind a serial port, and how to find out. */
const PORT_ABOUT =
  'serial port: sct instrument att:, gpsdo: or relay:PORT asks what is there; or the console of a Pluto';

interface DevicesFlags {
  usbip?: string;
  iiod?: string;
}

interface Missing extends Problem {
  readonly uri: string;
}

/** `sct devices`: the radios that can be used. */
export const addDevices: AddCommand = (program, context, done) => {
  const command = program
    .command('devices')
    .summary('list the radios that can be used')
    .description(
      'Lists the radios that can be used: boards on USB of this machine, and what needs no board; serial ports.',
    )
    .option('--usbip <at>', 'also the boards of a USB/IP server: HOST[:PORT] or unix:PATH')
    .option('--iiod <at>', 'also the Pluto at HOST[:PORT] (usually 192.168.2.1)');
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
A board that may not be opened needs the rules of hardware/udev/60-sct.rules. What is on a serial port is not asked, because an
attenuator moves when it is: sct instrument does that for the port that you name.

Examples:
  sct devices
  sct devices --usbip 127.0.0.1:3240 --iiod 192.168.2.1
`,
    )
    .action(async (flags: DevicesFlags) => {
      await listDevices(context, flags);
      done(ExitCode.ok);
    });
};

async function listDevices(context: CliContext, flags: DevicesFlags): Promise<void> {
  const { findIiodBoard, findUsbBoards } = await import('../../experiment/board/find-boards.ts');
  const usbip = flags.usbip === undefined ? undefined : await parseUsbip(flags.usbip);
  const iiod = flags.iiod === undefined ? undefined : await parseIiod(flags.iiod);
  const local = await findUsbBoards({ kind: 'libusb' });
  const others: SearchedPlace[] = [];
  if (usbip) others.push(await findUsbBoards(usbip));
  if (iiod) others.push(await findIiodBoard(iiod.host, iiod.port));
  const boards = [local, ...others].flatMap((place) => place.boards);
  const missing = [...missingOn(local), ...others.flatMap(missingAt)];
  const { serialPorts } = await import('../../experiment/board/host-checks.ts');
  const ports = await serialPorts();
  if (context.json) {
    const usable = boards.filter((board) => board.problem === null);
    const blocked = boards
      .filter((board) => board.problem !== null)
      .map(({ problem, ...rest }) => ({ ...rest, ...problem }));
    const devices = [...ALWAYS, ...usable.map(({ problem: _, ...board }) => board)];
    const unavailable = [...blocked, ...missing];
    outJson(context, { schema: 'sct.devices/1', ok: true, devices, serialPorts: ports, unavailable });
    return;
  }
  const rows: [string, string][] = [
    ...ALWAYS.map(({ uri, about }): [string, string] => [uri, about]),
    ...boards.map((board): [string, string] => [board.uri ?? board.board.toLowerCase(), describe(board)]),
    ...missing.map(({ uri, reason, hint }): [string, string] => [uri, notAvailable({ reason, hint })]),
    ...ports.map((port): [string, string] => [`/dev/${port}`, PORT_ABOUT]),
  ];
  const { printable } = await import('../../experiment/report/terminal.ts');
  const width = Math.max(...rows.map(([uri]) => (uri.length <= 40 ? uri.length : 0)));
  context.out(rows.map(([uri, text]) => `${printable(`${uri.padEnd(width)}  ${text}`)}\n`).join(''));
}

/** What this machine's USB lacks: both kinds for one reason, or each kind of which there is none. */
function missingOn({ place, boards, problem }: SearchedPlace): Missing[] {
  const kinds = [
    { uri: 'hackrf', board: 'HackRF' },
    { uri: 'pluto:usb', board: 'Pluto' },
  ] as const;
  if (problem) return kinds.map(({ uri }) => ({ uri, ...problem }));
  return kinds
    .filter(({ board }) => !boards.some((found) => found.board === board))
    .map(({ uri, board }) => ({ uri, reason: `no ${board} at the ${place}`, hint: null }));
}

/** A server that was asked for by name: its own error, or that it has nothing. */
function missingAt({ place, boards, problem }: SearchedPlace): Missing[] {
  if (problem) return [{ uri: place, ...problem }];
  return boards.length > 0 ? [] : [{ uri: place, reason: 'no HackRF and no Pluto there', hint: null }];
}

function describe({ product, board, serial, version, place, problem }: FoundBoard): string {
  const facts = [product ?? board, ...(serial ? [`serial ${serial}`] : []), ...(version ? [version] : []), place];
  return `${facts.join(', ')}${problem ? `; ${notAvailable(problem)}` : ''}`;
}

function notAvailable({ reason, hint }: Problem): string {
  return `not available: ${reason}${hint === null ? '' : ` (${hint})`}`;
}

async function parseUsbip(text: string): Promise<NonNullable<Extract<RadioUri, { kind: 'hackrf' }>['usbip']>> {
  const { parseRadioUri } = await import('../../radio/uri.ts');
  const written = text.startsWith('unix:') ? text.replaceAll('%', '%25').replaceAll('&', '%26') : text;
  try {
    const uri = parseRadioUri(`hackrf?usbip=${written}`);
    if (uri.kind === 'hackrf' && uri.usbip && !written.includes('&')) return uri.usbip;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
  throw new UsageError(
    `--usbip: "${text.slice(0, 120)}" is not HOST[:PORT] or unix:PATH`,
    'for example 127.0.0.1:3240',
  );
}

async function parseIiod(text: string): Promise<{ host: string; port: number }> {
  const { parseRadioUri } = await import('../../radio/uri.ts');
  try {
    const uri = parseRadioUri(`pluto:ip:${text}`);
    if (uri.kind === 'pluto-ip') return uri;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
  throw new UsageError(`--iiod: "${text.slice(0, 120)}" is not HOST[:PORT]`, 'for example 192.168.2.1');
}
