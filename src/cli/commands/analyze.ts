import { ExitCode, UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import { type AddCommand, outJson, runIo } from '../context.ts';
import { addCommonOptions, addOutputOption } from '../options.ts';
import { photoSource } from '../photo.ts';
import { packageVersion } from '../version.ts';

interface AnalyzeFlags {
  demo?: boolean;
  task?: string;
  taskClasses?: string;
  weight?: string;
  order?: string;
  labels?: string;
  maxSfvs?: string;
  models?: string;
  size?: string;
  output?: string;
}

/** `sct analyze PHOTO`: what the networks see in a picture, and what matters in it. */
export const addAnalyze: AddCommand = (program, context, done) => {
  const command = program
    .command('analyze')
    .summary('what the networks see in a photo, and what matters in it')
    .description('Feature map, labels, entropy, saliency, activation, importance and the objects (SFVs) of a photo.')
    .argument('[photo]', 'PNG, JPEG, WebP or AVIF')
    .option('--demo', 'use the demo photo')
    .option('--task <name>', 'who looks at the picture: human (default: saliency) or machine (class activation)')
    .option('--task-classes <names>', 'what matters in a street (default car,pedestrian,bicyclist,sign)')
    .option('--weight <w>', 'of saliency or activation against entropy (default 0.5 human, 0.7 machine)')
    .option('--order <name>', 'what comes first: density (default) or sum of importance')
    .option('--labels <name>', 'auto (default), street (11 classes) or codebook (32 clusters)')
    .option('--max-sfvs <n>', 'most objects (default 32, at most 255)')
    .option('--models <dir>', 'folder with another model set (default: the one that ships)')
    .option('--size <name>', 'model set: base (default) or live');
  addOutputOption(command, 'folder for every map as PNG, analysis.json and analysis.html');
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct analyze --demo -o analysis
  sct analyze street.png --task machine --task-classes car,pedestrian -o analysis
  sct analyze photo.png --order sum --json
`,
  );
  command.action(async (path: string | undefined, flags: AnalyzeFlags) => {
    const { TASKS } = await import('../../sct/importance/importance-map.ts');
    const { ORDERS } = await import('../../sct/importance/scores.ts');
    const { LABEL_SPACES } = await import('../../sct/semantics/label-map.ts');
    const settings = {
      task: oneOf('--task', flags.task, TASKS),
      order: oneOf('--order', flags.order, ORDERS),
      labelSpace: oneOf('--labels', flags.labels, LABEL_SPACES),
      size: oneOf('--size', flags.size, ['base', 'live'] as const),
      weight: flags.weight === undefined ? undefined : within('--weight', flags.weight, 0, 1),
      maxSfvs: flags.maxSfvs === undefined ? undefined : within('--max-sfvs', flags.maxSfvs, 1, 255),
      taskClasses: flags.taskClasses?.split(','),
      modelsDir: flags.models,
    };
    const photo = await photoSource(path, flags.demo === true, undefined);
    if (photo.kind === 'folder') throw new UsageError(`${photo.path} is a folder`, 'name one photo');
    const { runAnalyze } = await import('../../experiment/analyze/analyze-run.ts');
    const record = await runAnalyze({ photo, ...settings }, `sct ${packageVersion()}`, runIo(context, flags.output));
    context.progress.done();
    if (context.json) outJson(context, record);
    else {
      const { analysisText } = await import('../../experiment/analyze/text.ts');
      context.out(analysisText(record, { colour: context.colour, directory: flags.output }));
    }
    done(ExitCode.ok);
  });
};

function oneOf<T extends string>(flag: string, word: string | undefined, allowed: readonly T[]): T | undefined {
  if (word === undefined) return undefined;
  const found = allowed.find((a) => a === word);
  if (found === undefined) throw new UsageError(`${flag} "${word.slice(0, 40)}" is not one of ${allowed.join(', ')}`);
  return found;
}

function within(flag: string, text: string, min: number, max: number): number {
  const value = parseQuantity(flag, text);
  if (!(value >= min && value <= max))
    throw new UsageError(`${flag} ${text} is out of range: allowed ${min} to ${max}`);
  return value;
}
