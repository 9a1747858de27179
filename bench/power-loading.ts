/**
 * Power loading on against off: the demo photo through the whole modem, both with the same channel, offsets and seeds.
 *
 *   node --import tsx bench/power-loading.ts [--seeds 100] [--first-seed 200001] [--trials FILE] [--out FILE]
 *
 * Classical codec, the default non-ideal loopback at 25 subbands, CBR 1/16, HARQ 3. Only channels of low Doppler: where the
 * report is too old (EVA at its default 70 Hz and 20 ms) there is no loading. JSON on stdout or to FILE; --trials keeps
 * each trial in FILE as it ends, and an interrupted run of the same commit goes on from there.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { type LinkInput, resolveLinkConfig } from '../src/experiment/config/link-config.ts';
import { setupLink } from '../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../src/experiment/loopback/exchange.ts';
import { type Estimate, mean, meanInterval, pairedDifference, wilson } from '../src/experiment/metrics/stats.ts';
import { gitFacts, packageRoot } from '../src/experiment/run/host-facts.ts';
import { countedRe } from '../src/link/accounting.ts';
import { ClassicalCodec } from '../src/sct/codec/classical.ts';
import { loadDemoPhoto } from '../src/sct/image/demo.ts';
import { flatImage } from '../src/sct/image/rgb-image.ts';
import { psnrDb } from '../src/sct/quality/psnr.ts';
import { benchWords, refuse } from './words.ts';

const CHANNELS = [
  { channel: 'epa', dopplerHz: 5, csiDelayMs: 20 },
  { channel: 'tdl-c', dopplerHz: 5, csiDelayMs: 20 },
  { channel: 'eva', dopplerHz: 5, csiDelayMs: 20 },
  { channel: 'eva', dopplerHz: 5, csiDelayMs: 2 },
] as const;
const SNRS_DB = [5, 10] as const;
const NUMEROLOGY = 25;

type Setting = (typeof CHANNELS)[number] & { readonly snrDb: number };

/** What became of one picture. */
interface Arm {
  readonly whole: boolean;
  /** Flat grey where the picture did not arrive whole. */
  readonly psnrDb: number;
  readonly payloadBytes: number;
  readonly cbr: number;
  readonly repeatedBlocks: number;
  readonly firstBlocks: number;
  readonly firstFailures: number;
  /** Mean power of the subbands in dB; null where they all had the same. */
  readonly meanPowerDb: number | null;
}

interface Trial {
  readonly commit: string;
  readonly setting: Setting;
  readonly seed: number;
  readonly off: Arm;
  readonly on: Arm;
}

const image = await loadDemoPhoto();
const codec = new ClassicalCodec();

async function arm(input: LinkInput): Promise<Arm> {
  const config = resolveLinkConfig({ ...input, codec: 'classical' });
  const exchange = new LoopbackExchange(config, { ...setupLink(config), codec });
  await exchange.open();
  const plan = await exchange.sendPicture(image);
  await exchange.close();
  const picture = exchange.chain.receiver.received.at(-1);
  const decoded = picture ? await exchange.chain.receiver.picture(picture) : undefined;
  const shown = decoded?.decodable && decoded.image ? decoded.image : flatImage(image.width, image.height);
  const levelsDb = exchange.trace.bursts.find((b) => b.powerDb)?.powerDb;
  return {
    whole: decoded?.complete === true,
    psnrDb: psnrDb(image, shown),
    payloadBytes: plan.payloadBytes,
    cbr: countedRe(exchange.transmitter.budget) / (3 * image.width * image.height),
    repeatedBlocks: exchange.transmitter.retransmittedBlocks,
    firstBlocks: exchange.trace.firstBlocks,
    firstFailures: exchange.trace.firstFailures,
    meanPowerDb: levelsDb ? 10 * Math.log10(mean(Array.from(levelsDb, (v) => 10 ** (v / 10)))) : null,
  };
}

const interval = ({ value, low, high, n }: Estimate) => ({ value, low, high, n });

function summariseArm(arms: readonly Arm[]) {
  const outages = arms.filter((a) => !a.whole).length;
  const blocks = arms.reduce((n, a) => n + a.firstBlocks, 0);
  return {
    outages,
    outageShare: interval(wilson(outages, arms.length)),
    psnrDb: interval(meanInterval(arms.map((a) => a.psnrDb))),
    meanPayloadBytes: mean(arms.map((a) => a.payloadBytes)),
    meanCbr: mean(arms.map((a) => a.cbr)),
    largestCbr: Math.max(...arms.map((a) => a.cbr)),
    meanRepeatedBlocks: mean(arms.map((a) => a.repeatedBlocks)),
    firstBler: blocks > 0 ? arms.reduce((n, a) => n + a.firstFailures, 0) / blocks : null,
  };
}

