import { DeviceError } from '../../common/errors.ts';
import {
  channelAttr,
  deviceAttr,
  findChannel,
  findDevice,
  type IioChannel,
  type IioContext,
  type IioDevice,
  type ScanFormat,
} from './context.ts';
import type { AttrRef } from './iiod-words.ts';

/** One direction of the transceiver: where its settings stand and what its buffers look like. */
export interface Ad936xPath {
  readonly direction: 'rx' | 'tx';
  readonly frequency: AttrRef;
  readonly frequencyAvailable: AttrRef;
  readonly powerdown: AttrRef;
  readonly bandwidth: AttrRef;
  readonly bandwidthAvailable: AttrRef;
  readonly gain: AttrRef;
  readonly gainAvailable: AttrRef;
  /** Receiver only. */
  readonly gainMode: AttrRef | null;
  /** Rate of the transceiver chip; receiver and transmitter share one clock. */
  readonly chipRate: AttrRef;
  readonly chipRateAvailable: AttrRef;
  /** Rate at the buffer, the chip's or an eighth of it; null where the core has no decimator. */
  readonly coreRate: AttrRef | null;
  readonly coreRateAvailable: AttrRef | null;
  /** The device with the buffer. */
  readonly core: IioDevice;
  /** The channels I and Q in a buffer's mask, 32 a word. */
  readonly mask: readonly number[];
  readonly format: ScanFormat;
  /** Register access of the core, for its overflow and underflow bits; null where it is hidden. */
  readonly registers: AttrRef | null;
}

export interface Ad936xParts {
  readonly rx: Ad936xPath;
  readonly tx: Ad936xPath;
  /**
   * Test tones that the transmitting core makes by itself: it goes back to them whenever a buffer is closed, so their amplitude must be 0.
   * Writing the switches selects the tones at once, even while a buffer is played.
   */
  readonly toneSwitches: readonly AttrRef[];
  readonly toneScales: readonly AttrRef[];
  /** The chip's thermometer, thousandths of a degree Celsius; null where it is hidden. */
  readonly temperature: AttrRef | null;
}

/** Finds the parts of a Pluto in a context; a DeviceError names what is missing. */
export function findParts(context: IioContext): Ad936xParts {
  const chip = findDevice(context, 'ad9361-phy');
  const rxCore = findDevice(context, 'cf-ad9361-lpc');
  const txCore = findDevice(context, 'cf-ad9361-dds-core-lpc');
  const tones = txCore.channels.filter((channel) => channel.output && channel.id.startsWith('altvoltage'));
  return {
    rx: findPath('rx', chip, rxCore, findChannel(chip, 'RX_LO', true)),
    tx: findPath('tx', chip, txCore, findChannel(chip, 'TX_LO', true)),
    toneSwitches: tones.map((tone) => channelAttr(txCore, tone, 'raw')),
    toneScales: tones.map((tone) => channelAttr(txCore, tone, 'scale')),
    temperature: findTemperature(chip),
  };
}

function findTemperature(chip: IioDevice): AttrRef | null {
  const channel = chip.channels.find(({ id, output, attrs }) => id === 'temp0' && !output && attrs.includes('input'));
  return channel ? channelAttr(chip, channel, 'input') : null;
}

function findPath(direction: 'rx' | 'tx', chip: IioDevice, core: IioDevice, lo: IioChannel): Ad936xPath {
  const output = direction === 'tx';
  const port = findChannel(chip, 'voltage0', output);
  const i = findChannel(core, 'voltage0', output);
  const q = findChannel(core, 'voltage1', output);
  const onPort = (name: string) => channelAttr(chip, port, name);
  const hasDecimator = i.attrs.includes('sampling_frequency') && i.attrs.includes('sampling_frequency_available');
  return {
    direction,
    frequency: channelAttr(chip, lo, 'frequency'),
    frequencyAvailable: channelAttr(chip, lo, 'frequency_available'),
    powerdown: channelAttr(chip, lo, 'powerdown'),
    bandwidth: onPort('rf_bandwidth'),
    bandwidthAvailable: onPort('rf_bandwidth_available'),
    gain: onPort('hardwaregain'),
    gainAvailable: onPort('hardwaregain_available'),
    gainMode: output ? null : onPort('gain_control_mode'),
    chipRate: onPort('sampling_frequency'),
    chipRateAvailable: onPort('sampling_frequency_available'),
    coreRate: hasDecimator ? channelAttr(core, i, 'sampling_frequency') : null,
    coreRateAvailable: hasDecimator ? channelAttr(core, i, 'sampling_frequency_available') : null,
    core,
    mask: maskOf(core, i, q),
    format: scanFormat(core, i, q),
    registers: deviceAttr(core, 'debug', 'direct_reg_access'),
  };
}

/** I must come right before Q, and nothing between them: samples are taken as they lie. */
function maskOf(core: IioDevice, i: IioChannel, q: IioChannel): number[] {
  if (!i.scan || !q.scan || q.scan.index !== i.scan.index + 1) {
    throw new DeviceError(`${core.name}: voltage0 and voltage1 do not stand one after the other in a buffer`);
  }
  const mask = new Array<number>(Math.max(1, Math.ceil(core.channels.length / 32))).fill(0);
  for (const { index } of [i.scan, q.scan]) {
    if (index >= 32 * mask.length)
      throw new DeviceError(`${core.name}: scan index ${index} of ${core.channels.length} channels`);
    mask[index >> 5] = (mask[index >> 5] | (1 << (index & 31))) >>> 0;
  }
  return mask;
}

/** The one layout that is a ci16_le sample: two signed integers of 16 bits, little-endian, sign-extended. */
function scanFormat(core: IioDevice, i: IioChannel, q: IioChannel): ScanFormat {
  for (const { format } of [i.scan!, q.scan!]) {
    const plain = format.littleEndian && format.signed && format.extended && format.shift === 0 && format.repeat === 1;
    if (!plain || format.containerBits !== 16 || format.bits !== i.scan!.format.bits) {
      throw new DeviceError(`${core.name}: samples are not signed 16-bit little-endian integers`);
    }
  }
  return i.scan!.format;
}
