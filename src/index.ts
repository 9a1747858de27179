/**
 * What the package exports to other programs: the two ends of a link, the interface of a codec, the modem and channel
 * beneath them, the loopback radio, and the networks with what they say of a picture. `examples/` uses nothing else.
 * Anything not named here may change.
 */

// Errors, randomness, units.
export { DeviceError, ExitCode, FormatError, inRange, NoSignalError, SctError, UsageError } from './common/errors.ts';
export { RandomStream } from './common/random.ts';
export { fromDb, toDb } from './common/units.ts';
// Link: from a picture to bursts and back.
export { countedRe, emptyBudget, type SymbolBudget } from './link/accounting.ts';
export {
  type BurstEvent,
  type LinkEvent,
  type MissEvent,
  type ReceivedPicture,
  Receiver,
  type ReceiverOptions,
} from './link/receiver.ts';
export { type FeedbackChannel, LocalFeedback, NoFeedback } from './link/reverse/feedback.ts';
export {
  type AckReport,
  type CsiReport,
  decodeReverseMessage,
  encodeAckMessage,
  encodeCsiMessage,
  type ReverseMessage,
} from './link/reverse/reverse-messages.ts';
export {
  type TransmissionPlan,
  type TransmitBurst,
  Transmitter,
  type TransmitterOptions,
} from './link/transmitter.ts';
// Modem: bursts of one numerology at the modem rate.
export { BurstReceiver, type BurstReceiverOptions, type ReceiverState } from './phy/burst/burst-receiver.ts';
export type { BurstRecord, MissRecord, ReceiverRecord } from './phy/burst/record.ts';
export { type BurstContent, BurstTransmitter, TRANSMIT_RMS, TRANSMIT_RMS_DBFS } from './phy/burst/transmit.ts';
// Channel models.
export {
  buildChannel,
  CHANNELS,
  type ChannelOptions,
  type EndFaults,
  type OffsetLimits,
  randomOffsets,
  type ScenarioChannel,
} from './phy/channel/scenario.ts';
export { noiseVarianceFor, type SnrSetting } from './phy/channel/snr.ts';
export { BurstKind, type Header } from './phy/frame/header.ts';
export { type Frontend, frontendFor, supportedDeviceRatesHz } from './phy/frontend/frontend.ts';
export { describeNumerology, NUMEROLOGIES, type Numerology, numerology } from './phy/numerology.ts';
// Radio.
export type { ChannelFn } from './radio/loopback/loopback-path.ts';
export { type LoopbackOptions, LoopbackRadio } from './radio/loopback/loopback-radio.ts';
export { type OpenRadioOptions, openRadio } from './radio/open-radio.ts';
export type {
  LossRecord,
  Radio,
  RadioCapabilities,
  RxStream,
  SampleBlock,
  SampleFormat,
  StreamRequest,
  TxStream,
} from './radio/radio.ts';
// Pictures, codecs, quality.
export { ClassicalCodec, type ClassicalOptions } from './sct/codec/classical.ts';
export type {
  ByteRange,
  Codec,
  DecodedImage,
  EncodedSource,
  EncodedStream,
  ErrorMask,
  ReceivedSource,
  ReceivedStream,
  SourcePlan,
  StreamGrant,
  StreamKind,
  StreamPlan,
} from './sct/codec/codec.ts';
export { DEMO_CREDIT, loadDemoPhoto } from './sct/image/demo.ts';
export { decodeImage, loadImage } from './sct/image/load.ts';
export { type RgbImage, rgbImage } from './sct/image/rgb-image.ts';
export { encodePng, savePng } from './sct/image/save.ts';
// Networks: what a picture means and what matters in it.
export type { Task } from './sct/importance/importance-map.ts';
export type { Order } from './sct/importance/scores.ts';
export type { Partition } from './sct/partition/partition.ts';
export { Lpips } from './sct/quality/lpips.ts';
export { measureQuality, type QualityInput, type QualityReport } from './sct/quality/report.ts';
export {
  type AnalysedSfv,
  type AnalysisOptions,
  analyseSemantics,
  type SemanticAnalysis,
} from './sct/semantics/analysis.ts';
export { type ClassMap, type FeatureMap, flatPlane, type GridPlane } from './sct/semantics/feature-map.ts';
export type { LabelSpaceChoice } from './sct/semantics/label-map.ts';
export { ModelError, TensorError } from './sct/semantics/model-error.ts';
export { type ModelFileInfo, type ModelSetInfo, readModelSets } from './sct/semantics/model-set.ts';
export type { ModelTables } from './sct/semantics/model-tables.ts';
export {
  type CorrectorInput,
  type GeneratorInput,
  type LabelOutput,
  type LoadModelsOptions,
  loadModels,
  type SemanticModels,
} from './sct/semantics/models.ts';
export { UserCodec } from './sct/semantics/user-codec.ts';
export { verifyModels } from './sct/semantics/verify-models.ts';
export { verifyUserCodec } from './sct/semantics/verify-user-codec.ts';
