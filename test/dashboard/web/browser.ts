import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** Why there can be no test with a browser here; false where there can. */
export const noBrowser: string | false = existsSync(CHROMIUM) ? false : `${CHROMIUM} is not there`;

export function launch(): Promise<Browser> {
  // Chromium's sandbox refuses to run as root; containers have little shared memory.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: CHROMIUM, args: [...args, '--disable-gpu', '--disable-dev-shm-usage'] });
}

/** Builds the page into a folder of its own, as the build does. */
export function builtPage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sct-page-'));
  const build = fileURLToPath(new URL('../../../src/dashboard/web/build.js', import.meta.url));
  execFileSync(process.execPath, [build, folder]);
  return folder;
}

/** A page at an address; what it complains of is collected. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}
