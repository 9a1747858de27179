import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';

/** Looks a busy machine may need before a browser has painted, and between two of them, ms. */
const MOST_TRIES = 300;
const BETWEEN_MS = 100;

/** Waits half a minute at most until something holds; fails by its name. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
  assert.fail(what);
}

/** Waits until the figure of a panel (its `data-is`) reads so. */
export async function reads(page: Page, panel: string, is: string, text: string | RegExp): Promise<void> {
  const found = page.locator(`${panel} [data-is="${is}"]`).first();
  let now = '';
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    now = ((await found.textContent({ timeout: 1000 }).catch(() => '')) ?? '').trim();
    if (typeof text === 'string' ? now === text : text.test(now)) return;
    await page.waitForTimeout(BETWEEN_MS);
  }
  assert.fail(`${panel} ${is}: ${now}, not ${text}`);
}
