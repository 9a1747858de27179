import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { SctError } from '../common/errors.ts';
import type { Controller } from '../link/controller.ts';
import { type AccessRules, bearerToken } from './access.ts';
import type { Hub } from './hub.ts';
import { measurements } from './measurements.ts';
import { exposition } from './prometheus.ts';
import { listCaptures, RunList } from './run-list.ts';

/** Where the page, runs and recordings are. */
export interface RestPlaces {
  /** Folder of the built page; default: where the build puts it. */
  readonly web?: string;
  readonly runs: string;
  readonly captures: readonly string[];
}

export interface RestParts {
  readonly access: AccessRules;
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

const WEB = join(dirname(fileURLToPath(import.meta.url)), 'web');

/** The page for everybody, everything else for who holds a token. */
export function addRoutes(app: Express, { access, hub, controller, places }: RestParts): void {
  const runs = new RunList(places.runs);
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
    response.status(403).json({ error: { message: 'this server goes by another name' } });
  });
  app.use(express.static(places.web ?? WEB, { index: 'index.html', dotfiles: 'ignore', redirect: false }));
  app.use((request: Request, response: Response, next: NextFunction) => {
    if (access.accessOf(bearerToken(request.headers.authorization))) return next();
    response
      .status(401)
      .set('WWW-Authenticate', 'Bearer')
      .json({ error: { message: 'no token, or a wrong one' } });
  });
  app.get('/metrics', (_, response) => {
    response.type('text/plain; version=0.0.4').send(exposition(measurements(hub)));
  });
  app.get('/api/runs', async (_, response) => {
    response.json(await runs.list());
  });
  app.get('/api/runs/:name', async ({ params }, response) => {
    const run = await runs.run(params.name);
    if (run) response.json(run);
    else response.status(404).json({ error: { message: 'no such run' } });
  });
  app.get('/api/runs/:name/files/:file', async ({ params }, response) => {
    const file = await runs.file(params.name, params.file);
    if (!file) return void response.status(404).json({ error: { message: 'no such file' } });
    response.type(file.type).set('Content-Length', String(file.bytes));
    const stream = file.open();
    stream.on('error', () => response.destroy());
    response.on('close', () => stream.destroy());
    stream.pipe(response);
  });
  app.get('/api/captures', async (_, response) => {
    response.json(await listCaptures([...places.captures]));
  });
  app.get('/api/devices', async (_, response) => {
    response.json(await controller.devices());
  });
  app.get('/api/options/:command', ({ params }, response) => {
    response.json(controller.optionsOf(params.command));
  });
  app.use((_, response) => {
    response.status(404).json({ error: { message: 'nothing here' } });
  });
  app.use((error: Error, _: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    const known = error instanceof SctError;
    response
      .status(known ? 400 : ((error as { status?: number }).status ?? 500))
      .json({ error: { message: known ? error.message : 'it failed', hint: known ? (error.hint ?? null) : null } });
  });
}
