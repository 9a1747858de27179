import { join } from 'node:path';
import { makeFolder } from '../../common/make-folder.ts';
import { CaptureReader } from '../../radio/sigmf/capture-reader.ts';
import { runCapture } from '../run/run-capture.ts';
import { writeFileAtomic } from '../run/run-directory.ts';
import { collectTables } from './collect.ts';
import { csvText } from './csv.ts';
import { matBytes } from './mat.ts';
import { npzBytes } from './npz.ts';
import { rowsOf } from './table.ts';

export const EXPORT_FORMATS = ['npz', 'csv', 'mat'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportResult {
  readonly schema: 'sct.export/1';
  readonly files: readonly string[];
  /** Rows of each table. */
  readonly rows: Readonly<Record<string, number>>;
}

/**
 * Writes what the receiver measures in a run's received capture: one .npz or .mat file, or a folder of CSV files.
 *
 * @param output file or folder; default export.npz, export.mat or export-csv in the run directory
 */
export async function exportRun(path: string, format: ExportFormat, output?: string): Promise<ExportResult> {
  const { capture, settings, directory } = await runCapture(path);
  const reader = await CaptureReader.open(capture);
  let tables: Awaited<ReturnType<typeof collectTables>>;
  try {
    tables = await collectTables(reader.blocks(), settings);
  } finally {
    await reader.close();
  }
  const files: string[] = [];
  const write = async (file: string, data: string | Uint8Array) => {
    await writeFileAtomic(file, data);
    files.push(file);
  };
  if (format === 'csv') {
    const folder = output ?? join(directory, 'export-csv');
    await makeFolder(folder);
    for (const table of tables) await write(join(folder, `${table.name}.csv`), csvText(table));
  } else {
    const file = output ?? join(directory, `export.${format}`);
    await write(file, format === 'npz' ? npzBytes(tables) : matBytes(tables, 'written by sct-testbed'));
  }
  const rows = Object.fromEntries(tables.map((t) => [t.name, Math.max(...Object.values(t.columns).map(rowsOf))]));
  return { schema: 'sct.export/1', files, rows };
}
