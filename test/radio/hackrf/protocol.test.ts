import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError, UsageError } from '../../../src/common/errors.ts';
import type { BoardCall } from '../../../src/radio/hackrf/board-call.ts';
import * as facts from '../../../src/radio/hackrf/board-facts.ts';
import { decodeM0State, getM0State } from '../../../src/radio/hackrf/m0-state.ts';
import * as cake from '../../../src/radio/hackrf/opera-cake.ts';
import * as pro from '../../../src/radio/hackrf/pro-calls.ts';
import * as radio from '../../../src/radio/hackrf/radio-calls.ts';
import * as registers from '../../../src/radio/hackrf/register-calls.ts';
import { initSweep } from '../../../src/radio/hackrf/sweep.ts';
import { apiText, VENDOR_REQUESTS } from '../../../src/radio/hackrf/vendor-requests.ts';
import '../../fixed-seed.js';

/** Setup packet and data as hexadecimal text: bmRequestType bRequest wValue wIndex (little endian) length, data. */
function wire(call: BoardCall): string {
  const { setup, data, replyBytes } = call;
  const packet = Buffer.alloc(8);
  packet[0] = setup.requestType;
  packet[1] = setup.request;
  packet.writeUInt16LE(setup.value, 2);
  packet.writeUInt16LE(setup.index, 4);
  packet.writeUInt16LE(replyBytes || data.length, 6);
  return `${packet.toString('hex')} ${Buffer.from(data).toString('hex')}`.trim();
}

const sweep = {
  rangesMhz: [{ low: 2400, high: 2490 }],
  stepHz: 20e6,
  offsetHz: 7.5e6,
  style: 'interleaved',
  blocksPerStep: 1,
} as const;

