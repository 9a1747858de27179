import { ExitCode, SctError, UsageError } from '../../common/errors.ts';
import { TurningSender } from '../../link/session/turning-sender.ts';
import type { WayBack } from '../../link/telemetry.ts';
import { type TransmissionPlan, Transmitter } from '../../link/transmitter.ts';
import type { FileRadioOptions } from '../../radio/file/file-radio.ts';
import { openRadio } from '../../radio/open-radio.ts';
import type { TxStream } from '../../radio/radio.ts';
import { tapTurns, tapTx } from '../../radio/recorder.ts';
import { transmitGuard } from '../../radio/safety/process-end.ts';
import { describePermission, radiates } from '../../radio/safety/transmit-permission.ts';
import { parseRadioUri } from '../../radio/uri.ts';
import { encodePng } from '../../sct/image/save.ts';
import { senderCodec } from '../config/link-codecs.ts';
import { budgetOf, setupLink } from '../config/link-setup.ts';
import { knowledgeRecord, SessionKnowledge } from '../loopback/session-knowledge.ts';
import { budgetMetrics } from '../metrics/link-metrics.ts';
import { LinkTrace } from '../metrics/link-trace.ts';
import { emptyMetrics } from '../metrics/metrics.ts';
import { sentSemantics } from '../metrics/semantic-collect.ts';
import { transmitFacts } from '../metrics/transmit-facts.ts';
import { gainForNoise } from '../ota/noise-gain.ts';
import { describePower, powerOf } from '../ota/power-keeper.ts';
import { permissionOf, permittedTx, radioEnd, withGains } from '../ota/radio-end.ts';
import { RehearsedCodec, rehearsedChanges } from '../ota/rehearsal.ts';
import { answeredOptions, hasAnswers, sendLive, sendToFile } from '../ota/sendings.ts';
import { reportHtml } from '../report/html.ts';
import { reportData } from '../report/link-report.ts';
import { beginRun } from '../run/begin-run.ts';
import { canonical } from '../run/canonical-json.ts';
import { endManifest } from '../run/manifest.ts';
import { loadPhoto } from '../run/photo.ts';
import { annotateSent, openCapture, RUN_FILES } from '../run/run-files.ts';
import type { FolderResult, RunIo, RunResult, SendConfig } from '../run/run-io.ts';
import { sentSpeechFigures } from '../speech/speech-figures.ts';
import { writeSpeech } from '../speech/speech-files.ts';
import { openSpeech } from '../speech/speech-sending.ts';
import { sendingBudget } from '../telemetry/budget-ends.ts';
import { watchRun } from '../telemetry/run-facts.ts';
import { sendSession } from './send-session.ts';

/** What it says where there is a way back and nothing ever came. */
const UNHEARD =
  'no report came back, so the picture was sent with the robust map: is sct receive running there with the same -f, --numerology, --feedback and token, and the attenuation not too much?';
/** What `sct send` says of a board without a way back and without --tx-gain. */
const STAYS_LOW = 'no way back: the transmit gain stays as low as it starts; --tx-gain sets it';

/**
 * `sct send`: makes a picture's bursts and sends them to a radio or file. Without a way back a sounding burst, so that
 * a receiver can tell the channel, then the picture with the robust map; with a socket to the receiver by its reports. Every sample sent also lies in tx.sigmf.
 */
