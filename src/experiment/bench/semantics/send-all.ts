import { join } from 'node:path';
import { makeFolder } from '../../../common/make-folder.ts';
import { encodePng } from '../../../sct/image/save.ts';
import { writeIfOther } from '../models/models-judge.ts';
import type { BenchPicture } from './data.ts';
import { measured, shownImage, type Wanted } from './measure.ts';
import { mcsText, overLink, type Sending, type Sent } from './over-link.ts';
import type { PartContext } from './part.ts';
import type { Conditions, Trial } from './series.ts';

/** Trial i of a series: one picture under one seed. */
export interface Draw {
  readonly picture: BenchPicture;
  readonly seed: number;
}

/** Seed 1 with the first picture, seed 2 with the second and so on, pictures over again when there are no more. */
export function draws(pictures: readonly BenchPicture[], count: number): Draw[] {
  return Array.from({ length: count }, (_, i) => ({ picture: pictures[i % pictures.length], seed: i + 1 }));
}

export interface SendOptions {
  /** Folder for received pictures, below the context's; they are written when the context has one. */
  readonly pictures?: string | undefined;
  readonly wanted?: (draw: Draw, sent: Sent) => Promise<Wanted> | Wanted;
  /** Told the outcomes so far; true: not worth going on. */
  readonly stop?: (trials: readonly Trial[]) => boolean;
  /** Measures of the bench's own, added to the trial. */
  readonly more?: (draw: Draw, sent: Sent) => Promise<Trial['values']> | Trial['values'];
}

/** Sends the pictures one after another; facts are of the first. */
export async function sendAll(
  context: PartContext,
  list: readonly Draw[],
  sendingOf: (draw: Draw) => Omit<Sending, 'image'>,
  options: SendOptions = {},
): Promise<{ trials: Trial[]; facts: Conditions }> {
  const trials: Trial[] = [];
  let facts: Conditions = {};
  for (const [i, draw] of list.entries()) {
    const { picture, seed } = draw;
    const sent = await overLink({ ...sendingOf(draw), image: picture.image });
    const trial = measured(picture, seed, sent, await options.wanted?.(draw, sent));
    trials.push({ ...trial, values: { ...trial.values, ...(await options.more?.(draw, sent)) } });
    if (i === 0) facts = { MCS: mcsText(sent.plan), map: sent.plan.map };
    if (context.pictures && options.pictures) await keep(context.pictures, options.pictures, draw, sent);
    await context.step(i + 1, list.length);
    if (options.stop?.(trials)) break;
  }
  return { trials, facts };
}

async function keep(root: string, name: string, { picture }: Draw, { decoded }: Sent): Promise<void> {
  const folder = await makeFolder(join(root, name));
  await writeIfOther(join(folder, `${picture.name}.png`), await encodePng(shownImage(decoded, picture.image)));
}
