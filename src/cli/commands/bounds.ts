import type { Command } from 'commander';
import { UsageError } from '../../common/errors.ts';
import type { AddCommand, CliContext } from '../context.ts';
import { addChannelBounds } from './bounds-channels.ts';
import {
  addDistortionOptions,
  addPointsOption,
  distortion,
  type Flags,
  finishCommand,
  given,
  needed,
  numberList,
  pointsOf,
  refuse,
  show,
} from './bounds-flags.ts';

/** `sct bounds`: what information theory allows, as numbers and curves beside what was measured. */
export const addBounds: AddCommand = (program, context, done) => {
  const group = program
    .command('bounds')
    .summary('what information theory allows, beside what was measured')
    .description(
      'Rates of sources with a semantic and a pixel distortion, limits of channels, finite blocks, error exponents, and the joint error event. docs/bounds.md has the equations.',
    )
    .helpCommand(false)
    .allowExcessArguments()
    .action((_flags: Flags, { args: [word] }: Command) => {
      const known = `sct bounds knows ${group.commands.map((c) => c.name()).join(', ')}`;
      if (word === undefined) throw new UsageError('no bound named', known);
      throw new UsageError(`unknown command 'bounds ${word}'`, known);
    });
  addGaussian(group, context, done);
  addVector(group, context, done);
  addWynerZiv(group, context, done);
  addFinite(group, context, done);
  addChannelBounds(group, context, done);
};

type Done = (exitCode: number) => void;

function addGaussian(group: Command, context: CliContext, done: Done): void {
  const command = group
    .command('gaussian')
    .summary('R(Ds, Dx) of a scalar Gaussian source, in closed form')
    .description('Rate of a source S seen through X, jointly Gaussian, squared error on both.')
    .option('--rho <r>', 'correlation of S and X, -1 to 1')
    .option('--var-s <v>', 'variance of S (default 1)')
    .option('--var-x <v>', 'variance of X (default 1)');
  addPointsOption(addDistortionOptions(command));
  finishCommand(command, [
    'sct bounds gaussian --rho 0.8 --ds 0.4 --dx 0.05 --json',
    'sct bounds gaussian --rho 0.8 --dx 0.05 -o bounds',
  ]).action(async (flags: Flags) => {
    const { gaussianDocument } = await import('../../experiment/bounds/documents/gaussian.ts');
    const request = {
      rho: needed(flags, 'rho', '--rho'),
      varS: given(flags, 'varS', '--var-s', 1),
      varX: given(flags, 'varX', '--var-x', 1),
      ds: distortion(flags, 'ds'),
      dx: distortion(flags, 'dx'),
      points: await pointsOf(flags),
    };
    await show(context, gaussianDocument(request), flags, done);
  });
}

function addVector(group: Command, context: CliContext, done: Done): void {
  const command = group
    .command('vector')
    .summary('R(Ds, Dx) of a Gaussian vector by two-multiplier water-filling')
    .description(
      'Components: variances of X and weights w (eigenvalues of H\'H) in the same order; or matrices in a JSON file: {"sx": ..., "h": ..., "noise": ...} with S = H X + N, or {"covariance": ..., "s": n, "x": n}.',
    )
    .option('--lambda <list>', 'variances of the components of X, at most 4096')
    .option('--w <list>', 'weight of each component in the semantic distortion')
    .option('--mmse <d>', 'semantic distortion that is left when X is known (default 0)')
    .option('--file <json>', 'matrices of at most 32 rows');
  addPointsOption(addDistortionOptions(command));
  finishCommand(command, [
    'sct bounds vector --lambda 4,2,1,.5,.25 --w 0,0,1,1,0 --ds 0.2 --dx 2 --json',
    'sct bounds vector --file source.json --ds 1.5 --dx 0.4 -o bounds',
  ]).action(async (flags: Flags) => {
    const { vectorDocument } = await import('../../experiment/bounds/documents/vector.ts');
    const source = await vectorSource(flags);
    const points = await pointsOf(flags);
    const request = { source, ds: distortion(flags, 'ds'), dx: distortion(flags, 'dx'), points };
    await show(context, vectorDocument(request), flags, done);
  });
}

async function vectorSource(flags: Flags) {
  if (flags.file !== undefined) {
    refuse(flags, { lambda: '--lambda', w: '--w', mmse: '--mmse' }, 'not with --file, which has the whole source');
    const { readVectorSource } = await import('../../experiment/bounds/source-file.ts');
    return readVectorSource(flags.file);
  }
  const { componentSource } = await import('../../experiment/bounds/gaussian-vector.ts');
  const lambda = numberList(flags, 'lambda', '--lambda');
  if (lambda === null) throw new UsageError('--lambda LIST is missing', 'or give --file with matrices');
  const w = numberList(flags, 'w', '--w') ?? lambda.map(() => 0);
  return componentSource(lambda, w, given(flags, 'mmse', '--mmse', 0));
}

