/**
 * What the package exports to other programs: the two ends of a link, the interface of a codec, the modem and channel
 * beneath them, and the loopback radio. `examples/loopback.ts` uses nothing else. Anything not named here may change.
 */

// Errors, randomness, units.
export { DeviceError, ExitCode, FormatError, inRange, NoSignalError, SctError, UsageError } from './common/errors.ts';
export { RandomStream } from './common/random.ts';
export { fromDb, toDb } from './common/units.ts';
// Link: from a picture to bursts and back.
export { countedRe, emptyBudget, type SymbolBudget } from './link/accounting.ts';
export {
  type AckReport,
  type CsiReport,
  decodeReverseMessage,
  encodeAckMessage,
  encodeCsiMessage,
  type ReverseMessage,
} from './link/csi-report.ts';
export { type FeedbackChannel, LocalFeedback, NoFeedback } from './link/feedback.ts';
export {
  type BurstEvent,
  type LinkEvent,
  type MissEvent,
  type ReceivedPicture,
  Receiver,
  type ReceiverOptions,
} from './link/receiver.ts';
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
export { measureQuality, type QualityInput, type QualityReport } from './sct/quality/report.ts';
