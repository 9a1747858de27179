import { SctError } from '../../common/errors.ts';
import { hackrfSpec } from '../../radio/hackrf/hackrf-radio.ts';
import { apiText } from '../../radio/hackrf/vendor-requests.ts';
import { parseContext } from '../../radio/pluto/context.ts';
import { IiodClient } from '../../radio/pluto/iiod-client.ts';
import { TcpConnector } from '../../radio/pluto/tcp-transport.ts';
import { PLUTO_USB } from '../../radio/pluto/usb-transport.ts';
import { formatRadioUri, type RadioUri } from '../../radio/uri.ts';
import { openBus, type UsbBusSpec } from '../../radio/usb/bus.ts';
import { type UsbBoard, type UsbBus, UsbError } from '../../radio/usb/usb.ts';

/** A board that is there, whether or not it can be used. */
export interface FoundBoard {
  /** How the other commands name it; null where its serial could not be read. */
  readonly uri: string | null;
  readonly board: 'HackRF' | 'Pluto';
  readonly product: string | null;
  readonly serial: string | null;
  /** "USB API 1.07" of a HackRF, the firmware of a Pluto behind IIOD; null where it does not say. */
  readonly version: string | null;
  /** Where it was found. */
  readonly place: string;
  /** Why it cannot be used now, and what to do; null where it can. */
  readonly problem: Problem | null;
}

export interface Problem {
  readonly reason: string;
  readonly hint: string | null;
}

/** A place that was looked at. */
export interface SearchedPlace {
  readonly place: string;
  readonly boards: readonly FoundBoard[];
  /** Why it could not be looked at. */
  readonly problem: Problem | null;
}

const PERMISSION_HINT =
  'sudo cp hardware/udev/60-sct.rules /etc/udev/rules.d/ && sudo udevadm control --reload-rules && sudo udevadm trigger; then plug the board in again';
/** A board that cannot be opened within this may be in use; 200 characters of what a server says of itself are enough. */
const IIOD_TIMEOUT_MS = 3000;
const MAX_TEXT = 200;

/** Looks for boards on USB: of this machine, or of a USB/IP server. Never throws for what the bus does. */
export async function findUsbBoards(spec: UsbBusSpec, bus: UsbBus = openBus(spec)): Promise<SearchedPlace> {
  const place = bus.describe();
  const { wanted } = hackrfSpec(spec, null);
  try {
    const boards: FoundBoard[] = [];
    for (const board of await bus.list([...wanted, PLUTO_USB])) boards.push(await describeBoard(bus, spec, board));
    return { place, boards, problem: null };
  } catch (error) {
    return { place, boards: [], problem: problemOf(error) };
  }
}

/** Asks an IIOD server for its board. */
export async function findIiodBoard(host: string, port: number): Promise<SearchedPlace> {
  const uri: RadioUri = { kind: 'pluto-ip', host, port };
  const connector = new TcpConnector(host, port);
  const place = `IIOD at ${connector.describe()}`;
  try {
    const client = new IiodClient(await connector.connect(IIOD_TIMEOUT_MS), IIOD_TIMEOUT_MS);
    try {
      const { attributes } = parseContext(await client.print());
      const attribute = (name: string) => attributes.get(name)?.slice(0, MAX_TEXT) ?? null;
      const firmware = attribute('fw_version');
      const board: FoundBoard = {
        uri: formatRadioUri(uri),
        board: 'Pluto',
        product: attribute('hw_model'),
        serial: attribute('hw_serial'),
        version: firmware === null ? null : `firmware ${firmware}`,
        place,
        problem: null,
      };
      return { place, boards: [board], problem: null };
    } finally {
      await client.close();
    }
  } catch (error) {
    return { place, boards: [], problem: problemOf(error) };
  }
}

/** A board whose serial could not be read is opened once more, to learn why. */
async function describeBoard(bus: UsbBus, spec: UsbBusSpec, listed: UsbBoard): Promise<FoundBoard> {
  let board = listed;
  let problem: Problem | null = null;
  if (listed.serial === null) {
    try {
      const device = await bus.open(listed);
      board = device.board;
      await device.close();
    } catch (error) {
      problem = problemOf(error);
    }
  }
  const isPluto = board.vendorId === PLUTO_USB.vendorId;
  return {
    uri: board.serial === null ? null : uriOf(spec, isPluto, board.serial),
    board: isPluto ? 'Pluto' : 'HackRF',
    product: board.product,
    serial: board.serial,
    version: isPluto ? null : `USB API ${apiText(board.bcdDevice)}`,
    place: `${bus.describe()}, ${board.path}`,
    problem,
  };
}

function uriOf(spec: UsbBusSpec, isPluto: boolean, serial: string): string {
  const usbip = spec.kind === 'libusb' ? {} : { usbip: spec };
  return formatRadioUri(
    isPluto ? { kind: 'pluto-usb', serial, ...usbip } : { kind: 'hackrf', serial, options: {}, ...usbip },
  );
}

/** Errors that the program does not expect are its own and go on. */
function problemOf(error: unknown): Problem {
  if (!(error instanceof SctError)) throw error;
  const hint = error instanceof UsbError && error.kind === 'permission' ? PERMISSION_HINT : (error.hint ?? null);
  return { reason: error.message, hint };
}
