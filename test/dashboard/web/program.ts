import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { BIN, scratch } from '../../cli/helpers.ts';
import { page as socketOf, type TestPage } from '../helpers.ts';

/** How long something may take that takes a second on a quiet machine. */
const PATIENCE_MS = 60_000;

/** `sct dashboard` as it is built, in a process and folder of its own. */
export class Program {
  /** Addresses with their tokens. */
  readonly control: string;
  readonly read: string;
  readonly port: number;

  private constructor(
    readonly cwd: string,
    readonly child: ChildProcess,
    addresses: { readonly control: string; readonly read: string; readonly url: string },
  ) {
    this.control = addresses.control;
    this.read = addresses.read;
    this.port = Number(new URL(addresses.url).port);
  }

  static async start(t: TestContext, args: readonly string[] = [], folder?: string): Promise<Program> {
    const cwd = folder ?? (await scratch(t));
    const given = args.includes('--port') ? [] : ['--port', '0'];
    const child = spawn(process.execPath, [BIN, 'dashboard', '--json', ...given, ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.after(() => child.kill('SIGKILL'));
    const [line] = await once(child.stdout!, 'data');
    const said = JSON.parse(String(line));
    assert.ok(said.url, String(line));
    return new Program(cwd, child, said);
  }

  /** A client that is no browser: what it hears does not go through the page. */
  watch(address = this.control): Promise<TestPage> {
    return socketOf(this, tokenOf(address));
  }

  /** Runs a command to its end. @returns its exit code */
  async run(command: string, rest: object): Promise<number> {
    const { ask, until, texts, socket } = await this.watch();
    const answer = await ask({ do: 'start', command, ...rest });
    assert.ok(answer.ok, JSON.stringify(answer));
    const end = () => texts.find((m) => m.job === null && m.exitCode !== undefined);
    await until(() => end() !== undefined);
    socket.close();
    return Number(end()!.exitCode);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const ended = once(this.child, 'close');
    this.child.kill(signal);
    await ended;
  }
}

export function tokenOf(address: string): string {
  return address.split('#token=')[1];
}

/** Asks until it is so. */
export async function until(what: string, passes: () => Promise<boolean> | boolean): Promise<void> {
  for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs; ) {
    if (await passes()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`not within a minute: ${what}`);
}

/** Text of a figure in a panel. */
export async function figure(page: Page, panel: string, is: string): Promise<string> {
  return (
    (await page.locator(`${panel} [data-is="${is}"]`).first().textContent({ timeout: PATIENCE_MS })) ?? ''
  ).trim();
}

/** Waits until a figure reads so. */
export async function reads(page: Page, panel: string, is: string, text: string | RegExp): Promise<void> {
  let now = '';
  const right = async () => {
    now = await figure(page, panel, is);
    return typeof text === 'string' ? now === text : text.test(now);
  };
  await until(`${panel} ${is} reads ${text}`, right).catch((error: Error) => {
    throw new Error(`${error.message}; it reads '${now}'`);
  });
}

/** A page that is watched itself: whatever it asks of another origin, its policy refuses, or its console complains of. */
export async function watchedPage(browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1200 }, ...options });
  const page = await context.newPage();
  const { origin } = new URL(url);
  const wrong: string[] = [];
  page.on('request', (request) => {
    const to = request.url();
    if (new URL(to).origin !== origin && !/^(blob|data):/.test(to)) wrong.push(`asked elsewhere: ${to}`);
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== new URL(url).host) wrong.push(`asked elsewhere: ${socket.url()}`);
  });
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) wrong.push(`${message.type()}: ${message.text()}`);
  });
  await page.addInitScript(`addEventListener('securitypolicyviolation', (e) => {
    console.error('against the policy: ' + e.violatedDirective + ' ' + e.blockedURI);
  })`);
  await page.goto(url);
  return { page, context, wrong };
}