/** Every request of the table: what libhackrf's function of that name puts on the wire (its source, by hand). */
const WIRE: readonly [keyof typeof VENDOR_REQUESTS, BoardCall, string][] = [
  ['SET_TRANSCEIVER_MODE', radio.setMode('tx'), '4001020000000000'],
  ['MAX283X_WRITE', registers.writeRegister('max283x', 5, 0x3ff), '4002ff0305000000'],
  ['MAX283X_READ', registers.readRegister('max283x', 31), 'c00300001f000200'],
  ['SI5351C_WRITE', registers.writeRegister('si5351c', 183, 0x92), '40049200b7000000'],
  ['SI5351C_READ', registers.readRegister('si5351c', 0), 'c005000000000100'],
  ['SAMPLE_RATE_SET', radio.setSampleRate({ numeratorHz: 8_000_000, divider: 1 }), '4006000000000800 00127a0001000000'],
  ['BASEBAND_FILTER_BANDWIDTH_SET', radio.setBasebandFilter(1_750_000), '4007f0b31a000000'],
  ['RFFC5071_WRITE', registers.writeRegister('rffc5071', 30, 0xabcd), '4008cdab1e000000'],
  ['RFFC5071_READ', registers.readRegister('rffc5071', 2), 'c009000002000200'],
  ['SPIFLASH_ERASE', registers.eraseFlash(), '400a000000000000'],
  ['SPIFLASH_WRITE', registers.writeFlash(0x12345, Uint8Array.of(1, 2)), '400b010045230200 0102'],
  ['SPIFLASH_READ', registers.readFlash(0x3fff00, 256), 'c00c3f0000ff0001'],
  ['BOARD_ID_READ', facts.readBoardId(), 'c00e000000000100'],
  ['VERSION_STRING_READ', facts.readVersion(), 'c00f00000000ff00'],
  ['SET_FREQ', radio.setFrequency(2_437_123_456), '4010000000000800 8509000040e20100'],
  ['AMP_ENABLE', radio.setAmp(true), '4011010000000000'],
  ['BOARD_PARTID_SERIALNO_READ', facts.readPartIdSerial(), 'c012000000001800'],
  ['SET_LNA_GAIN', radio.setGain('lna', 40), 'c013000028000100'],
  ['SET_VGA_GAIN', radio.setGain('vga', 62), 'c01400003e000100'],
  ['SET_TXVGA_GAIN', radio.setGain('txvga', 47), 'c01500002f000100'],
  ['ANTENNA_ENABLE', radio.setBiasTee(true), '4017010000000000'],
  [
    'SET_FREQ_EXPLICIT',
    radio.setFrequencyExplicit({ ifHz: 2.5e9, loHz: 1e9, path: 'high-pass' }),
    '4018000000001100 00f902950000000000ca9a3b0000000002',
  ],
  ['INIT_SWEEP', initSweep(sweep), '401a004000000d00 002d3101e07072000160 09ba09'.replace(' 09', '09')],
  ['OPERACAKE_GET_BOARDS', cake.getOperaCakeBoards(), 'c01b000000000800'],
  ['OPERACAKE_SET_PORTS', cake.setOperaCakePorts(1, 'A2', 'B3'), '401c010001060000'],
  ['SET_HW_SYNC_MODE', radio.setHardwareTrigger(true), '401d010000000000'],
  ['RESET', radio.reset(), '401e000000000000'],
  [
    'OPERACAKE_SET_RANGES',
    cake.setOperaCakeRanges([{ lowMhz: 100, highMhz: 1000, port: 'B1' }]),
    '401f000000000500 006403e804',
  ],
  ['CLKOUT_ENABLE', radio.setClockOut(true), '4020010000000000'],
  ['SPIFLASH_STATUS', registers.readFlashStatus(), 'c021000000000200'],
  ['SPIFLASH_CLEAR_STATUS', registers.clearFlashStatus(), '4022000000000000'],
  ['OPERACAKE_GPIO_TEST', cake.testOperaCakeGpio(3), 'c023030000000200'],
  ['CPLD_CHECKSUM', facts.readCpldChecksum(), 'c024000000000400'],
  ['UI_ENABLE', radio.setUi(false), '4025000000000000'],
  ['OPERACAKE_SET_MODE', cake.setOperaCakeMode(2, 'time'), '4026020002000000'],
  ['OPERACAKE_GET_MODE', cake.getOperaCakeMode(2), 'c027020000000100'],
  [
    'OPERACAKE_SET_DWELL_TIMES',
    cake.setOperaCakeDwellTimes([{ samples: 1000, port: 'A4' }]),
    '4028000000000500 e803000003',
  ],
  ['GET_M0_STATE', getM0State(), 'c029000000002800'],
  ['SET_TX_UNDERRUN_LIMIT', radio.setTxUnderrunLimit(4_000_000), '402a00093d000000'],
  ['SET_RX_OVERRUN_LIMIT', radio.setRxOverrunLimit(0), '402b000000000000'],
  ['GET_CLKIN_STATUS', facts.getClockInStatus(), 'c02c000000000100'],
  ['BOARD_REV_READ', facts.readBoardRevision(), 'c02d000000000100'],
  ['SUPPORTED_PLATFORM_READ', facts.readSupportedPlatform(), 'c02e000000000400'],
  ['SET_LEDS', radio.setLeds(7), '402f070000000000'],
  ['SET_USER_BIAS_T_OPTS', radio.setBiasTeePolicy({ off: false, rx: true, tx: null }), '40303e0100000000'],
  ['FPGA_WRITE_REG', registers.writeRegister('fpga', 9, 0x80), '4031800009000000'],
  ['FPGA_READ_REG', registers.readRegister('fpga', 9), 'c032000009000100'],
  ['P2_CTRL', pro.setP2('trigger-out'), '4033030000000000'],
  ['P1_CTRL', pro.setP1('clkin'), '4034020000000000'],
  ['SET_NARROWBAND_FILTER', pro.setNarrowbandFilter(true), '4035010000000000'],
  ['SET_FPGA_BITSTREAM', pro.setFpgaBitstream(2), '4036020000000000'],
  ['CLKIN_CTRL', pro.setClockInput('p22'), '4037010000000000'],
  ['READ_SELFTEST', pro.readSelftest(), 'c038000000000002'],
  ['READ_ADC', pro.readAdc(0x81), 'c039000081000200'],
  ['TEST_RTC_OSC', pro.readRtcCount(), 'c03a000002000200'],
  [
    'RADIO_WRITE_REG',
    registers.writeRadioRegister('rx', 3, 0x0102030405060708n),
    '403b000003000900 030807060504030201',
  ],
  ['RADIO_READ_REG', registers.readRadioRegister('active', 5), 'c03c050001000800'],
  ['GET_BUFFER_SIZE', facts.readBufferSize(), 'c03d000000000400'],
];

