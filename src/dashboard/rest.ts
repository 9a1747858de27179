import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { SctError, UsageError } from '../common/errors.ts';
import type { Controller } from '../link/controller.ts';
import { type AccessRules, bearerToken } from './access.ts';
import { CaptureList } from './capture-list.ts';
import type { Connections } from './connections.ts';
import type { ServedFile } from './folder-files.ts';
import type { Hub } from './hub.ts';
import { measurements } from './measurements.ts';
import { PictureStore } from './picture-store.ts';
import { exposition } from './prometheus.ts';
import { RunList } from './run-list.ts';
import { SweepList } from './sweep-list.ts';
import { Tickets } from './tickets.ts';

/** Where the page, runs, recordings and pictures are: absolute paths. */
export interface RestPlaces {
  /** Folder of the built page; default: where the build puts it. */
  readonly web?: string;
  readonly runs: string;
  readonly captures: string;
  readonly pictures: string;
}

export interface RestParts {
  readonly access: AccessRules;
  readonly connections: Connections;
  readonly hub: Hub;
  readonly controller: Controller;
  readonly places: RestPlaces;
}

/** Nothing but the page's own files runs or is shown; a picture may also be made by the page itself. */
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
/** A file of a run or recording, whatever it is, is of no origin, runs nothing and asks for nothing. */
const FILE_POLICY =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const WEB = join(dirname(fileURLToPath(import.meta.url)), 'web');

/** The page for everybody, everything else for who holds a token. */
export function addRoutes(app: Express, parts: RestParts): void {
  const { access, connections, places } = parts;
  const tickets = new Tickets();
  app.disable('x-powered-by');
  app.use((request: Request, response: Response, next: NextFunction) => {
    response.set({
      'Content-Security-Policy': CONTENT_POLICY,
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    });
    if (access.isOwnHost(request.headers.host) && access.isOwnOrigin(request.headers.origin)) return next();
    refuse(response, 403, 'this server goes by another name');
  });
  app.use(express.static(places.web ?? WEB, { index: 'index.html', dotfiles: 'ignore', redirect: false }));
  app.get('/files/:id/:name', ({ params }, response) => {
    const file = tickets.take(params.id);
    if (file) send(response, file);
    else refuse(response, 404, 'this address was good once, for a minute: open it from the page again');
  });
  app.use((request: Request, response: Response, next: NextFunction) => {
    const held = access.accessOf(bearerToken(request.headers.authorization));
    if (!held) return refuse(response.set('WWW-Authenticate', 'Bearer'), 401, 'no token, or a wrong one');
    response.locals.access = held;
    connections.know(request.socket, held);
    next();
  });
  addApi(app, parts, tickets);
  app.use((_, response) => refuse(response, 404, 'nothing here'));
  app.use((error: Error, request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    // What was not taken in of a request is not waited for.
    if (!request.complete) response.set('Connection', 'close');
    if (error instanceof SctError) refuse(response, 400, error.message, error.hint);
    else refuse(response, (error as { status?: number }).status ?? 500, 'it failed');
  });
}

function addApi(app: Express, { connections, hub, controller, places }: RestParts, tickets: Tickets): void {
  const runs = new RunList(places.runs);
  const captures = new CaptureList(places.captures);
  const sweeps = new SweepList(places.runs);
  const pictures = new PictureStore(places.pictures, controller);
  const lists: Readonly<Record<string, RunList | CaptureList | SweepList>> = { runs, captures, sweeps };
  const answerWith = (response: Response, what: string, found: object | null) => {
    if (found) response.json(found);
    else refuse(response, 404, `no such ${what}`);
  };
  const sendOr404 = (response: Response, file: ServedFile | null) => {
    if (file) send(response, file);
    else refuse(response, 404, 'no such file');
  };
  app.get('/metrics', (_, response) => {
    response.type('text/plain; version=0.0.4').send(exposition(measurements(hub, connections.size)));
  });
  app.get('/api/runs', async (_, response) => {
    response.json(await runs.list());
  });
  app.get('/api/runs/:name', async ({ params }, response) => {
    answerWith(response, 'run', await runs.run(params.name));
  });
  app.get('/api/runs/:name/files/:file', async ({ params }, response) => {
    sendOr404(response, await runs.file(params.name, params.file));
  });
  app.get('/api/sweeps', async (_, response) => {
    response.json(await sweeps.list());
  });
  app.get('/api/sweeps/:name/files/:file', async ({ params }, response) => {
    sendOr404(response, await sweeps.file(params.name, params.file));
  });
  app.get('/api/captures', async (_, response) => {
    response.json(await captures.list());
  });
  app.get('/api/captures/:name/files/:file', async ({ params }, response) => {
    sendOr404(response, await captures.file(params.name, params.file));
  });
  app.get('/api/pictures', async (_, response) => {
    response.json(await pictures.list());
  });
  app.get('/api/pictures/:name', async ({ params }, response) => {
    sendOr404(response, await pictures.file(params.name));
  });
  app.post('/api/pictures/:name', async (request, response) => {
    if (response.locals.access !== 'control') return refuse(response, 403, 'this token only watches');
    response.status(201).json(await pictures.add(request.params.name, request));
  });
  app.post('/api/tickets', express.json({ limit: 4096 }), async (request, response) => {
    const [, place, name, file] = FILE_PATH.exec(pathOf(request.body)) ?? [];
    const found = place === undefined ? null : await lists[place].file(decoded(name), decoded(file));
    answerWith(response, 'file', found && { url: tickets.issue(found) });
  });
  app.get('/api/devices', async (_, response) => {
    // Asking a board what it is could disturb the one that streams.
    if (hub.job) return refuse(response, 409, `boards are not looked for while ${hub.job.command} runs`);
    response.json(await controller.devices());
  });
  app.get('/api/options/:command', ({ params }, response) => {
    response.json(controller.optionsOf(params.command));
  });
}

const FILE_PATH = /^\/api\/(runs|captures|sweeps)\/([^/]+)\/files\/([^/]+)$/;

function pathOf(body: unknown): string {
  const path = (body as { path?: unknown } | null | undefined)?.path;
  if (typeof path === 'string') return path;
  throw new UsageError('path: the address of a file of a run, recording or sweep');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new UsageError('path: no address');
  }
}

/** A file as a stream, or the part of it that is asked for; no more of it is in memory than is on its way. */
function send(response: Response, { path, name, type }: ServedFile): void {
  response.set({ 'Content-Security-Policy': FILE_POLICY, 'Content-Type': type });
  response.removeHeader('Cross-Origin-Opener-Policy');
  if (!INLINE.test(type)) response.attachment(name).set('Content-Type', type);
  const options = { cacheControl: false, etag: false, lastModified: false, dotfiles: 'allow' } as const;
  response.sendFile(path, options, (error) => {
    if (error && !response.headersSent) refuse(response, (error as { status?: number }).status ?? 404, 'no such file');
  });
}

/** What a browser shows rather than saves. */
const INLINE = /^(image\/|text\/|application\/json)/;

function refuse(response: Response, status: number, message: string, hint: string | null = null): void {
  // Who is not let in keeps no connection.
  if (status === 401 || status === 403) response.set('Connection', 'close');
  response.status(status).json({ error: { message, hint } });
}
