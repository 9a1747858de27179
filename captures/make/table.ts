import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Recipe, Shown } from './recipes.ts';

const BEGIN = '<!-- made by captures/make/main.ts: begin -->';
const END = '<!-- end -->';

interface Facts extends Shown {
  readonly samples: number;
}

/** The rows of the README for these recordings, from what is stored beside them. */
export async function table(recipes: readonly Recipe[], folder: string): Promise<string> {
  const rows = await Promise.all(
    recipes.map(async ({ name, keep }) => {
      const metrics = JSON.parse(await readFile(join(folder, name, 'metrics.json'), 'utf8')) as Facts;
      const meta = JSON.parse(await readFile(join(folder, name, `${name}.sigmf-meta`), 'utf8')) as {
        global: Record<string, unknown>;
      };
      const rateHz = Number(meta.global['core:sample_rate']);
      const format = `${meta.global['core:datatype']}, ${rateHz / 1e6} Msps, ${((1e3 * metrics.samples) / rateHz).toFixed(1)} ms`;
      return `| \`${name}\` | ${keep.title} | ${format} | ${says(metrics)} |`;
    }),
  );
  return [
    '| recording | what is in it | samples | what `sct replay` says |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** The figures that tell the recordings apart. */
function says({ psnrDb, rbSnrDb, cfoHz, lostSamples, sfvs }: Facts): string {
  const snr = (rbSnrDb ?? []).flatMap((v) => v ?? []);
  const states = ['received', 'repaired', 'synthesised', 'lost'].flatMap((state) => {
    const many = sfvs.filter((s) => s.state === state).length;
    return many > 0 ? `${many} ${state}` : [];
  });
  return [
    psnrDb === null ? 'no picture' : `${psnrDb.toFixed(1)} dB PSNR`,
    ...(states.length > 0 ? [`SFVs: ${states.join(', ')}`] : []),
    ...(snr.length > 0 ? [`RB SNR ${Math.min(...snr).toFixed(1)} to ${Math.max(...snr).toFixed(1)} dB`] : []),
    ...(cfoHz === null ? [] : [`CFO ${cfoHz.toFixed(0).replace('-0', '0')} Hz`]),
    `${lostSamples} samples lost`,
  ].join('; ');
}

/** `text` with the table between its marks. Errors: the marks are not there. */
export function withTable(text: string, made: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`no table marked "${BEGIN}" ... "${END}"`);
  return `${text.slice(0, from + BEGIN.length)}\n${made}\n${text.slice(to)}`;
}
