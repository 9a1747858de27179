import { ExitCode } from '../../common/errors.ts';
import type { ModelFileInfo, ModelSetInfo } from '../../sct/semantics/model-set.ts';
import type { ModelCheck } from '../../sct/semantics/verify-models.ts';
import { type AddCommand, type CliContext, outJson } from '../context.ts';
import { addCommonOptions } from '../options.ts';
import { addModelsPush } from './models-push.ts';

interface ModelsFlags {
  models?: string;
}

const MODELS = ['--models <dir>', 'folder with another models.json (default: the models that ship)'] as const;
const USER_CODEC = 'onnx:';

/** `sct models list|verify`, and what models-push.ts adds. */
export const addModels: AddCommand = (program, context, done) => {
  const group = program
    .command('models')
    .summary('the networks: list, verify, push')
    .description('The networks and tables that the semantic codecs stand on.')
    .helpCommand(false);

  const list = group
    .command('list')
    .summary('what a model folder holds')
    .description(
      'Says what models.json says: sets, files, sizes, hashes, shapes, and with -v measured quality. Reads no network.',
    )
    .option(...MODELS);
  addCommonOptions(list)
    .addHelpText('after', '\nExamples:\n  sct models list\n  sct models list --models my-models --json\n')
    .action(async (flags: ModelsFlags) => {
      const { readModelSets } = await import('../../sct/semantics/model-set.ts');
      const directory = await folderOf(flags);
      const sets = await readModelSets(directory);
      if (context.json) outJson(context, { schema: 'sct.models/1', ok: true, directory, sets });
      else context.out(await listText(sets, context.verbose));
      done(ExitCode.ok);
    });

  const verify = group
    .command('verify')
    .summary('check hashes and shapes, and run every network; exit 8 if something is wrong')
    .description(
      'Checks the hash of every file, operator set, shapes and weights, runs every network on a small picture and looks ' +
        'whether the set does what it is for. Exit 8 if something is wrong. onnx:DIR checks a pair of your own (docs/models.md).',
    )
    .argument('[what]', 'onnx:DIR, an encoder and decoder of your own')
    .option(...MODELS);
  addCommonOptions(verify)
    .addHelpText(
      'after',
      '\nExamples:\n  sct models verify\n  sct models verify --models my-models\n  sct models verify onnx:my-codec\n',
    )
    .action(async (what: string | undefined, flags: ModelsFlags) => {
      done(what === undefined ? await verifyFolder(context, await folderOf(flags)) : await verifyPair(context, what));
    });
  addModelsPush(group, context, done);
};

async function folderOf(flags: ModelsFlags): Promise<string> {
  const { shippedModelsDir } = await import('../../sct/semantics/model-files.ts');
  return flags.models ?? shippedModelsDir();
}

async function verifyFolder(context: CliContext, directory: string): Promise<ExitCode> {
  const { verifyModels } = await import('../../sct/semantics/verify-models.ts');
  const report = await verifyModels(directory);
  if (context.json) outJson(context, report);
  else {
    const rows = report.sets.flatMap(({ name, checks }) =>
      checks.map((check) => checkRow(name, check, context.verbose)),
    );
    await print(context, [...rows.flat(), `${report.passed} passed, ${report.failed} failed`]);
  }
  return report.ok ? ExitCode.ok : ExitCode.checkFailed;
}

/** A line for what failed, with file and hash; for what passed without -v only the checks that are no hashes. */
function checkRow(set: string, { file, sha256, name, ok, found }: ModelCheck, verbose: boolean): string[] {
  if (ok && name === 'hash' && !verbose) return [];
  const hash = sha256 === null || found.includes(sha256) ? '' : ` (sha256 ${ok ? short(sha256) : sha256})`;
  return [`${ok ? 'ok  ' : 'FAIL'} ${set}  ${file}: ${name}: ${found}${hash}`];
}

async function verifyPair(context: CliContext, what: string): Promise<ExitCode> {
  const { UsageError } = await import('../../common/errors.ts');
  if (!what.startsWith(USER_CODEC))
    throw new UsageError(`"${what}" is no onnx:DIR`, 'sct models verify --models DIR checks a model set');
  const { verifyUserCodec } = await import('../../sct/semantics/verify-user-codec.ts');
  const report = await verifyUserCodec(what.slice(USER_CODEC.length));
  if (context.json) outJson(context, report);
  else {
    const probes = report.probes.map(
      (p) =>
        `     ${p.widthPx}x${p.heightPx}: ${p.symbols} symbols (R ${p.symbolsPerPixel.toFixed(4)}, CBR ${p.cbr.toFixed(4)}), ` +
        `mean power ${p.meanPower.toFixed(4)}, PSNR ${p.noiselessPsnrDb.toFixed(2)} dB without noise, ` +
        `${p.psnrDbAt10Db.toFixed(2)} dB at 10 dB`,
    );
    const checks = report.checks.map((c) => `${c.ok ? 'ok  ' : 'FAIL'} ${c.name}: ${c.found}`);
    await print(context, [`${report.info.name}, ${report.bytes} bytes`, ...probes, ...checks]);
  }
  return report.ok ? ExitCode.ok : ExitCode.checkFailed;
}

async function listText(sets: readonly ModelSetInfo[], verbose: boolean): Promise<string> {
  const { printable } = await import('../../experiment/report/terminal.ts');
  const lines: string[] = [];
  for (const set of sets) {
    const total = set.files.reduce((sum, f) => sum + f.bytes, 0);
    lines.push(`${set.name}, version ${set.version}, id ${set.id}: ${set.channels} channels, ${megabytes(total)}`);
    const rows = [['role', 'size', 'sha256', 'opset', 'shapes'], ...set.files.map(fileRow)];
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
    for (const [i, row] of rows.entries()) {
      lines.push(`  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd());
      if (i > 0 && verbose) lines.push(...measured(set.files[i - 1]).map((line) => `      ${line}`));
    }
  }
  return `${lines.map(printable).join('\n')}\n`;
}

function fileRow(file: ModelFileInfo): string[] {
  const shapes = (tensors: ModelFileInfo['inputs']) => tensors.map((t) => `${t.name}[${t.shape.join(',')}]`).join(' ');
  return [
    file.role,
    megabytes(file.bytes),
    short(file.sha256),
    file.opset === null ? '-' : String(file.opset),
    file.opset === null ? '-' : `${shapes(file.inputs)} -> ${shapes(file.outputs)}`,
  ];
}

function measured({ quality }: ModelFileInfo): string[] {
  return Object.entries(quality).map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(' / ') : value}`);
}

const short = (sha256: string) => sha256.slice(0, 12);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;

async function print(context: CliContext, lines: readonly string[]): Promise<void> {
  const { printable } = await import('../../experiment/report/terminal.ts');
  context.out(`${lines.map(printable).join('\n')}\n`);
}
