import type { Command } from 'commander';
import { UsageError } from '../../common/errors.ts';
import type { CliContext } from '../context.ts';
import {
  addPointsOption,
  type Flags,
  finishCommand,
  given,
  needed,
  oneOf,
  oneSnr,
  pointsOf,
  refuse,
  show,
} from './bounds-flags.ts';

type Done = (exitCode: number) => void;

/** `sct bounds fbl`: blocks of finite length. */
export function addFbl(group: Command, context: CliContext, done: Done): void {
  const command = group
    .command('fbl')
    .summary('blocks of finite length: normal approximation')
    .description('Rate of a block of n symbols at an error probability; with --k, what it does to k Gaussian samples.')
    .option('--channel <name>', 'awgn (default), bsc, bec, rayleigh (quasi-static: outage capacity)')
    .option('--snr <db>', 'awgn, rayleigh: SNR of a complex symbol, -30 to 60 dB')
    .option('-p, --probability <p>', 'bsc: crossover; bec: erasure')
    .option('-n, --count <n>', 'channel uses of a block, 1 to 1e9')
    .option('--eps <p>', 'error probability (default 1e-2)')
    .option('--rate <bits>', 'give the error probability of this rate, too')
    .option('--k <n>', 'real Gaussian samples of unit variance in the block')
    .option('--dx <d>', 'with --k: probability that this distortion is exceeded; above 0, below 1');
  addPointsOption(command);
  finishCommand(command, [
    'sct bounds fbl --snr 1 -n 1024 --eps 1e-2 --json',
    'sct bounds fbl --snr 10 -n 1000 --k 2000 --dx 0.1 -o bounds',
  ]).action(async (flags: Flags) => {
    const { fblDocument } = await import('../../experiment/bounds/documents/fbl.ts');
    const { awgnDispersion, becDispersion, bscDispersion } = await import(
      '../../experiment/bounds/finite-blocklength.ts'
    );
    const name = oneOf('--channel', flags.channel ?? 'awgn', ['awgn', 'bsc', 'bec', 'rayleigh'] as const);
    const withSnr = name === 'awgn' || name === 'rayleigh';
    if (withSnr) refuse(flags, { probability: '--probability' }, `not with the channel ${name}`);
    else refuse(flags, { snr: '--snr' }, `not with the channel ${name}`);
    if (name === 'rayleigh') refuse(flags, { k: '--k', dx: '--dx' }, 'not with rayleigh, which has no dispersion');
    if (flags.k === undefined) refuse(flags, { dx: '--dx' }, 'only with --k');
    const snrDb = withSnr ? oneSnr(flags) : null;
    const snr = snrDb === null ? null : 10 ** (snrDb / 10);
    const p = withSnr ? 0 : needed(flags, 'probability', '--probability');
    const eps = given(flags, 'eps', '--eps', 0.01);
    if (!(eps > 0 && eps < 1)) throw new UsageError(`--eps ${eps} is out of range: allowed above 0 and below 1`);
    const channel =
      name === 'awgn'
        ? awgnDispersion(snr!)
        : name === 'bsc'
          ? bscDispersion(p)
          : name === 'bec'
            ? becDispersion(p)
            : null;
    const request = {
      channelName: snrDb !== null ? `${name} ${snrDb} dB` : `${name} ${p}`,
      channel,
      snr,
      n: needed(flags, 'count', '-n'),
      eps,
      rateBits: given(flags, 'rate', '--rate', null),
      k: given(flags, 'k', '--k', null),
      dx: given(flags, 'dx', '--dx', null),
      points: await pointsOf(flags),
    };
    await show(context, fblDocument(request), flags, done);
  });
}

/** `sct bounds exponent`: how fast errors vanish with the length. */
export function addExponent(group: Command, context: CliContext, done: Done): void {
  const command = group
    .command('exponent')
    .summary('random-coding error exponent')
    .description('How fast the error probability of good codes falls with their length: at most 2^(-n E).')
    .option('--channel <name>', 'awgn (default), awgn-gaussian (no power limit on each code word), rayleigh, bsc, bec')
    .option('--snr <db>', 'awgn, awgn-gaussian, rayleigh: SNR of a complex symbol, -30 to 60 dB')
    .option('-p, --probability <p>', 'bsc: crossover; bec: erasure')
    .option('--rate <bits>', 'bits per channel use, from 0')
    .option('-n, --count <n>', 'block length, 1 to 1e9: bound on the error probability');
  addPointsOption(command);
  finishCommand(command, [
    'sct bounds exponent --snr 10 --rate 3 -n 500 --json',
    'sct bounds exponent --channel bsc -p 0.1 --rate 0.3 -o bounds',
  ]).action(async (flags: Flags) => {
    const { exponentDocument } = await import('../../experiment/bounds/documents/exponent.ts');
    const { requireWhole } = await import('../../experiment/bounds/limits.ts');
    const count = given(flags, 'count', '-n', null);
    const n = count === null ? null : requireWhole('-n', count, 1, 1e9);
    const points = await pointsOf(flags);
    const request = { ...(await exponentChannel(flags)), rateBits: needed(flags, 'rate', '--rate'), n, points };
    await show(context, exponentDocument(request), flags, done);
  });
}

async function exponentChannel(flags: Flags) {
  const { awgnExponent, e0AwgnGaussian, e0Discrete, e0Rayleigh, randomCodingExponent } = await import(
    '../../experiment/bounds/error-exponent.ts'
  );
  const { inRange } = await import('../../common/errors.ts');
  const channels = ['awgn', 'awgn-gaussian', 'rayleigh', 'bsc', 'bec'] as const;
  const name = oneOf('--channel', flags.channel ?? 'awgn', channels);
  if (name === 'bsc' || name === 'bec') {
    refuse(flags, { snr: '--snr' }, `not with the channel ${name}`);
    const p = inRange('--probability', needed(flags, 'probability', '--probability'), 0, 1);
    const rows =
      name === 'bsc'
        ? [
            [1 - p, p],
            [p, 1 - p],
          ]
        : [
            [1 - p, p, 0],
            [0, p, 1 - p],
          ];
    const e0 = e0Discrete(rows);
    return {
      channelName: `${name} ${p}`,
      method: 'max over rho of E_0(rho) - rho R, uniform input (the best for this channel)',
      closedForm: false,
      bestInput: true,
      exponent: (rate: number) => randomCodingExponent(e0, rate),
    };
  }
  refuse(flags, { probability: '--probability' }, `not with the channel ${name}`);
  const snrDb = oneSnr(flags);
  const snr = 10 ** (snrDb / 10);
  const channelName = `${name} ${snrDb} dB`;
  if (name === 'awgn') {
    const method = 'code words of equal power, closed form';
    return {
      channelName,
      method,
      closedForm: true,
      bestInput: true,
      exponent: (rate: number) => awgnExponent(snr, rate),
    };
  }
  const e0 = name === 'rayleigh' ? e0Rayleigh(snr) : e0AwgnGaussian(snr);
  const method =
    name === 'rayleigh'
      ? 'max over rho of E_0(rho) - rho R, Gaussian input, fading new at every symbol and known to the receiver, integrated numerically'
      : 'max over rho of E_0(rho) - rho R, E_0 = rho ln(1 + SNR/(1 + rho)), Gaussian input';
  return {
    channelName,
    method,
    closedForm: false,
    bestInput: false,
    exponent: (rate: number) => randomCodingExponent(e0, rate),
  };
}
