import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addExponent, addFbl } from './bounds-blocks.ts';
import {
  addDistortionOptions,
  addPointsOption,
  between,
  distortion,
  type Flags,
  finishCommand,
  given,
  needed,
  numberList,
  oneOf,
  pointsOf,
  refuse,
  seedOf,
  show,
  snrList,
} from './bounds-flags.ts';

type Done = (exitCode: number) => void;

/** The bounds that a channel has a part in: jscc, fbl, exponent, event. */
export function addChannelBounds(group: Command, context: CliContext, done: Done): void {
  addJscc(group, context, done);
  addFbl(group, context, done);
  addExponent(group, context, done);
  addEvent(group, context, done);
}

function addJscc(group: Command, context: CliContext, done: Done): void {
  const command = group
    .command('jscc')
    .summary('smallest distortions over AWGN, Rayleigh, resource blocks and 2x2 MIMO')
    .description(
      'The Gaussian source over a channel: k R(Ds, Dx) = n C. With --chain the Gaussian test source really goes through the modem, beside the theory.',
    )
    .option('--rho <r>', 'correlation of S and X')
    .option('--var-s <v>', 'variance of S (default 1)')
    .option('--var-x <v>', 'variance of X (default 1)')
    .option('--channel <names>', 'awgn (default), rayleigh, rb, rb-equal, mimo2x2, mimo-fixed; commas between them')
    .option('--snr <db,...>', 'SNR of a complex symbol, -30 to 60 dB (default 0,5,10,15,20)')
    .option('--symbols-per-sample <x>', 'complex symbols per real sample, above 0 (default 0.5: bandwidth matched)')
    .option('--rb-snr <db,...>', 'rb, rb-equal: SNR of each resource block, -inf for none; their mean becomes --snr')
    .option('--h <numbers>', 'mimo-fixed: h11, h12, h21, h22 as re,im: 8 numbers')
    .option('--chain <level>', 'symbols: mapping and noise alone; burst: the whole modem over modelled AWGN')
    .option('--bursts <n>', 'bursts of the chain at each SNR, 2 to 1000 (default 8)')
    .option('--slots <n>', 'slots of each, 1 to 16 (default 4)')
    .option('--numerology <n>', 'subbands of the chain: 4, 6, 15, 25 (default), 50')
    .option('--seed <n>', 'of the chain (default 1)');
  addPointsOption(addDistortionOptions(command));
  finishCommand(command, [
    'sct bounds jscc --rho 0.8 --snr 1,10,20 --json',
    'sct bounds jscc --rho 0.8 --channel awgn,rayleigh,mimo2x2 --dx 0.05 -o bounds',
    'sct bounds jscc --rho 0.8 --snr 1,10,20 --chain burst -o bounds',
  ]).action(async (flags: Flags) => {
    const { jsccDocument } = await import('../../experiment/bounds/documents/jscc.ts');
    const { LIMIT_CHANNELS, limitChannel } = await import('../../experiment/bounds/joint-source-channel.ts');
    const names = [...new Set((flags.channel ?? 'awgn').split(',', 16))];
    if (!names.some((name) => name === 'rb' || name === 'rb-equal'))
      refuse(flags, { rbSnr: '--rb-snr' }, 'only with --channel rb or rb-equal');
    if (!names.includes('mimo-fixed')) refuse(flags, { h: '--h' }, 'only with --channel mimo-fixed');
    const rbGainsDb = numberList(flags, 'rbSnr', '--rb-snr', 'dB', '-inf') ?? undefined;
    const h = numberList(flags, 'h', '--h') ?? undefined;
    const channels = names.map((name) => limitChannel(oneOf('--channel', name, LIMIT_CHANNELS), { rbGainsDb, h }));
    const request = {
      rho: needed(flags, 'rho', '--rho'),
      varS: given(flags, 'varS', '--var-s', 1),
      varX: given(flags, 'varX', '--var-x', 1),
      channels,
      snrDb: snrList(flags, [0, 5, 10, 15, 20]),
      symbolsPerSample: given(flags, 'symbolsPerSample', '--symbols-per-sample', 0.5),
      ds: distortion(flags, 'ds'),
      dx: distortion(flags, 'dx'),
      points: await pointsOf(flags),
      chain: await chainOf(flags),
    };
    await show(context, await jsccDocument(request, between(context)), flags, done);
  });
}

async function chainOf(flags: Flags) {
  const own = { bursts: '--bursts', slots: '--slots', numerology: '--numerology', seed: '--seed' };
  if (flags.chain === undefined) {
    refuse(flags, own, 'only with --chain');
    return null;
  }
  const { CHAIN_LEVELS } = await import('../../experiment/bounds/gaussian-chain.ts');
  const { numerology } = await import('../../phy/numerology.ts');
  return {
    level: oneOf('--chain', flags.chain, CHAIN_LEVELS),
    numerology: numerology(given(flags, 'numerology', '--numerology', 25)),
    bursts: given(flags, 'bursts', '--bursts', 8),
    slots: given(flags, 'slots', '--slots', 4),
    seed: seedOf(flags),
  };
}

function addEvent(group: Command, context: CliContext, done: Done): void {
  const command = group
    .command('event')
    .summary('P{ds > Ds or dx > Dx}: Monte Carlo, or counted among measured points')
    .description(
      'The joint error event of the Gaussian test source sent uncoded over AWGN, with exact intervals; or with --points of what was measured.',
    )
    .option('--rho <r>', 'correlation of S and X')
    .option('--var-s <v>', 'variance of S (default 1)')
    .option('--var-x <v>', 'variance of X (default 1)')
    .option('--snr <db,...>', 'SNR of a complex symbol, -30 to 60 dB (default 10)')
    .option('--k <n>', 'real samples of a block (default 100)')
    .option('--blocks <n>', 'blocks at each SNR (default 10000); blocks x k at most 2e8')
    .option('--seed <n>', 'default 1');
  addPointsOption(addDistortionOptions(command));
  finishCommand(command, [
    'sct bounds event --rho 0.8 --ds 0.5 --dx 0.11 --snr 8,10,12 --json',
    'sct bounds event --points runs --dx 0.002',
  ]).action(async (flags: Flags) => {
    const { eventDocument, measuredEventDocument } = await import('../../experiment/bounds/documents/event.ts');
    const [ds, dx] = [distortion(flags, 'ds'), distortion(flags, 'dx')];
    if (flags.points !== undefined) {
      const model = {
        rho: '--rho',
        varS: '--var-s',
        varX: '--var-x',
        snr: '--snr',
        k: '--k',
        blocks: '--blocks',
        seed: '--seed',
      };
      refuse(flags, model, 'not with --points, which are measured');
      await show(context, measuredEventDocument(await pointsOf(flags), ds, dx, flags.points), flags, done);
      return;
    }
    const request = {
      rho: needed(flags, 'rho', '--rho'),
      varS: given(flags, 'varS', '--var-s', 1),
      varX: given(flags, 'varX', '--var-x', 1),
      ds,
      dx,
      snrDb: snrList(flags, [10]),
      k: given(flags, 'k', '--k', 100),
      blocks: given(flags, 'blocks', '--blocks', 10_000),
      seed: seedOf(flags),
    };
    await show(context, await eventDocument(request, between(context)), flags, done);
  });
}
