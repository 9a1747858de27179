/**
 * CSI reports against the channel as it was when the picture was on the air, with one sounding and with several.
 *
 *   node --import tsx bench/predicted-csi.ts [--seeds 60] [--only LABEL] > FILE
 *
 * The whole modem in simulated time with every offset drawn; 25 subbands unless said. A row is a line of JSON: error of the reported
 * SNR over all subbands (fades below -5 dB count as -5 dB), and how much better than the mean the truth of the six subbands is that the
 * report takes for the best; both with 95 % intervals over seeds. docs/adr/0017-predicted-csi.md has the figures.
 */

import { type LinkInput, resolveLinkConfig } from '../src/experiment/config/link-config.ts';
import { setupLink, simulatedChannel } from '../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../src/experiment/loopback/exchange.ts';
import { mean, meanInterval } from '../src/experiment/metrics/stats.ts';
import { gitFacts, packageRoot } from '../src/experiment/run/host-facts.ts';
import { SLOT_SYMBOLS, SUBBAND_CARRIERS, SUBCARRIER_SPACING_HZ } from '../src/phy/numerology.ts';
import { ClassicalCodec } from '../src/sct/codec/classical.ts';
import { flatImage } from '../src/sct/image/rgb-image.ts';
import { benchWords, refuse } from './words.ts';

const BEST = 6;
const LEAST_DB = -5;
const EVA: LinkInput = { channel: 'eva', snrDb: 5, dopplerHz: 5, csiDelayMs: 20 };
const ROWS: readonly [string, LinkInput][] = [
  ...[1, 2, 3, 4, 6, 8].map((soundings): [string, LinkInput] => [`EVA, ${soundings}`, { ...EVA, soundings }]),
  ...[4, 8].map((soundings): [string, LinkInput] => [
    `EVA, ${soundings} every 10 ms`,
    { ...EVA, soundings, soundingEveryMs: 10 },
  ]),
  ...[1, 4].flatMap((soundings): [string, LinkInput][] => [
    [`EVA, HackRF's phase noise, ${soundings}`, { ...EVA, soundings, phaseNoise: 'hackrf' }],
    [`EVA, report 2 ms old, ${soundings}`, { ...EVA, soundings, csiDelayMs: 2 }],
    [`EVA, report 50 ms old, ${soundings}`, { ...EVA, soundings, csiDelayMs: 50 }],
    [
      `EVA 50 Hz, report 5 ms old, ${soundings} every 5 ms`,
      { ...EVA, soundings, dopplerHz: 50, csiDelayMs: 5, soundingEveryMs: 5 },
    ],
    [`TDL-C, ${soundings}`, { ...EVA, soundings, channel: 'tdl-c' }],
    [`EPA, ${soundings}`, { ...EVA, soundings, channel: 'epa' }],
    [`EVA, 6 subbands, ${soundings}`, { ...EVA, soundings, numerology: 6 }],
  ]),
];

const { values } = benchWords(import.meta.filename, {
  options: { seeds: { type: 'string', default: '60' }, only: { type: 'string' } },
});
const seeds = Number(values.seeds);
if (!Number.isInteger(seeds) || seeds < 2 || seeds > 10_000)
  refuse(import.meta.filename, '--seeds: allowed 2 to 10000');

async function trial(input: LinkInput) {
  const config = resolveLinkConfig({ ...input, codec: 'classical', mapping: 'uniform', harq: 0, symbolsPerPixel: 3 });
  const setup = { ...setupLink(config), codec: new ClassicalCodec({ format: 'webp' }) };
  const { numerology: n, frontend } = setup;
  let endS = 0;
  const exchange: LoopbackExchange = new LoopbackExchange(config, setup, {
    burst: (use) => {
      if (use === 'data') endS = exchange.nowS;
    },
    round: () => true,
  });
  await exchange.open();
  const { bursts, reportedSnrDb } = await exchange.sendPicture(flatImage(64, 64));
  await exchange.close();
  const slotS = (SLOT_SYMBOLS * n.symbolLength) / n.sampleRateHz;
  const middle = Math.round((endS - (bursts[0].slots / 2) * slotS) * frontend.deviceRateHz);
  const { channel } = simulatedChannel(config, setup);
  const h = channel.frequencyResponse(
    middle,
    Float64Array.from(n.carriers, (k) => k * SUBCARRIER_SPACING_HZ),
  );
  // A train of which nothing was heard brings no report.
  if (!reportedSnrDb) return null;
  const snr = 10 ** (config.snrDb! / 10);
  const truth = reportedSnrDb.map((_, s) => {
    let bits = 0;
    for (let c = s * SUBBAND_CARRIERS; c < (s + 1) * SUBBAND_CARRIERS; c++) {
      bits += Math.log2(1 + snr * (h[2 * c] ** 2 + h[2 * c + 1] ** 2)) / SUBBAND_CARRIERS;
    }
    return 2 ** bits - 1;
  });
  const db = truth.map((v) => Math.max(LEAST_DB, 10 * Math.log10(v)));
  const best = [...truth.keys()].sort((a, b) => reportedSnrDb[b] - reportedSnrDb[a]).slice(0, BEST);
  return {
    square: mean(db.map((v, s) => (Math.max(LEAST_DB, reportedSnrDb[s]) - v) ** 2)),
    gainDb: 10 * Math.log10(mean(best.map((s) => truth[s])) / mean(truth)),
  };
}

const commit = (await gitFacts(await packageRoot()))?.commit ?? null;
for (const [label, input] of ROWS) {
  if (values.only !== undefined && !label.includes(values.only)) continue;
  const trials: NonNullable<Awaited<ReturnType<typeof trial>>>[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const one = await trial({ ...input, seed });
    if (one) trials.push(one);
  }
  const square = meanInterval(trials.map((t) => t.square));
  const gain = meanInterval(trials.map((t) => t.gainDb));
  const root = (v: number) => Number(Math.sqrt(Math.max(0, v)).toFixed(2));
  const row = {
    ...{ label, seeds: [1, seeds], trials: trials.length, commit, input },
    rmsErrorDb: [root(square.value), root(square.low), root(square.high)],
    bestSixDb: [gain.value, gain.low, gain.high].map((v) => Number(v.toFixed(2))),
  };
  process.stdout.write(`${JSON.stringify(row)}\n`);
}
