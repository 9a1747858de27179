import { attributeFilename, type Device } from './iio-context.ts';
import { IioError } from './iio-error.ts';
import type { BytePipe } from './iiod/byte-pipe.ts';
import type { PlutoBoard } from './pluto-board.ts';

/** The factory's account. */
const USER = 'root';
const PASSWORD = 'analog';
/** Longest line of a terminal (N_TTY); more is dropped. */
const MAX_LINE_BYTES = 4095;
const INTERRUPT = 3;
const END_OF_INPUT = 4;
const BACKSPACES = [8, 127];

/** Environment of the boot loader, as `fw_printenv` shows it. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  attr_name: 'compatible',
  attr_val: 'ad9363a',
  compatible: 'ad9363a',
  hostname: 'pluto',
  ipaddr: '192.168.2.1',
  ipaddr_host: '192.168.2.10',
  mode: '1r1t',
  netmask: '255.255.255.0',
};

/** A login and a small shell on a serial line: enough to ask the board what it is. Until the pipe ends; never rejects. */
export async function serveConsole(board: PlutoBoard, pipe: BytePipe): Promise<void> {
  try {
    const terminal = new Terminal(pipe);
    for (;;) if (!(await login(board, terminal)) || !(await shell(board, terminal))) return;
  } catch {
    // The line went away under a reply.
  }
}

/** False when the line ends. */
async function login(board: PlutoBoard, terminal: Terminal): Promise<boolean> {
  for (;;) {
    await terminal.print('\r\nWelcome to Pluto\r\npluto login: ');
    const user = await terminal.line(true);
    if (user === null) return false;
    if (user === '') continue;
    await terminal.print('Password: ');
    const password = await terminal.line(false);
    if (password === null) return false;
    if (user === USER && password === PASSWORD) break;
    await terminal.print('\r\nLogin incorrect\r\n');
  }
  await terminal.print(`\r\nWelcome to:\r\nPluto ${board.firmware.version}\r\n`);
  return true;
}

/** True after `exit`. */
async function shell(board: PlutoBoard, terminal: Terminal): Promise<boolean> {
  let status = 0;
  for (;;) {
    await terminal.print('# ');
    const line = await terminal.line(true);
    if (line === null) return false;
    for (const command of line.split(';')) {
      const words = command
        .trim()
        .split(/\s+/)
        .filter(Boolean)
        .map((word) => (word === '$?' ? String(status) : word));
      if (words.length === 0) continue;
      if (words[0] === 'exit' || words[0] === 'logout') return true;
      const { text, failed } = run(board, words);
      status = failed ? 1 : 0;
      if (text) await terminal.print(`${text.replaceAll('\n', '\r\n')}\r\n`);
    }
  }
}

function run(board: PlutoBoard, [command, ...words]: string[]): { text: string; failed: boolean } {
  const { kernel } = board.firmware;
  const good = (text: string) => ({ text, failed: false });
  switch (command) {
    case 'cat': {
      const texts = words.map((path) => readFile(board, path));
      return { text: texts.map(({ text }) => text).join('\n'), failed: texts.some(({ failed }) => failed) };
    }
    case 'echo':
      return good(words.join(' '));
    case 'hostname':
      return good('pluto');
    case 'uname':
      return good(words[0] === '-r' ? kernel : words[0] === '-a' ? `Linux pluto ${kernel} armv7l GNU/Linux` : 'Linux');
    case 'fw_printenv': {
      const names = words.filter((word) => word !== '-n');
      const unknown = names.find((name) => !Object.hasOwn(ENVIRONMENT, name));
      if (unknown) return { text: `## Error: "${unknown}" not defined`, failed: true };
      const shown = names.length ? names : Object.keys(ENVIRONMENT);
      return good(
        shown.map((name) => (words.includes('-n') ? ENVIRONMENT[name] : `${name}=${ENVIRONMENT[name]}`)).join('\n'),
      );
    }
    default:
      return { text: `-sh: ${command}: not found`, failed: true };
  }
}

function readFile(board: PlutoBoard, path: string): { text: string; failed: boolean } {
  const { kernel, version } = board.firmware;
  const versions = `device-fw ${version}\nhdl 2021_r1\nlinux ${kernel}\nu-boot-xlnx v0.20-PlutoSDR`;
  const files: Record<string, string> = {
    '/opt/VERSIONS': versions,
    '/etc/hostname': 'pluto',
    '/sys/firmware/devicetree/base/model': 'Analog Devices PlutoSDR Rev.C (Z7010/AD9363)',
    '/proc/version': `Linux version ${kernel}`,
  };
  if (Object.hasOwn(files, path)) return { text: files[path], failed: false };
  const match = /^\/sys\/bus\/iio\/devices\/(iio:device\d)\/(\w+)$/.exec(path);
  const device = match && board.context.devices.find(({ id }) => id === match[1]);
  try {
    if (device) return { text: sysfs(device, match[2]), failed: false };
  } catch (error) {
    if (!(error instanceof IioError)) throw error;
  }
  return { text: `cat: can't open '${path}': No such file or directory`, failed: true };
}

function sysfs(device: Device, file: string): string {
  if (file === 'name') return device.name;
  const own = device.attributes.find(({ name }) => name === file);
  if (own) return own.read();
  for (const channel of device.channels) {
    for (const attribute of channel.attributes)
      if (attributeFilename(channel, attribute) === file) return attribute.read();
  }
  throw new IioError('ENOENT');
}

/** A line discipline: echo, backspace, lines; bounded. */
class Terminal {
  private readonly pipe: BytePipe;
  private rest: Uint8Array = new Uint8Array(0);

  constructor(pipe: BytePipe) {
    this.pipe = pipe;
  }

  print(text: string): Promise<void> {
    return this.pipe.write(Buffer.from(text, 'latin1'));
  }

  /** The next line; null at the end of the input (the line went away, or ^D on an empty line ends like an empty one). */
  async line(echo: boolean): Promise<string | null> {
    let text = '';
    for (;;) {
      if (this.rest.length === 0) {
        const bytes = await this.pipe.read();
        if (bytes === null) return null;
        this.rest = bytes;
      }
      let shown = '';
      while (this.rest.length) {
        const byte = this.rest[0];
        this.rest = this.rest.subarray(1);
        if (byte === 10 || byte === 13) {
          if (byte === 13 && this.rest[0] === 10) this.rest = this.rest.subarray(1);
          await this.print(`${shown}\r\n`);
          return text;
        }
        if (byte === INTERRUPT || byte === END_OF_INPUT) {
          await this.print(`${shown}\r\n`);
          return '';
        }
        if (BACKSPACES.includes(byte)) {
          if (text && echo) shown += '\b \b';
          text = text.slice(0, -1);
        } else if (text.length < MAX_LINE_BYTES && byte >= 32) {
          text += String.fromCharCode(byte);
          if (echo) shown += String.fromCharCode(byte);
        }
      }
      if (shown) await this.print(shown);
    }
  }
}
