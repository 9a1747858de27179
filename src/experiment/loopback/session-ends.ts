import { RxChain } from '../../link/chains.ts';
import { Receiver, type ReceiverOptions } from '../../link/receiver.ts';
import { Transmitter, type TransmitterOptions } from '../../link/transmitter.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { type LinkSetup, predictionOf } from '../config/link-setup.ts';

/** The sending end of a session as a configuration describes it; `more` overrides, and the setup's own settings for trials above all. */
export function sendingEnd(config: LinkConfig, setup: LinkSetup, more: Partial<TransmitterOptions> = {}): Transmitter {
  const { numerology, codec, dopplerHz, maxCsiAgeS } = setup;
  return new Transmitter({
    numerology,
    codec,
    mapping: config.mapping,
    mappingForced: config.mappingForced,
    maxCsiAgeS,
    harq: config.harq,
    harqBy: config.harqBy,
    repeatBudget: config.repeatBudget,
    protectionDb: config.protectionDb,
    ...(config.maxSfvs === undefined ? {} : { maxSfvs: config.maxSfvs }),
    answers: config.feedback !== 'none',
    dopplerHz,
    assumedSnrDb: config.assumeSnrDb,
    powerLoading: config.powerLoading,
    modelSet: setup.modelSet ?? 0,
    seed: config.seed,
    ...more,
    ...setup.transmitter,
  });
}

/** The receiving end; `more` overrides. */
export function receivingEnd(config: LinkConfig, setup: LinkSetup, more: Partial<ReceiverOptions> = {}): RxChain {
  const { numerology, frontend, codec } = setup;
  const { estimator, harqBy } = config;
  return new RxChain(
    frontend,
    new Receiver({
      numerology,
      codecs: setup.receiver ?? [codec],
      estimator,
      prediction: predictionOf(config),
      asking: { by: harqBy, ...setup.asking },
      ...more,
    }),
  );
}
