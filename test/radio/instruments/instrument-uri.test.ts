import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { formatInstrumentUri, parseInstrumentUri } from '../../../src/radio/instruments/instrument-uri.ts';
import '../../fixed-seed.js';

test('every form of the grammar is understood', () => {
  assert.deepEqual(parseInstrumentUri('att:/dev/ttyUSB0'), {
    kind: 'att',
    port: '/dev/ttyUSB0',
    model: null,
    baudRate: 9600,
  });
  assert.deepEqual(parseInstrumentUri('att:COM3?model=DC-6GHZ-90DB-V3&baud=115200'), {
    kind: 'att',
    port: 'COM3',
    model: 'DC-6GHZ-90DB-V3',
    baudRate: 115_200,
  });
  const byId = '/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0';
  assert.deepEqual(parseInstrumentUri(`relay:${byId}?set=kmtronic&channels=8`), {
    kind: 'relay',
    port: byId,
    commandSet: 'kmtronic',
    channels: 8,
    baudRate: 9600,
  });
  assert.deepEqual(parseInstrumentUri('gpsdo:/dev/ttyACM0'), {
    kind: 'gpsdo',
    port: '/dev/ttyACM0',
    baudRate: 115_200,
  });
  assert.deepEqual(parseInstrumentUri('att:\\\\.\\COM12?model=rudat').port, '\\\\.\\COM12');
});

test('what is wrong is named', () => {
  const cases: readonly [string, RegExp][] = [
    ['', /is not an instrument/],
    ['attenuator:/dev/x', /is not an instrument/],
    ['att:', /names no port/],
    ['att:?model=rudat', /names no port/],
    ['att:/dev/tty 0', /no path or name of a serial port/],
    ['att:/dev/tty\0', /no path or name of a serial port/],
    [`att:${'x'.repeat(201)}`, /no path or name of a serial port/],
    ['att:/dev/x?model=HP355', /model=HP355; known: rudat, DC-6GHZ-120DB/],
    ['att:/dev/x?step=1', /unknown option "step"/],
    ['att:/dev/x?model', /where KEY=VALUE is expected/],
    ['att:/dev/x?baud=9600&baud=9600', /gives baud twice/],
    ['att:/dev/x?baud=9601', /baud=9601; known: 1200/],
    ['relay:/dev/x', /needs set=kmtronic or set=lctech/],
    ['relay:/dev/x?set=other', /needs set=/],
    ['relay:/dev/x?set=lctech&channels=9', /channels=9; allowed 1 to 8/],
    ['gpsdo:/dev/x?model=rudat', /unknown option "model"/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseInstrumentUri(text),
      (error: unknown) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, message);
        assert.match(error.hint ?? '', /^instruments: att:PORT/);
        return true;
      },
    );
  }
});

test('text and URI are the same thing', () => {
  const port = fc.stringMatching(/^[A-Za-z0-9_./:@+-]{1,40}$/);
  const uri = fc.oneof(
    fc
      .record({ port, model: fc.constantFrom('', '?model=rudat', '?model=DC-3G-90DB-V2&baud=57600') })
      .map((r) => `att:${r.port}${r.model}`),
    fc
      .record({ port, set: fc.constantFrom('kmtronic', 'lctech'), n: fc.integer({ min: 1, max: 8 }) })
      .map((r) => `relay:${r.port}?set=${r.set}&channels=${r.n}`),
    port.map((p) => `gpsdo:${p}`),
  );
  fc.assert(fc.property(uri, (text) => assert.equal(formatInstrumentUri(parseInstrumentUri(text)), text)));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((t) => `att:${t}`),
      ),
      (text) => {
        try {
          assert.deepEqual(parseInstrumentUri(formatInstrumentUri(parseInstrumentUri(text))), parseInstrumentUri(text));
        } catch (error) {
          assert.ok(error instanceof UsageError);
        }
      },
    ),
  );
});