export async function runSend(config: SendConfig, io: RunIo): Promise<RunResult | FolderResult> {
  const { photo } = config;
  if (photo?.kind === 'folder') {
    throw new UsageError('send takes one photo, not a folder', 'send the pictures one by one, each to its own file');
  }
  if (config.powerLoading && !hasAnswers(config)) {
    throw new UsageError('--power-loading needs a CSI report, and this send has no way back', 'use sct loopback');
  }
  const started = performance.now();
  const answered = hasAnswers(config);
  const spoken = config.speech ? await openSpeech(config, config.speech, photo) : null;
  const coding = spoken?.coding ?? (await senderCodec(config));
  const uri = parseRadioUri(config.to);
  const board = radiates(uri);
  if (answered && !board) {
    throw new UsageError(
      `--feedback ${config.feedback}: a file has no time in which answers could come`,
      'leave it out',
    );
  }
  const end = board ? radioEnd(config, config.to, 'tx', coding) : null;
  if (end) permissionOf(end, null);
  const power = end && hasAnswers(config) ? powerOf(end, null) : null;
  const endNow = () => end && (power ? withGains(end, power.gainsDb) : end);
  const setup = end?.setup ?? setupLink(config, null, coding);
  if (!spoken && !photo) throw new UsageError('nothing to send', 'name a photo or a WAV file');
  const { image, name } = spoken ?? (await loadPhoto(photo!));
  /** What is shown; none of speech alone. */
  const source = spoken ? spoken.photo : image;
  const { photo: _, ...settings } = config;
  const session = sendSession(config, image, spoken?.speech);
  const begun = await beginRun(
    { name, channel: 'send', directory: io.outputDirectory, seed: config.seed, session, config: settings },
    io,
  );
  const { run } = begun;
  let { manifest } = begun;
  const { numerology, frontend } = setup;
  const watch = watchRun(
    io.telemetry,
    { config, numerology, title: name, channel: uri.kind, modelled: false, loOffsetHz: frontend.loOffsetHz },
    begun,
  );
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
      codec: board ? new RehearsedCodec(setup.codec) : setup.codec,
      session,
      harq: answered ? config.harq : 0,
      answers: answered,
      ...(answered ? answeredOptions(config, setup) : {}),
      modelSet: coding.modelSet,
      assumedSnrDb: config.assumeSnrDb,
      protectionDb: config.protectionDb,
      ...(config.maxSfvs === undefined ? {} : { maxSfvs: config.maxSfvs }),
      ...setup.transmitter,
      seed: config.seed,
    });
    // No way back: what the receiver holds is not known, and the header's 32 bits protect alone.
    const held = coding.knowledge && board ? rehearsedChanges(coding.knowledge) : coding.knowledge;
    const knowledge = held ? new SessionKnowledge(held, session) : null;
    if (board) transmitGuard().watch(io.signal);
    const request = endNow()?.request ?? {
      rateHz: setup.frontend.deviceRateHz,
      ...(config.frequencyHz !== undefined ? { frequencyHz: config.frequencyHz } : {}),
    };
    const permitted = (stream: TxStream) => {
      const now = endNow();
      return now ? permittedTx(now, null, stream) : stream;
    };
    const turns = config.feedback === 'burst' ? tapTurns(capture) : null;
    const opened = turns ? null : permitted(await radio.openTx(request));
    const tx = opened && tapTx(opened, capture, false);
    const back = turns && radioEnd(config, config.to, 'rx', null);
    const listening = back?.ownGain ? gainForNoise(radio, back.request, radio.capabilities.gains, io.signal) : null;
    const turning =
      turns &&
      new TurningSender({
        radio,
        rx: (await listening) ?? back!.request,
        session,
        signal: io.signal,
        numerology: setup.numerology,
        frontend: setup.frontend,
        get tx() {
          return endNow()?.request ?? request;
        },
        tap: (stream) => turns.tap(permitted(stream)),
      });
    let wayBack: (() => WayBack) | null = null;
    watch?.reads(() => ({
      clippedSamples: (tx ?? turns)?.counters.clippedSamples ?? 0,
      underruns: opened?.counters.underruns ?? 0,
      rxGainsDb: null,
      txGainsDb: endNow()?.request.gainsDb ?? null,
      recordedBytes: capture.bytes,
      wayBack: wayBack?.() ?? null,
      ...(end ? { budget: sendingBudget(endNow()!) } : {}),
    }));
    const planned = (plan: TransmissionPlan) => {
      watch?.planned(plan.reportedSnrDb, plan);
      if (!source) return;
      void watch?.sending(
        name,
        source,
        coding.labels ? sentSemantics(numerology, coding.labels, plan.source, plan) : undefined,
      );
    };
    const sent = (endS: number, samples: number) => watch?.sent(endS, samples);
    const budget = spoken?.budgetRe ?? budgetOf(config, image.width * image.height);
    const sending = {
      config,
      setup,
      transmitter,
      knowledge,
      image,
      budget,
      turning,
      power,
      gains: tx,
      io,
      planned,
      sent,
      back: (read: () => WayBack) => {
        wayBack = read;
      },
    };
    const { plan, bursts, feedback } =
      tx && !board ? await sendToFile({ ...sending, tx }) : await sendLive({ ...sending, tx });
    annotateSent(capture, bursts);
    manifest = { ...manifest, ...knowledgeRecord(knowledge?.facts) };
    const now = endNow();
    const permission = now && permissionOf(now, null);
    if (now && permission) {
      const device = {
        uri: config.to,
        ...tx?.settings,
        ...now.request,
        permission: describePermission(permission),
        power: power?.facts() ?? null,
        ...(feedback ? { feedback } : {}),
        ...(radio.boardIdentity ? { board: radio.boardIdentity } : {}),
      };
      manifest = { ...manifest, device: canonical(device) as NonNullable<typeof manifest.device> };
    }
    await tx?.drain();
    await radio.close();
    await capture.close();

    const facts = transmitFacts(plan, transmitter);
    facts.budget.reverse += turning?.reverseRe ?? 0;
    const metrics = emptyMetrics(spoken ? spoken.coding.codec.name : config.codec);
    Object.assign(metrics, budgetMetrics(facts.budget, source ? source.width * source.height : null));
    if (spoken) metrics.speech = sentSpeechFigures(facts, spoken.speech);
    const problem = answered && transmitter.measuredAtS === null ? UNHEARD : null;
    const exitCode = problem ? ExitCode.noSignal : ExitCode.ok;
    metrics.ok = problem === null;
    metrics.mapping = facts.mapping;
    metrics.mappingReason = facts.mappingReason || null;
    metrics.sideInfoBytes = facts.sideInfoBytes;
    metrics.modelSet = facts.modelSet;
    metrics.mode = typeof facts.settings.mode === 'string' ? facts.settings.mode : null;
    metrics.retransmissions = facts.retransmissions;
    metrics.csiAgeMs = facts.csiAgeMs;
    metrics.numerology = config.numerology;
    metrics.clippedSamples = (tx ?? turns)!.counters.clippedSamples;
    metrics.timings = { totalMs: Math.round(performance.now() - started) };
    metrics.files = {
      directory: run.path,
      report: run.file(RUN_FILES.report),
      tx: `${run.file(RUN_FILES.tx)}.sigmf-meta`,
      run: run.file(RUN_FILES.manifest),
    };
    if (source) await run.write(RUN_FILES.source, await encodePng(source));
    await writeSpeech(run, spoken?.speech, undefined);
    await run.write(RUN_FILES.allocation, `${JSON.stringify(facts, null, 2)}\n`);
    await run.writeMetrics(metrics);
    manifest = endManifest(manifest, io.now(), exitCode, problem);
    const report = await reportData({
      title: name,
      config,
      numerology: setup.numerology,
      manifest,
      metrics,
      trace: new LinkTrace(),
      facts,
      source,
      speech: spoken?.speech,
      decoded: undefined,
      waterfall: null,
      semantic: coding.labels ? sentSemantics(setup.numerology, coding.labels, plan.source, plan) : undefined,
      knowledge: knowledge?.facts,
      notes: power ? [describePower(power.facts())] : [],
      warnings: [
        ...(problem ? [problem] : []),
        ...(!power && end && config.txGainDb === undefined ? [STAYS_LOW] : []),
        ...plan.warnings,
        ...(knowledge?.warnings ?? []),
      ],
      purpose: 'sending',
    });
    await run.write(RUN_FILES.report, reportHtml(report));
    await run.writeManifest(manifest);
    watch?.ended(exitCode, problem ?? `sent: ${bursts.length} bursts`, { ...metrics });
    return { metrics, report, directory: run.path, exitCode, ...(problem ? { reason: problem } : {}) };
  } catch (error) {
    await radio.close().catch(() => undefined);
    await capture.close().catch(() => undefined);
    const code = error instanceof SctError ? error.exitCode : ExitCode.internal;
    await run.writeManifest(endManifest(manifest, io.now(), code, (error as Error).message));
    watch?.ended(code, (error as Error).message, null);
    throw error;
  } finally {
    run.close();
  }
}
