import { ExitCode, SctError, UsageError } from '../common/errors.ts';
import { TxChain } from '../link/chains.ts';
import { Transmitter } from '../link/transmitter.ts';
import type { FileRadioOptions } from '../radio/file/file-radio.ts';
import { openRadio } from '../radio/open-radio.ts';
import { tapTx } from '../radio/recorder.ts';
import { parseRadioUri } from '../radio/uri.ts';
import { encodePng } from '../sct/image/save.ts';
import { beginRun } from './begin-run.ts';
import { senderCodec } from './link-codecs.ts';
import { budgetMetrics } from './link-metrics.ts';
import { reportData } from './link-report.ts';
import { budgetOf, setupLink } from './link-setup.ts';
import { LinkTrace } from './link-trace.ts';
import { endManifest } from './manifest.ts';
import { emptyMetrics } from './metrics.ts';
import { loadPhoto } from './photo.ts';
import { reportHtml } from './report/html.ts';
import { openCapture, RUN_FILES } from './run-files.ts';
import type { FolderResult, RunIo, RunResult, SendConfig } from './run-io.ts';
import { sentSemantics } from './semantic-collect.ts';
import { sendSession } from './send-session.ts';
import { knowledgeRecord, SessionKnowledge } from './session-knowledge.ts';
import { transmitFacts } from './transmit-facts.ts';

/** Silence before, between and after the bursts, s: a receiver can see its noise floor. */
const LEAD_S = 2e-3;
const GAP_S = 0.5e-3;
const TAIL_S = 5e-3;

/**
 * `sct send`: makes a picture's bursts and sends them to a radio or file, without a way back: a sounding burst so that
 * a receiver can tell the channel, then the picture with the robust map. Every sample sent also lies in tx.sigmf.
 */
export async function runSend(config: SendConfig, io: RunIo): Promise<RunResult | FolderResult> {
  if (config.photo.kind === 'folder') {
    throw new UsageError('send takes one photo, not a folder', 'send the pictures one by one, each to its own file');
  }
  if (config.powerLoading) {
    throw new UsageError('--power-loading needs a CSI report, and send has no way back', 'use sct loopback');
  }
  const started = performance.now();
  const coding = await senderCodec(config);
  const setup = setupLink(config, null, coding);
  const { image, name } = await loadPhoto(config.photo);
  const uri = parseRadioUri(config.to);
  const { photo: _, ...settings } = config;
  const session = sendSession(config, image);
  const begun = await beginRun(
    { name, channel: 'send', directory: io.outputDirectory, seed: config.seed, session, config: settings },
    io,
  );
  const { run } = begun;
  let { manifest } = begun;
  const file: FileRadioOptions = {
    format: setup.format,
    fullScale: setup.fullScale,
    capture: {
      hardware: `sct send, ${config.profile} profile`,
      fields: {
        'sct:numerology': setup.numerology.nSubbands,
        'sct:lo_offset_hz': setup.frontend.loOffsetHz,
        'sct:modem_rate_hz': setup.frontend.modemRateHz,
      },
    },
  };
  const radio = await openRadio(uri, { file });
  const capture = await openCapture(run, 'tx', setup, {
    hardware: `sct send to ${config.to}`,
    description: `transmitted: ${name}`,
    simulated: uri.kind === 'file',
    ...(config.frequencyHz !== undefined ? { frequencyHz: config.frequencyHz } : {}),
  });
  try {
    const transmitter = new Transmitter({
      numerology: setup.numerology,
      codec: setup.codec,
      session,
      harq: 0,
      modelSet: coding.modelSet,
      assumedSnrDb: config.assumeSnrDb,
      protectionDb: config.protectionDb,
      ...(config.maxSfvs === undefined ? {} : { maxSfvs: config.maxSfvs }),
      seed: config.seed,
    });
    // No way back: what the receiver holds is not known, and the header's 32 bits protect alone.
    const knowledge = coding.knowledge ? new SessionKnowledge(coding.knowledge, session) : null;
    const request = {
      rateHz: setup.frontend.deviceRateHz,
      ...(config.frequencyHz !== undefined ? { frequencyHz: config.frequencyHz } : {}),
    };
    const tx = tapTx(await radio.openTx(request), capture);
    const chain = new TxChain(setup.frontend, tx);
    const rate = setup.frontend.deviceRateHz;
    const budget = budgetOf(config, image.width * image.height);
    const plan = await transmitter.send(image, budget, 0, knowledge?.agree());
    knowledge?.sent(plan.settings);
    manifest = { ...manifest, ...knowledgeRecord(knowledge?.facts) };
    const bursts = [transmitter.sounding(), ...plan.bursts];
    let at = Math.ceil(LEAD_S * rate);
    for (const [i, burst] of bursts.entries()) {
      if (io.signal.aborted) throw new SctError('interrupted: the transmitter is off', ExitCode.interrupted);
      io.progress.update(`send  burst ${i + 1}/${bursts.length}`);
      const placed = await chain.send(burst.samples, at);
      at = placed.index + placed.samples + Math.ceil(GAP_S * rate);
    }
    await tx.write(new Float32Array(2 * Math.ceil(TAIL_S * rate)), at);
    await tx.drain();
    await radio.close();
    await capture.close();

    const facts = transmitFacts(plan, transmitter);
    const metrics = emptyMetrics(config.codec);
    Object.assign(metrics, budgetMetrics(facts.budget, image.width * image.height));
    metrics.ok = true;
    metrics.mapping = facts.mapping;
    metrics.mappingReason = facts.mappingReason || null;
    metrics.sideInfoBytes = facts.sideInfoBytes;
    metrics.modelSet = facts.modelSet;
    metrics.mode = typeof facts.settings.mode === 'string' ? facts.settings.mode : null;
    metrics.retransmissions = 0;
    metrics.numerology = config.numerology;
    metrics.clippedSamples = tx.counters.clippedSamples;
    metrics.timings = { totalMs: Math.round(performance.now() - started) };
    metrics.files = {
      directory: run.path,
      report: run.file(RUN_FILES.report),
      tx: `${run.file(RUN_FILES.tx)}.sigmf-meta`,
      run: run.file(RUN_FILES.manifest),
    };
    await run.write(RUN_FILES.source, await encodePng(image));
    await run.write(RUN_FILES.allocation, `${JSON.stringify(facts, null, 2)}\n`);
    await run.writeMetrics(metrics);
    manifest = endManifest(manifest, io.now(), ExitCode.ok);
    const report = await reportData({
      title: name,
      config,
      numerology: setup.numerology,
      manifest,
      metrics,
      trace: new LinkTrace(),
      facts,
      source: image,
      decoded: undefined,
      waterfall: null,
      semantic: coding.labels ? sentSemantics(setup.numerology, coding.labels, plan.source, plan) : undefined,
      knowledge: knowledge?.facts,
      warnings: [...plan.warnings, ...(knowledge?.warnings ?? [])],
      purpose: 'sending',
    });
    await run.write(RUN_FILES.report, reportHtml(report));
    await run.writeManifest(manifest);
    return { metrics, report, directory: run.path, exitCode: ExitCode.ok };
  } catch (error) {
    await radio.close().catch(() => undefined);
    await capture.close().catch(() => undefined);
    const code = error instanceof SctError ? error.exitCode : ExitCode.internal;
    await run.writeManifest(endManifest(manifest, io.now(), code, (error as Error).message));
    throw error;
  } finally {
    run.close();
  }
}