test('every vendor request is encoded as libhackrf encodes it', () => {
  for (const [name, call, expected] of WIRE) {
    assert.equal(call.name, name);
    assert.equal(wire(call), expected, name);
  }
  const named = new Set<string>(WIRE.map(([name]) => name));
  const missing = Object.keys(VENDOR_REQUESTS).filter((name) => !named.has(name));
  // Windows asks for its own compatibility descriptor; no driver does.
  assert.deepEqual(missing, ['USB_WCID_VENDOR_REQ']);
});

test('the mixer by hand: whole MHz, the frequency exact; low-pass has the LO above, as the firmware', () => {
  assert.deepEqual(radio.explicitFor(868_312_345, 'low-pass', 2.6e9), {
    path: 'low-pass',
    loHz: 3_468_000_000,
    ifHz: 2_599_687_655,
  });
  for (const [path, frequencyHz, ifHz] of [
    ['low-pass', 1_234_567, 2.5e9],
    ['high-pass', 5_800_000_001, 2.3e9],
    ['bypass', 2_450_000_000, 0],
  ] as const) {
    const explicit = radio.explicitFor(frequencyHz, path, ifHz);
    assert.equal(radio.explicitCentreHz(explicit), frequencyHz);
    assert.equal(radio.setFrequencyExplicit(explicit).data.length, 17);
  }
  const between = { path: 'high-pass', ifHz: 2.4e9, loHz: 3_000_500_000 } as const;
  assert.throws(() => radio.setFrequencyExplicit(between), /whole MHz/);
});

test('values that the board does not have are refused', () => {
  const refused: (() => unknown)[] = [
    () => radio.setGain('lna', 7),
    () => radio.setGain('lna', 48),
    () => radio.setGain('vga', 61),
    () => radio.setGain('txvga', 48),
    () => radio.setGain('txvga', 0.5),
    () => radio.setGain('txvga', Number.NaN),
    () => radio.setFrequency(915e6 + 0.5),
    () => radio.setFrequency(-1),
    () => radio.setFrequencyExplicit({ ifHz: 1.9e9, loHz: 1e9, path: 'high-pass' }),
    () => radio.setFrequencyExplicit({ ifHz: 2.5e9, loHz: 80e6, path: 'low-pass' }),
    () => registers.writeRegister('max283x', 32, 0),
    () => registers.writeRegister('rffc5071', 31, 0),
    () => registers.writeRegister('si5351c', 1, 256),
    () => registers.readFlash(0x3fffff, 2),
    () => registers.writeRadioRegister('applied', 1, 0n),
    () => registers.writeRadioRegister('rx', 1, 1n << 64n),
    () => cake.setOperaCakePorts(0, 'A1', 'A2'),
    () => cake.setOperaCakePorts(8, 'A1', 'B2'),
    () => cake.setOperaCakeRanges([{ lowMhz: 10, highMhz: 5, port: 'A1' }]),
    () => pro.readAdc(0x48),
    () => initSweep({ ...sweep, rangesMhz: [] }),
    () => initSweep({ ...sweep, stepHz: 0 }),
    () => initSweep({ ...sweep, rangesMhz: [{ low: 100, high: 100 }] }),
  ];
  for (const call of refused) assert.throws(call, UsageError, call.toString());
  // The bypass has no LO.
  assert.equal(radio.setFrequencyExplicit({ ifHz: 2.5e9, loHz: 0, path: 'bypass' }).data.length, 17);
});