function summarise(setting: Setting, trials: readonly Trial[]) {
  const both = trials.filter((t) => t.on.whole && t.off.whole);
  const loaded = trials.map((t) => t.on.meanPowerDb).filter((v): v is number => v !== null);
  const difference = (of: readonly Trial[], what: 'psnrDb' | 'payloadBytes') =>
    interval(
      pairedDifference(
        of.map((t) => t.on[what]),
        of.map((t) => t.off[what]),
      ),
    );
  return {
    ...setting,
    trials: trials.length,
    off: summariseArm(trials.map((t) => t.off)),
    on: summariseArm(trials.map((t) => t.on)),
    /** Every pair, an outage as flat grey. */
    psnrGainDb: difference(trials, 'psnrDb'),
    /** Pairs in which both pictures arrived whole. */
    psnrGainBothWholeDb: difference(both, 'psnrDb'),
    payloadGainBytes: difference(trials, 'payloadBytes'),
    outagesOnlyOff: trials.filter((t) => t.on.whole && !t.off.whole).length,
    outagesOnlyOn: trials.filter((t) => t.off.whole && !t.on.whole).length,
    trialsLoaded: loaded.length,
    meanPowerDb: loaded.length > 0 ? mean(loaded) : null,
    meanPowerRangeDb: loaded.length > 0 ? [Math.min(...loaded), Math.max(...loaded)] : null,
  };
}

const { values } = benchWords(import.meta.filename, {
  options: {
    seeds: { type: 'string', default: '100' },
    'first-seed': { type: 'string', default: '200001' },
    trials: { type: 'string' },
    out: { type: 'string' },
  },
});
const [count, firstSeed] = [Number(values.seeds), Number(values['first-seed'])];
if (!(Number.isInteger(count) && count >= 2 && count <= 10_000 && Number.isInteger(firstSeed) && firstSeed >= 0)) {
  refuse(import.meta.filename, '--seeds 2..10000, --first-seed a whole number from 0');
}
const git = await gitFacts(await packageRoot());
const commit = git ? `${git.commit}${git.dirty ? '+' : ''}` : '';
const key = (setting: Setting, seed: number) => JSON.stringify([setting, seed]);
const known = new Map<string, Trial>();
if (values.trials && existsSync(values.trials)) {
  // A run that was cut off may have left half a line behind.
  for (const line of readFileSync(values.trials, 'utf8').split('\n').slice(0, -1)) {
    const trial = JSON.parse(line) as Trial;
    if (trial.commit === commit) known.set(key(trial.setting, trial.seed), trial);
  }
}

const settings = CHANNELS.flatMap((c) => SNRS_DB.map((snrDb): Setting => ({ ...c, snrDb })));
const done = settings.map((): Trial[] => []);
// Seed by seed over all settings, so that a run cut short has as many of each.
for (let seed = firstSeed; seed < firstSeed + count; seed++) {
  for (const [i, setting] of settings.entries()) {
    const before = known.get(key(setting, seed));
    const input = { ...setting, numerology: NUMEROLOGY, seed };
    const trial = before ?? {
      commit,
      setting,
      seed,
      off: await arm(input),
      on: await arm({ ...input, powerLoading: true }),
    };
    done[i].push(trial);
    if (!before && values.trials) appendFileSync(values.trials, `${JSON.stringify(trial)}\n`);
  }
  const gains = done.map((t) => mean(t.map((d) => d.on.psnrDb - d.off.psnrDb)).toFixed(2));
  process.stderr.write(
    `seed ${seed} (${seed - firstSeed + 1} of ${count}): mean gain so far, dB: ${gains.join(' ')}\n`,
  );
}

const result = {
  schema: 'sct.bench.power-loading/1',
  command: `node --import tsx bench/power-loading.ts --seeds ${count} --first-seed ${firstSeed}`,
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
  git,
  conditions: { numerology: NUMEROLOGY, codec: 'classical', cbr: 1 / 16, harq: 3, loopback: 'not ideal (default)' },
  seeds: [firstSeed, firstSeed + count - 1],
  rows: settings.map((setting, i) => summarise(setting, done[i])),
};
const text = `${JSON.stringify(result, null, 2)}\n`;
if (values.out) writeFileSync(values.out, text);
else process.stdout.write(text);