function addWynerZiv(group: Command, context: CliContext, done: Done): void {
  const command = group
    .command('wyner-ziv')
    .summary('the same with side information V, at both ends or at the decoder alone')
    .description(
      'Scalars of unit variance by their correlations, or {"covariance": ..., "s": n, "x": n, "v": n} in a JSON file, S before X before V.',
    )
    .option('--rho <r>', 'correlation of S and X')
    .option('--rho-xv <r>', 'correlation of X and V')
    .option('--rho-sv <r>', 'correlation of S and V (default rho x rho-xv: V says nothing of S but through X)')
    .option('--file <json>', 'covariance of S, X and V, each of at most 32 components');
  addPointsOption(addDistortionOptions(command));
  finishCommand(command, ['sct bounds wyner-ziv --rho 0.8 --rho-xv 0.9 --ds 0.4 --dx 0.05 --json']).action(
    async (flags: Flags) => {
      const { wynerZivDocument } = await import('../../experiment/bounds/documents/wyner-ziv.ts');
      const joint = await jointSource(flags);
      const points = await pointsOf(flags);
      const request = { joint, ds: distortion(flags, 'ds'), dx: distortion(flags, 'dx'), points };
      await show(context, wynerZivDocument(request), flags, done);
    },
  );
}

async function jointSource(flags: Flags) {
  if (flags.file !== undefined) {
    refuse(flags, { rho: '--rho', rhoXv: '--rho-xv', rhoSv: '--rho-sv' }, 'not with --file, which has the covariance');
    const { readJointGaussian } = await import('../../experiment/bounds/source-file.ts');
    return readJointGaussian(flags.file);
  }
  const { inRange } = await import('../../common/errors.ts');
  const { jointGaussian } = await import('../../experiment/bounds/side-information.ts');
  const { matrix } = await import('../../experiment/bounds/symmetric.ts');
  const sx = inRange('--rho', needed(flags, 'rho', '--rho'), -1, 1);
  const xv = inRange('--rho-xv', needed(flags, 'rhoXv', '--rho-xv'), -1, 1);
  const sv = inRange('--rho-sv', given(flags, 'rhoSv', '--rho-sv', sx * xv), -1, 1);
  // A covariance has no negative eigenvalue: its determinant 1 + 2 sx xv sv - sx^2 - xv^2 - sv^2 is none.
  const off = Math.sqrt((1 - sx * sx) * (1 - xv * xv));
  if (Math.abs(sv - sx * xv) > off + 1e-9) {
    const [least, most] = [-1, 1].map((sign) => Number((sx * xv + sign * off).toPrecision(6)));
    throw new UsageError(
      `--rho-sv ${sv} is out of range: allowed ${least} to ${most} with --rho ${sx} and --rho-xv ${xv}`,
    );
  }
  const rows = [1, sx, sv, sx, 1, xv, sv, xv, 1];
  return jointGaussian(
    matrix(3, 3, (r, c) => rows[3 * r + c]),
    1,
    1,
    1,
  );
}

function addFinite(group: Command, context: CliContext, done: Done): void {
  const command = group
    .command('finite')
    .summary('R(Ds, Dx) of a small finite source by Blahut-Arimoto')
    .description(
      'A symmetric source (S uniform, X wrong with probability epsilon, Hamming distortions), or tables in a JSON file: {"px": [x], "sGivenX": [x][s], "ds": [s][shat], "dx": [x][xhat]}; a distortion may be "inf". Side information V: --v-epsilon, or "vGivenX": [x][v] and, where V says something of S that X does not, "sGivenXV": [x][v][s].',
    )
    .option('--letters <n>', 'letters of the symmetric source, 2 to 16 (default 2)')
    .option('--epsilon <p>', 'probability that X is another letter than S')
    .option('--v-epsilon <p>', 'side information V: the probability that it is another letter than X (default: no V)')
    .option('--file <json>', 'tables of at most 16 letters each');
  addPointsOption(
    command
      .option('--ds <d>', 'largest semantic distortion, from 0, or inf for no limit (default inf)')
      .option('--dx <d>', 'largest pixel distortion, from 0, or inf for no limit (default inf)'),
  );
  finishCommand(command, [
    'sct bounds finite --epsilon 0.1 --ds 0.2 --dx 0.05 --json',
    'sct bounds finite --letters 4 --epsilon 0.1 --ds 0.3 --dx 0.25 -o bounds',
    'sct bounds finite --epsilon 0 --v-epsilon 0.25 --dx 0.1',
  ]).action(async (flags: Flags) => {
    const { finiteDocument } = await import('../../experiment/bounds/documents/finite.ts');
    const { source, name } = await finiteSourceOfFlags(flags);
    const points = await pointsOf(flags);
    const request = { source, name, ds: distortion(flags, 'ds'), dx: distortion(flags, 'dx'), points };
    await show(context, finiteDocument(request), flags, done);
  });
}

async function finiteSourceOfFlags(flags: Flags) {
  const { finiteSourceOf, symmetricSource } = await import('../../experiment/bounds/finite-source.ts');
  if (flags.file !== undefined) {
    const own = { letters: '--letters', epsilon: '--epsilon', vEpsilon: '--v-epsilon' };
    refuse(flags, own, 'not with --file, which has the tables');
    const { readJsonFile } = await import('../../common/json-input.ts');
    const { MAX_FILE_BYTES } = await import('../../experiment/bounds/source-file.ts');
    return { source: finiteSourceOf(await readJsonFile(flags.file, MAX_FILE_BYTES)), name: 'a source of tables' };
  }
  const letters = given(flags, 'letters', '--letters', 2);
  const epsilon = needed(flags, 'epsilon', '--epsilon');
  const vEpsilon = given(flags, 'vEpsilon', '--v-epsilon', null);
  const name = `${letters} letters, wrong with probability ${epsilon}`;
  return {
    source: symmetricSource(letters, epsilon, vEpsilon),
    name: vEpsilon === null ? name : `${name}, V with probability ${vEpsilon}`,
  };
}