test('replies: what a board says of itself', () => {
  assert.deepEqual(facts.decodeBoardId(Uint8Array.of(2)), { id: 2, board: 'HackRF One' });
  assert.deepEqual(facts.decodeBoardId(Uint8Array.of(99)), { id: 99, board: 'board 99' });
  assert.deepEqual(facts.decodeBoardRevision(Uint8Array.of(0x85)), { revision: 'r10', byMaker: true });
  assert.deepEqual(facts.decodeBoardRevision(Uint8Array.of(0xff)), { revision: 'undetected', byMaker: null });
  assert.equal(facts.decodeVersion(Buffer.from('2023.01.1\0junk')), '2023.01.1');
  assert.equal(facts.decodeVersion(Uint8Array.of(65, 7, 0xe9)), 'A??');
  const reply = new Uint8Array(24);
  const view = new DataView(reply.buffer);
  [0xa000cb3c, 0x00614764, 0, 0, 0x457863c8, 0x2f1a2b3c].forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  assert.deepEqual(facts.decodePartIdSerial(reply), {
    partId: [0xa000cb3c, 0x00614764],
    serial: '0000000000000000457863c82f1a2b3c',
  });
  assert.deepEqual(facts.decodeSupportedPlatform(Uint8Array.of(0, 0, 0, 10)), ['HackRF One', 'HackRF One r9']);
  assert.equal(facts.decodeBufferSize(Uint8Array.of(0, 0, 1, 0)), 65_536);
  assert.throws(() => facts.decodeBufferSize(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), FormatError);
  assert.throws(() => facts.decodeBufferSize(Uint8Array.of(0, 0, 0, 0)), FormatError);
  assert.equal(facts.decodeClockInStatus(Uint8Array.of(1)), true);
  assert.deepEqual(cake.decodeOperaCakeBoards(Uint8Array.of(1, 0xff, 3, 255, 255, 255, 255, 255)), [1, 3]);
  assert.equal(registers.decodeRegister('max283x', Uint8Array.of(0x34, 0x02)), 0x234);
  assert.equal(registers.decodeRadioRegister(Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1)), 0x0102030405060708n);
});

test('the M0 state: 40 bytes, little endian', () => {
  const reply = Buffer.from(
    '02000100' +
      '02000000' +
      '00000080' +
      '00800000' +
      '03000000' +
      'e0010000' +
      '00000000' +
      '00000000' +
      '02000000' +
      '00000000',
    'hex',
  );
  assert.deepEqual(decodeM0State(reply), {
    requestedMode: 2,
    requestFlag: 1,
    activeMode: 'rx',
    m0Count: 0x80000000,
    m4Count: 0x8000,
    shortfalls: 3,
    longestShortfallBytes: 480,
    shortfallLimitBytes: 0,
    threshold: 0,
    nextMode: 2,
    error: 'none',
  });
});

test('garbage replies of any length become values or a FormatError', () => {
  const decoders = [
    facts.decodeBoardId,
    facts.decodeBoardRevision,
    facts.decodeVersion,
    facts.decodePartIdSerial,
    facts.decodeSupportedPlatform,
    facts.decodeBufferSize,
    facts.decodeClockInStatus,
    facts.decodeCpldChecksum,
    decodeM0State,
    cake.decodeOperaCakeBoards,
    cake.decodeOperaCakeMode,
    cake.decodeOperaCakeGpio,
    pro.decodeAdc,
    pro.decodeRtcCount,
    registers.decodeRadioRegister,
    registers.decodeFlashStatus,
    (reply: Uint8Array) => registers.decodeRegister('rffc5071', reply),
  ];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...decoders), (reply, decode) => {
      try {
        assert.notEqual(decode(reply), undefined);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

test('API versions are written as the documents write them', () => {
  assert.equal(apiText(0x0112), '1.12');
  assert.equal(apiText(0x0107), '1.07');
});

test('an emulated board says how slow its clock is; nobody else is believed to be slow', () => {
  const named = (name: string | null) => facts.emulationSpeed([{ number: 0, name, endpoints: [] }]);
  const speeds = { 'emulated, speed 0.05': 0.05, 'emulated, speed 0.0001': 1e-4, 'emulated, speed 20': 1 };
  for (const [name, speed] of Object.entries(speeds)) assert.equal(named(name), speed);
  assert.equal(named('emulated, speed 0'), 1e-4);
  for (const name of [null, 'Transceiver', 'emulated, speed -1', 'emulated, speed 0.1 ']) assert.equal(named(name), 1);
  assert.equal(facts.emulationSpeed([]), 1);
});
