import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import { type AddCommand, outJson } from '../context.ts';
import { addCommonOptions } from '../options.ts';

const DEFAULT_PORT = 8790;

interface DashboardFlags {
  readonly port?: string;
  readonly host?: string;
  readonly token?: string;
  readonly name: readonly string[];
  readonly runs: string;
  readonly captures: string;
  readonly pictures: string;
}

/** `sct dashboard`: a web page that shows runs live, starts and stops them, and replays recordings. */
export const addDashboard: AddCommand = (program, context, done) => {
  const command = program
    .command('dashboard')
    .summary('a web page: watch the channel, the mapping and the picture')
    .description(
      'Serves a page that starts, stops and shows runs: RB SNR, who rides where, the picture as it arrives. Goes on until Ctrl-C.\n' +
        'The address printed holds a token in its end; who has it controls the radios. The read-only one only watches.\n' +
        'A page names files of the three folders below and no others; runs and recordings that it starts land there.',
    )
    .option('--port <n>', `port (default ${DEFAULT_PORT}; 0: a free one)`)
    .option('--host <address>', 'address to listen at (default 127.0.0.1; any other needs --token)')
    .option(
      '--token <text>',
      'control token of your own, 16 characters or more, or @FILE (default: a new one each time)',
    )
    .option(
      '--name <host[:port]>',
      'further name by which it may be called, of a proxy or a forwarded port; may be given again',
      (name: string, before: readonly string[]) => [...before, name],
      [] as readonly string[],
    )
    .option('--runs <dir>', 'folder of run directories', 'runs')
    .option('--captures <dir>', 'folder of recordings', 'captures')
    .option('--pictures <dir>', 'folder of pictures that may be sent; those that a page brings land there', 'pictures');
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct dashboard
  sct dashboard --host 0.0.0.0 --token @token.txt     others on the network can watch with the read-only address
  sct dashboard --name localhost:9000                 behind ssh -L 9000:localhost:8790
`,
  );
  command.action(async (flags: DashboardFlags) => {
    const { Dashboard } = await import('../../dashboard/server.ts');
    const { checkName, checkToken } = await import('../../dashboard/access.ts');
    const { ChildController } = await import('../jobs/child-controller.ts');
    const port = flags.port === undefined ? DEFAULT_PORT : parseQuantity('--port', flags.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new UsageError(`--port ${flags.port} is out of range: allowed 0 to 65535`);
    }
    const places = {
      runs: resolve(flags.runs),
      captures: resolve(flags.captures),
      pictures: resolve(flags.pictures),
    };
    const dashboard = await Dashboard.listen({
      host: flags.host ?? '127.0.0.1',
      port,
      ...(flags.token === undefined ? {} : { token: checkToken(await tokenOf(flags.token)) }),
      names: flags.name.map(checkName),
      controller: new ChildController(program, process.argv[1], places),
      places,
    });
    const { controlToken, readToken } = dashboard.access;
    const control = `${dashboard.url}#token=${controlToken}`;
    const read = `${dashboard.url}#token=${readToken}`;
    if (context.json) outJson(context, { schema: 'sct.dashboard/1', url: dashboard.url, control, read });
    else context.out(`dashboard  ${control}\nread only  ${read}\n`);
    await new Promise<void>((stop) => {
      if (context.signal.aborted) stop();
      context.signal.addEventListener('abort', () => stop(), { once: true });
    });
    await dashboard.close();
    done(0);
  });
};

/** `@FILE`: the first line of a file, so that the token does not stand in the list of processes. */
async function tokenOf(text: string): Promise<string> {
  if (!text.startsWith('@')) return text;
  try {
    return (await readFile(text.slice(1), 'utf8')).slice(0, 4096).split('\n')[0].trim();
  } catch (error) {
    throw new UsageError(`--token ${text}: ${(error as Error).message}`);
  }
}
