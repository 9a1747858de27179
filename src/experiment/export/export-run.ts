import { join } from 'node:path';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { CaptureReader } from '../../radio/sigmf/capture-reader.ts';
import { resolveLinkConfig } from '../link-config.ts';
import { makeFolder } from '../make-folder.ts';
import { captureHints, type ReceiveSettings } from '../receive-stream.ts';
import { readRun, writeFileAtomic } from '../run-directory.ts';
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

/** The received capture of a run and how to receive it. */
export async function runCapture(
  path: string,
): Promise<{ capture: string; settings: ReceiveSettings; directory: string }> {
  const run = await readRun(path);
  const capture = join(run.directory, 'rx');
  const hints = await captureHints(capture).catch((error) => {
    if (error instanceof DeviceError) throw new UsageError(`${run.directory} has no received capture (rx.sigmf-meta)`);
    throw error;
  });
  const { numerology, estimator } = run.manifest.config;
  // Only what the receiver needs: a run of another version may hold settings that this one does not know.
  const config = resolveLinkConfig({
    ...(typeof numerology === 'number' ? { numerology } : {}),
    ...(typeof estimator === 'string' ? { estimator } : {}),
  });
  const settings = {
    numerology: hints.numerology ?? config.numerology,
    rateHz: hints.rateHz,
    loOffsetHz: hints.loOffsetHz,
    estimator: config.estimator,
  };
  return { capture, settings, directory: run.directory };
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
