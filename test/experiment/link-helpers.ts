import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LinkInput, resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { runLoopback } from '../../src/experiment/loopback/loopback-run.ts';
import { runReceive } from '../../src/experiment/receive/receive-run.ts';
import { runReplay } from '../../src/experiment/replay/replay.ts';
import { Progress } from '../../src/experiment/report/progress.ts';
import type { RunIo, RunResult } from '../../src/experiment/run/run-io.ts';
import { runSend } from '../../src/experiment/send/send-run.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { encodePng } from '../../src/sct/image/save.ts';

/** A folder that is removed after the test. */
export async function scratch(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-link-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A smooth picture with edges, the same every time. */
export async function photo(path: string, width: number, height: number): Promise<string> {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = 3 * (y * width + x);
      data[i] = 128 + 100 * Math.sin(x / 19) * Math.cos(y / 23);
      data[i + 1] = (255 * x) / width;
      data[i + 2] = ((x >> 5) + (y >> 5)) % 2 ? 190 : 70;
    }
  }
  await writeFile(path, await encodePng(rgbImage(width, height, data)));
  return path;
}

export function io(outputDirectory: string, more: Partial<RunIo> = {}): RunIo & { readonly lines: string[] } {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) };
  return {
    progress: new Progress({ stream, now: () => 0, plain: 'none' }),
    argv: ['sct', 'test'],
    now: () => new Date(0),
    outputDirectory,
    json: true,
    signal: new AbortController().signal,
    lines,
    ...more,
  };
}

export async function loopback(photoPath: string, directory: string, input: LinkInput): Promise<RunResult> {
  const config = { ...resolveLinkConfig(input), photo: { kind: 'file' as const, path: photoPath } };
  return (await runLoopback(config, io(directory))) as RunResult;
}

export async function send(photoPath: string, to: string, directory: string, input: LinkInput): Promise<RunResult> {
  const config = { ...resolveLinkConfig(input), photo: { kind: 'file' as const, path: photoPath }, to };
  return (await runSend(config, io(directory))) as RunResult;
}

export function receive(from: string, directory: string, input: LinkInput, more: Partial<RunIo> = {}) {
  return runReceive({ ...resolveLinkConfig(input), from }, io(directory, more));
}

export function replay(source: string, directory: string, check: boolean, given: LinkInput = {}) {
  return runReplay({ source, check, given }, io(directory));
}

/** Copies a capture under another name; `change` edits data bytes or metadata. */
export async function copyCapture(
  from: string,
  to: string,
  change: { data?(bytes: Buffer): Buffer; meta?(meta: Meta): void } = {},
): Promise<string> {
  const data = await readFile(`${from}.sigmf-data`);
  const meta = JSON.parse(await readFile(`${from}.sigmf-meta`, 'utf8')) as Meta;
  change.meta?.(meta);
  await writeFile(`${to}.sigmf-data`, change.data?.(data) ?? data);
  await writeFile(`${to}.sigmf-meta`, JSON.stringify(meta));
  return to;
}

export interface Meta {
  global: Record<string, unknown>;
  captures: Record<string, unknown>[];
  annotations: Record<string, unknown>[];
}

/** Data bursts' annotation in a run's received capture: where the picture is, in samples. */
export async function pictureSpan(capture: string): Promise<{ start: number; count: number }> {
  const meta = JSON.parse(await readFile(`${capture}.sigmf-meta`, 'utf8')) as Meta;
  const found = meta.annotations.find((a) => a['core:label'] === 'burst data')!;
  return { start: Number(found['core:sample_start']), count: Number(found['core:sample_count']) };
}
