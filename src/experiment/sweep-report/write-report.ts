import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../common/errors.ts';
import { writableFolder } from '../../common/make-folder.ts';
import { writeFileAtomic } from '../run/run-directory.ts';
import { reportJson, type SweepReport } from './document.ts';
import { COLUMN_MM, figureCsv, panelFile, panelSvg } from './draw.ts';
import { sweepReportPage } from './page.ts';
import { gainsCsv, groupsCsv } from './tables.ts';

/** Most plots of one report, each a file of its own. */
const MOST_PLOTS = 2000;

/**
 * Every file of a report by its name.
 *
 * @param figuresOnly the figures alone: SVG and CSV of each
 * @param widthMm of a figure in print
 */
export function reportFiles(
  r: SweepReport,
  program: string,
  figuresOnly: boolean,
  widthMm: number = COLUMN_MM,
): Map<string, string> {
  const files = new Map<string, string>();
  if (!figuresOnly) {
    files.set('report.json', `${JSON.stringify({ ...reportJson(r), program }, null, 1)}\n`);
    files.set('report.html', sweepReportPage(r, program));
    files.set('groups.csv', groupsCsv(r));
    if (r.gains.length > 0) files.set('gains.csv', gainsCsv(r));
  }
  let plots = 0;
  for (const f of r.figures) {
    files.set(`${f.name}.csv`, figureCsv(f));
    f.panels.forEach((panel, i) => {
      if (++plots > MOST_PLOTS)
        throw new UsageError(`more than ${MOST_PLOTS} plots`, 'name some with --figure, or --where');
      files.set(`${panelFile(f, i)}.svg`, panelSvg(f, panel, widthMm));
    });
  }
  return files;
}

/** Writes the files; returns their names. UsageError where the folder cannot be used. */
export async function writeReportFiles(folder: string, files: ReadonlyMap<string, string>): Promise<string[]> {
  const path = await writableFolder(folder);
  for (const [name, text] of files) await writeFileAtomic(join(path, name), text);
  return [...files.keys()];
}

/** Names of files that are not there, or not the same byte for byte. */
export async function differingFiles(folder: string, files: ReadonlyMap<string, string>): Promise<string[]> {
  const differing: string[] = [];
  for (const [name, text] of files) {
    const path = join(folder, name);
    const expected = Buffer.from(text);
    const info = await stat(path).catch(() => null);
    const same = info?.isFile() && info.size === expected.length && (await readFile(path)).equals(expected);
    if (!same) differing.push(name);
  }
  return differing;
}
