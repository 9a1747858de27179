import type { Duplex } from 'node:stream';
import { DeviceError } from '../../common/errors.ts';
import { Exchange } from '../instruments/exchange.ts';
import { openSerialPort } from '../instruments/serial-port.ts';

/** What the firmware says of itself on its serial console; null where it does not know. */
export interface FirmwareFacts {
  /** Parts and their versions, from /opt/VERSIONS: device-fw, hdl, linux, u-boot-xlnx. */
  readonly versions: Readonly<Record<string, string>>;
  readonly kernel: string | null;
  readonly model: string | null;
  /** Which transceiver the boot loader makes of the chip: ad9363a, or ad9364 and ad9361 for more range. */
  readonly transceiver: string | null;
  /** 1r1t or 2r2t. */
  readonly mode: string | null;
}

export interface ConsoleOptions {
  /** Longest wait for each reply. */
  readonly timeoutMs?: number;
  /** Account of the console; the factory's is in the maker's documentation. */
  readonly user?: string;
  readonly password?: string;
}

const BAUD_RATE = 115_200;
const CONTROL_C = '\x03';
const PROMPT = /(?:^|\n)[^\n]{0,80}# $/;
const LOGIN = /login: $/;
const PASSWORD = /Password: $/;
/** What a fact may be: a line of printable characters. */
const FACT = /^[\x20-\x7e]{1,200}$/;

/** Opens the console of a Pluto (`/dev/ttyACM0`), asks, and closes it. DeviceError: no port, no permission, no answer, no login. */
export async function readPlutoConsole(path: string, options: ConsoleOptions = {}): Promise<FirmwareFacts> {
  return readConsoleFacts(await openSerialPort(path, BAUD_RATE), path, options);
}

/** The same over an open line, which is closed at the end. Only reads: nothing on the board is changed. */
export async function readConsoleFacts(
  line: Duplex,
  name: string,
  options: ConsoleOptions = {},
): Promise<FirmwareFacts> {
  const { timeoutMs = 3000, user = 'root', password = 'analog' } = options;
  const exchange = new Exchange(line, name);
  const until = (request: string, end: RegExp): Promise<string> =>
    exchange.ask(request, (text) => (end.test(text) ? text : undefined), { timeoutMs });
  /** Output of a command; null where it failed. */
  const run = async (command: string): Promise<string | null> => {
    const text = await until(`${command}; echo END $?\r`, /\nEND \d{1,3}\r?\n[^\n]*# $/);
    const match = /^[^\n]*\n([\s\S]*?)(?:^|\r?\n)END (\d{1,3})\r?\n/.exec(text);
    return match && match[2] === '0' ? match[1].replaceAll('\r', '').replaceAll('\0', '') : null;
  };
  const fact = async (command: string): Promise<string | null> => {
    const text = (await run(command))?.trim() ?? '';
    return FACT.test(text) ? text : null;
  };
  try {
    const greeting = await until(`${CONTROL_C}\r`, new RegExp(`${LOGIN.source}|${PROMPT.source}|${PASSWORD.source}`));
    if (!PROMPT.test(greeting)) {
      if (PASSWORD.test(greeting)) await until('\r', LOGIN);
      await until(`${user}\r`, PASSWORD);
      const answer = await until(`${password}\r`, new RegExp(`${PROMPT.source}|incorrect`));
      if (!PROMPT.test(answer)) throw new DeviceError(`${name}: the console refuses the login of ${user}`);
    }
    const facts = {
      versions: versionsOf((await run('cat /opt/VERSIONS')) ?? ''),
      kernel: await fact('uname -r'),
      model: await fact('cat /sys/firmware/devicetree/base/model'),
      transceiver: await fact('fw_printenv -n attr_val'),
      mode: await fact('fw_printenv -n mode'),
    };
    await exchange.tell('exit\r', timeoutMs).catch(() => undefined);
    return facts;
  } finally {
    await exchange.close();
  }
}

/** Lines of "part version", at most 32. */
function versionsOf(text: string): Record<string, string> {
  const versions: Record<string, string> = Object.create(null);
  for (const line of text.split('\n').slice(0, 32)) {
    const match = /^([A-Za-z][A-Za-z0-9_-]{0,40})\s+([\x21-\x7e]{1,80})\s*$/.exec(line.trim());
    if (match) versions[match[1]] = match[2];
  }
  return versions;
}
