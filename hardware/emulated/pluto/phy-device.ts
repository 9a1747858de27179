import {
  type Attribute,
  constant,
  flag,
  formatMicro,
  integer,
  parseInteger,
  parseMicro,
  shown,
  unreadable,
  word,
} from './attribute.ts';
import { XO_CORRECTION_SPAN_HZ, XO_NOMINAL_HZ } from './clock-tree.ts';
import type { Channel, Device } from './iio-context.ts';
import { IioError } from './iio-error.ts';
import { phyDebugAttributes } from './phy-debug.ts';
import {
  ENSM_MODES,
  GAIN_MODES,
  RATE_HZ,
  RX_BANDWIDTH_HZ,
  type Synthesizer,
  type Transceiver,
  TX_BANDWIDTH_HZ,
  TX_GAIN_DB,
} from './transceiver.ts';

const RX_PORTS = [
  'A_BALANCED',
  'B_BALANCED',
  'C_BALANCED',
  'A_N',
  'A_P',
  'B_N',
  'B_P',
  'C_N',
  'C_P',
  'TX_MONITOR1',
  'TX_MONITOR2',
  'TX_MONITOR1_2',
];
const CALIBRATIONS = ['auto', 'manual', 'manual_tx_quad', 'tx_quad', 'rf_dc_offs', 'rssi_gain_step'];

const refuse = (): never => {
  throw new IioError('ENODEV');
};
const refuseRead = (): never => {
  throw new IioError('EACCES');
};

/** `ad9361-phy`: the transceiver chip. `rssiDbm`: power at the receive port over the last samples. */
export function phyDevice(chip: Transceiver, rssiDbm: () => number): Device {
  const rxShared = sharedAttributes(chip, 'rx');
  const txShared = sharedAttributes(chip, 'tx');
  const channels: Channel[] = [
    { id: 'altvoltage1', name: 'TX_LO', output: true, attributes: loAttributes(chip, chip.txLo) },
    { id: 'voltage0', output: false, attributes: [...rxAttributes(chip, rssiDbm), ...rxShared] },
    { id: 'voltage3', output: true, attributes: [...auxDac(), ...txShared] },
    { id: 'altvoltage0', name: 'RX_LO', output: true, attributes: loAttributes(chip, chip.rxLo) },
    { id: 'voltage2', output: true, attributes: [...auxDac(), ...txShared] },
    { id: 'temp0', output: false, attributes: [constant('input', '36842')] },
    { id: 'voltage0', output: true, attributes: [...txAttributes(chip), ...txShared] },
    {
      id: 'voltage2',
      output: false,
      attributes: [constant('raw', '975'), constant('offset', '57'), constant('scale', '0.305250'), ...rxShared],
    },
    {
      id: 'out',
      output: false,
      attributes: [fixedFir('voltage_filter_fir_en', { filename: 'in_out_voltage_filter_fir_en' })],
    },
  ];
  return {
    id: 'iio:device0',
    name: 'ad9361-phy',
    channels,
    attributes: deviceAttributes(chip),
    buffer: [],
    debug: phyDebugAttributes(chip),
  };
}

function loAttributes(chip: Transceiver, lo: Synthesizer): Attribute[] {
  const { min, max } = chip.frequencyRangeHz;
  let profile = 0;
  const profileOnly = (text: string) => {
    const number = parseInteger(text);
    if (number < 0 || number > 7) throw new IioError('EINVAL');
    return number;
  };
  return [
    fixedFlag('external'),
    { name: 'fastlock_load', read: () => '0', write: refuse },
    unreadable(
      'fastlock_recall',
      (): never => {
        throw new IioError('EINVAL');
      },
      refuse,
    ),
    {
      name: 'fastlock_save',
      read: () => `${profile} ${Array(16).fill('0').join(',')}`,
      write: (text) => {
        profile = profileOnly(text);
      },
    },
    { name: 'fastlock_store', read: () => '0', write: (text) => void profileOnly(text) },
    {
      name: 'frequency',
      read: () => String(lo.frequencyHz),
      write: (text) => chip.tune(lo, parseInteger(text)),
    },
    constant('frequency_available', `[${min} 1 ${max}]`),
    {
      name: 'powerdown',
      read: () => (lo.powerdown ? '1' : '0'),
      write: (text) => chip.setPowerdown(lo, parseInteger(text) !== 0),
    },
  ];
}

function rxAttributes(chip: Transceiver, rssiDbm: () => number): Attribute[] {
  return [
    word('gain_control_mode', GAIN_MODES, {
      get: () => chip.gainMode,
      set: (mode) => {
        chip.gainMode = mode;
      },
    }),
    {
      name: 'hardwaregain',
      read: () => `${formatMicro(chip.rxGainDb * 1e6)} dB`,
      write: (text) => chip.setRxGainDb(parseMicro(text) / 1e6),
    },
    shown('hardwaregain_available', () => `[${chip.rxGainRangeDb.min} 1 ${chip.rxGainRangeDb.max}]`),
    fixedWord('rf_port_select', RX_PORTS),
    shown('rssi', () => `${Math.max(0, -rssiDbm()).toFixed(2)} dB`),
  ];
}

function txAttributes(chip: Transceiver): Attribute[] {
  const { min, step, max } = TX_GAIN_DB;
  return [
    {
      name: 'hardwaregain',
      read: () => `${formatMicro(Math.round(chip.txGainDb * 1e6))} dB`,
      write: (text) => {
        chip.txGainDb = parseMicro(text) / 1e6;
      },
    },
    constant('hardwaregain_available', `[${min.toFixed(6)} ${step.toFixed(6)} ${max.toFixed(6)}]`),
    fixedWord('rf_port_select', ['A', 'B']),
    constant('rssi', '0.00 dB'),
  ];
}

