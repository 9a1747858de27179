import { isBuiltin } from 'node:module';
import { type FileMap, type ImportEdge, importGraph } from './import-graph.ts';

/** Rooms of the repository and the rooms that each may import from, beside itself (docs/architecture.md). */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  common: [],
  sct: ['common'],
  phy: ['common'],
  radio: ['common'],
  link: ['sct', 'phy', 'radio', 'common'],
  experiment: ['link', 'sct', 'phy', 'radio', 'common'],
  dashboard: ['link', 'common'],
  cli: ['dashboard', 'experiment', 'link', 'sct', 'phy', 'radio', 'common', 'emulated'],
  emulated: ['radio', 'common'],
  library: ['link', 'sct', 'phy', 'radio', 'common'],
  bench: ['dashboard', 'experiment', 'link', 'sct', 'phy', 'radio', 'common'],
  examples: ['library'],
};

/** Packages that only some files may import: the pattern is matched with the importing file's path. */
export const PACKAGE_HOMES: Readonly<Record<string, RegExp>> = {
  usb: /^src\/radio\//,
  serialport: /^src\/radio\//,
  'onnxruntime-node': /^src\/sct\//,
  sharp: /^src\/sct\//,
  express: /^src\/dashboard\//,
  ws: /^src\/(dashboard\/|link\/feedback)/,
  '@nats-io/transport-node': /^src\/(link\/nats|experiment\/sweep\/nats)\//,
  '@nats-io/jetstream': /^src\/experiment\/sweep\/nats\//,
  '@nats-io/obj': /^src\/experiment\/sweep\/nats\//,
  'fft.js': /^src\/phy\/kernels\//,
  commander: /^src\/cli\//,
};

/**
 * The page of the dashboard runs in a browser: it may share the wire format with the server, and the types of what is told, and nothing else. Its
 * packages are bundled into it when it is built, and nothing of Node is there.
 */
const PAGE = 'src/dashboard/web/';
const WIRE_FORMAT = 'src/dashboard/frames.ts';
const TELEMETRY = 'src/link/telemetry.ts';
const PAGE_PACKAGES = ['lit', 'uplot'];
const PAGE_BUILD = `${PAGE}build.js`;

/** The room a file belongs to; null when it stands in none. */
export function roomOf(path: string): string | null {
  if (path === 'src/index.ts') return 'library';
  const inSrc = /^src\/([^/]+)\//.exec(path);
  const room = inSrc ? inSrc[1] : path.startsWith('hardware/emulated/') ? 'emulated' : path.split('/')[0];
  return Object.hasOwn(ROOMS, room) ? room : null;
}

/**
 * Forbidden imports among these files, one line each that names the file, the import and the rule.
 *
 * @param files sources under src, hardware, bench and examples
 * @param dependencies names in package.json's `dependencies` and `optionalDependencies`
 */
export function forbiddenImports(files: FileMap, dependencies: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  for (const path of files.keys()) {
    if (roomOf(path) === null) problems.push(`${path} stands in no room: ${Object.keys(ROOMS).join(', ')}`);
  }
  for (const edge of importGraph(files)) {
    const reason = edge.to === null ? packageProblem(edge, dependencies) : fileProblem(edge, edge.to, files);
    if (reason) problems.push(`${edge.from} imports '${edge.specifier}': ${reason}`);
  }
  return problems;
}

function fileProblem(edge: ImportEdge, to: string, files: FileMap): string | null {
  const from = roomOf(edge.from);
  const room = roomOf(to);
  if (from === null) return null; // already reported
  if (to.startsWith('test/')) return 'product code must not import test code';
  if (room === null) return 'the file stands in no room';
  if (!files.has(to)) return 'no such file; own imports are written with their .ts extension';
  if (edge.from.startsWith(PAGE)) {
    if (to.startsWith(PAGE) || to === WIRE_FORMAT || (to === TELEMETRY && edge.typeOnly)) return null;
    return `the page may import only ${PAGE}, ${WIRE_FORMAT} and types of ${TELEMETRY}`;
  }
  if (from === room) return null;
  if (!ROOMS[from].includes(room)) return `${from} may import only ${ROOMS[from].join(', ') || 'itself'}`;
  if (from === 'dashboard' && room === 'link' && !edge.typeOnly) return 'dashboard may import only types from link';
  return null;
}

function packageProblem(edge: ImportEdge, dependencies: ReadonlySet<string>): string | null {
  if (edge.from.startsWith(PAGE) && edge.from !== PAGE_BUILD) {
    return PAGE_PACKAGES.includes(edge.specifier) ? null : `the page may import only ${PAGE_PACKAGES.join(' and ')}`;
  }
  if (isBuiltin(edge.specifier)) {
    if (!edge.specifier.startsWith('node:')) return `write it as node:${edge.specifier}`;
    return roomOf(edge.from) === 'phy' ? 'phy has no I/O, clock or thread: it may not import Node modules' : null;
  }
  if (edge.specifier.startsWith('/')) return 'an absolute path';
  const name = edge.specifier.split('/', edge.specifier.startsWith('@') ? 2 : 1).join('/');
  const home = PACKAGE_HOMES[name];
  if (home && !home.test(edge.from)) return `${name} may be imported only by files that match ${home.source}`;
  if (!dependencies.has(name)) return `${name} is not among package.json's dependencies`;
  return null;
}
