import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '../../../common/errors.ts';
import { ROI_LABELS } from '../../../sct/quality/label-image.ts';

/** What the judge says of one folder of pictures. */
export interface JudgeFigures {
  readonly mIoU: number;
  /** Mean IoU of the task classes (sign, car, pedestrian, bicyclist). */
  readonly task: number;
}

/** Writes a file unless it already holds these bytes: a picture that did not change keeps its time, and its judgement. */
export async function writeIfOther(path: string, bytes: Uint8Array): Promise<void> {
  const old = await readFile(path).catch(() => null);
  if (old === null || Buffer.compare(old, bytes) !== 0) await writeFile(path, bytes);
}

/**
 * Figures of each folder as training/judge/score.py printed them into judge.jsonl. A folder with a picture newer than the file
 * was not judged as it is now and is left out; so is everything when there is no such file.
 *
 * @throws FormatError for a line that is not one of score.py
 */
export function judgeFigures(folder: string | null): Map<string, JudgeFigures> {
  const out = new Map<string, JudgeFigures>();
  if (folder === null) return out;
  const path = join(folder, 'judge.jsonl');
  const judged = statSync(path, { throwIfNoEntry: false });
  if (!judged) return out;
  for (const [i, text] of readFileSync(path, 'utf8').split('\n').entries()) {
    if (text.trim() === '') continue;
    const { name, figures } = parseLine(text, `judge.jsonl line ${i + 1}`);
    const pictures = statSync(join(folder, name), { throwIfNoEntry: false });
    if (pictures && pictures.mtimeMs <= judged.mtimeMs && !newerInside(join(folder, name), judged.mtimeMs)) {
      out.set(name, figures);
    }
  }
  return out;
}

function parseLine(text: string, where: string): { name: string; figures: JudgeFigures } {
  let line: { folder?: unknown; mIoU?: unknown; iou?: unknown };
  try {
    line = JSON.parse(text) as typeof line;
  } catch {
    throw new FormatError(where, 'is no JSON');
  }
  const { folder, mIoU, iou } = line ?? {};
  const classes = typeof iou === 'object' && iou !== null ? Object.values(iou) : [];
  const task = ROI_LABELS.map((c) => classes[c]);
  if (typeof folder !== 'string' || !/^[A-Za-z0-9-]{1,64}$/.test(folder) || typeof mIoU !== 'number') {
    throw new FormatError(where, 'has no folder and mIoU');
  }
  if (!task.every((v) => typeof v === 'number')) throw new FormatError(where, 'has no iou of every class');
  return { name: folder, figures: { mIoU, task: (task as number[]).reduce((a, b) => a + b, 0) / task.length } };
}

function newerInside(folder: string, mtimeMs: number): boolean {
  return readdirSync(folder).some((name) => statSync(join(folder, name)).mtimeMs > mtimeMs);
}