/** What stands once for all voltage channels of a direction. */
function sharedAttributes(chip: Transceiver, direction: 'rx' | 'tx'): Attribute[] {
  const rx = direction === 'rx';
  const range = rx ? RX_BANDWIDTH_HZ : TX_BANDWIDTH_HZ;
  const tracking = ['bb_dc_offset_tracking_en', 'quadrature_tracking_en', 'rf_dc_offset_tracking_en'];
  return [
    fixedFir('filter_fir_en'),
    {
      name: 'rf_bandwidth',
      shared: true,
      read: () => String(rx ? chip.rxBandwidthHz : chip.txBandwidthHz),
      /** The driver takes the nearest that the chip can do. */
      write: (text) => {
        const hz = Math.min(Math.max(parseInteger(text), range.min), range.max);
        if (rx) chip.rxBandwidthHz = hz;
        else chip.txBandwidthHz = hz;
      },
    },
    constant('rf_bandwidth_available', `[${range.min} 1 ${range.max}]`, { shared: true }),
    constant('rf_port_select_available', rx ? RX_PORTS.join(' ') : 'A B', { shared: true }),
    integer('sampling_frequency', {
      get: () => chip.rates.sampleHz,
      set: (hz) => {
        chip.rateHz = hz;
      },
      min: 1,
      max: 2 ** 31 - 1,
      shared: true,
    }),
    constant('sampling_frequency_available', `[${RATE_HZ.min} 1 ${RATE_HZ.max}]`, { shared: true }),
    ...(rx
      ? [
          constant('gain_control_mode_available', GAIN_MODES.join(' '), { shared: true }),
          ...tracking.map((name) => storedFlag(name, true)),
        ]
      : []),
  ];
}

function deviceAttributes(chip: Transceiver): Attribute[] {
  let calibration = CALIBRATIONS[0];
  const xo = { min: XO_NOMINAL_HZ - XO_CORRECTION_SPAN_HZ, max: XO_NOMINAL_HZ + XO_CORRECTION_SPAN_HZ };
  return [
    word('calib_mode', CALIBRATIONS, {
      get: () => calibration,
      set: (mode) => {
        calibration = mode;
      },
    }),
    constant('calib_mode_available', CALIBRATIONS.join(' ')),
    unreadable('dcxo_tune_coarse', refuse, refuse),
    constant('dcxo_tune_coarse_available', '[0 0 0]'),
    unreadable('dcxo_tune_fine', refuse, refuse),
    constant('dcxo_tune_fine_available', '[0 0 0]'),
    word('ensm_mode', ENSM_MODES, {
      get: () => chip.ensmMode,
      set: (mode) => {
        chip.ensmMode = mode;
      },
    }),
    constant('ensm_mode_available', ENSM_MODES.join(' ')),
    { name: 'filter_fir_config', read: () => 'FIR Rx: 0,0 Tx: 0,0', write: refuse },
    unreadable('gain_table_config', refuseRead, refuse),
    unreadable('multichip_sync', refuseRead, (text) => void parseInteger(text)),
    constant(
      'rssi_gain_step_error',
      'lna_error: 0 0 0 0\nmixer_error: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\ngain_step_calib_reg_val: 0 0 0 0 0',
    ),
    shown('rx_path_rates', () => {
      const { bbpllHz, adcHz, r2Hz, r1Hz, sampleHz } = chip.rates;
      return `BBPLL:${bbpllHz} ADC:${adcHz} R2:${r2Hz} R1:${r1Hz} RF:${sampleHz} RXSAMP:${sampleHz}`;
    }),
    fixedWord('trx_rate_governor', ['nominal', 'highest_osr']),
    constant('trx_rate_governor_available', 'nominal highest_osr'),
    shown('tx_path_rates', () => {
      const { bbpllHz, dacHz, t1Hz, sampleHz } = chip.rates;
      return `BBPLL:${bbpllHz} DAC:${dacHz} T2:${dacHz} T1:${t1Hz} TF:${sampleHz} TXSAMP:${sampleHz}`;
    }),
    integer('xo_correction', {
      get: () => chip.xoCorrectionHz,
      set: (hz) => {
        chip.xoCorrectionHz = hz;
      },
      ...xo,
    }),
    constant('xo_correction_available', `[${xo.min} 1 ${xo.max}]`),
  ];
}

/** Remembered, without effect on the samples of this model. */
function storedFlag(name: string, initial: boolean): Attribute {
  let on = initial;
  return flag(name, {
    get: () => on,
    set: (value) => {
      on = value;
    },
    shared: true,
  });
}

/** A choice of which this model has the first alone: others are refused, not ignored. */
function fixedWord(name: string, words: readonly string[]): Attribute {
  return {
    name,
    read: () => words[0],
    write: (text) => {
      if (text.replace(/\n$/, '') !== words[0]) throw new IioError('EINVAL');
    },
  };
}

function fixedFlag(name: string): Attribute {
  return {
    name,
    read: () => '0',
    write: (text) => {
      if (parseInteger(text) !== 0) throw new IioError('EINVAL');
    },
  };
}

/** No FIR coefficients are loaded: the driver refuses to switch the filter on. */
function fixedFir(name: string, extra: { filename?: string } = {}): Attribute {
  return { ...fixedFlag(name), shared: extra.filename === undefined, ...extra };
}

function auxDac(): Attribute[] {
  let raw = 306;
  return [
    integer('raw', {
      get: () => raw,
      set: (value) => {
        raw = value;
      },
      min: 0,
      max: 3300,
    }),
    constant('scale', '1.000000'),
  ];
}
