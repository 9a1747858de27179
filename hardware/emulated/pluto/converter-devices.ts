import { type Attribute, constant, formatMicro, integer, parseInteger, parseMicro, shown } from './attribute.ts';
import { type Dds, TONES } from './dds.ts';
import type { Channel, Device } from './iio-context.ts';
import { IioError } from './iio-error.ts';
import { DMA_STATUS, RegisterFile, type StatusRegister } from './registers.ts';
import { DECIMATIONS, type Transceiver } from './transceiver.ts';

/** `cf-ad9361-lpc`: the receive core with its DMA; I and Q as 12-bit words in 16. */
export function receiveDevice(chip: Transceiver, status: StatusRegister): Device {
  const channels = [0, 1].map((number): Channel => {
    let bias = 0;
    return {
      id: `voltage${number}`,
      output: false,
      scan: { index: number, format: 'le:S12/16>>0' },
      attributes: [
        integer('calibbias', {
          get: () => bias,
          set: (value) => {
            bias = value;
          },
          min: -32768,
          max: 32767,
        }),
        correction('calibphase', 0),
        correction('calibscale', 1e6),
        samplesPps(),
        ...rateAttributes(chip, 'rx'),
      ],
    };
  });
  return {
    id: 'iio:device3',
    name: 'cf-ad9361-lpc',
    channels,
    attributes: [],
    buffer: bufferAttributes(),
    debug: [
      constant('pseudorandom_err_check', 'CH0 : PN9 : Out of Sync : PN Error\nCH1 : PN9 : Out of Sync : PN Error'),
      new RegisterFile(new Map([[DMA_STATUS, status]]), 0x3ff).attribute(),
    ],
  };
}

/** `cf-ad9361-dds-core-lpc`: the transmit core with its DMA and tones; samples stand in the upper 12 of 16 bits. */
export function transmitDevice(chip: Transceiver, dds: Dds, status: StatusRegister): Device {
  const samples = [0, 1].map(
    (number): Channel => ({
      id: `voltage${number}`,
      output: true,
      scan: { index: number, format: 'le:S16/16>>0' },
      attributes: [correction('calibphase', 0), correction('calibscale', 1e6), ...rateAttributes(chip, 'tx')],
    }),
  );
  const tones = TONES.map(
    (name, number): Channel => ({
      id: `altvoltage${number}`,
      name,
      output: true,
      attributes: toneAttributes(chip, dds, number),
    }),
  );
  return {
    id: 'iio:device2',
    name: 'cf-ad9361-dds-core-lpc',
    channels: [...samples, ...tones],
    attributes: [],
    buffer: bufferAttributes(),
    debug: [new RegisterFile(new Map([[DMA_STATUS, status]]), 0x3ff).attribute()],
  };
}

function toneAttributes(chip: Transceiver, dds: Dds, tone: number): Attribute[] {
  const rateHz = () => chip.rates.sampleHz;
  return [
    {
      name: 'frequency',
      read: () => String(dds.frequencyHz(tone, rateHz())),
      write: (text) => dds.setFrequencyHz(tone, parseInteger(text), rateHz()),
    },
    {
      name: 'phase',
      read: () => String(dds.phase(tone)),
      write: (text) => dds.setPhase(tone, parseInteger(text)),
    },
    {
      name: 'raw',
      read: () => (dds.raw ? '1' : '0'),
      write: (text) => {
        dds.raw = parseInteger(text) !== 0;
      },
    },
    shown('sampling_frequency', () => String(rateHz()), { shared: true }),
    {
      name: 'scale',
      read: () => formatMicro(dds.scaleMicro(tone)),
      write: (text) => dds.setScaleMicro(tone, parseMicro(text)),
    },
  ];
}

function rateAttributes(chip: Transceiver, direction: 'rx' | 'tx'): Attribute[] {
  return [
    integer('sampling_frequency', {
      get: () => chip.hostRateHz(direction),
      set: (hz) => chip.setHostRateHz(direction, hz),
      min: 1,
      max: 2 ** 31 - 1,
      shared: true,
    }),
    shown(
      'sampling_frequency_available',
      () => `${DECIMATIONS.map((by) => Math.floor(chip.rates.sampleHz / by)).join(' ')} `,
      { shared: true },
    ),
  ];
}

/** Samples between the pulses of a GPS receiver, which a Pluto has not. */
function samplesPps(): Attribute {
  const refuse = (): never => {
    throw new IioError('ENODEV');
  };
  return { name: 'samples_pps', shared: true, read: refuse };
}

/** A correction of the core that this model does not apply: it keeps its neutral value, others are refused. */
function correction(name: string, neutralMicro: number): Attribute {
  return {
    name,
    read: () => formatMicro(neutralMicro),
    write: (text) => {
      if (parseMicro(text) !== neutralMicro) throw new IioError('EINVAL');
    },
  };
}

function bufferAttributes(): Attribute[] {
  let watermark = 2048;
  return [
    constant('data_available', '0'),
    constant('length_align_bytes', '8'),
    integer('watermark', {
      get: () => watermark,
      set: (value) => {
        watermark = value;
      },
      min: 1,
      max: 2 ** 22,
    }),
  ];
}
