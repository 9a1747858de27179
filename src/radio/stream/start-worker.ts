import { Worker } from 'node:worker_threads';

/**
 * Starts a thread on a module of this program. Built, that is JavaScript; from sources it is TypeScript, for which a thread needs the
 * development tool tsx once more (Node 20 does not hand its loader down).
 *
 * @param file the module's URL, with the extension of the caller's own file
 */
export function startWorker(file: URL, workerData: unknown): Worker {
  if (!file.pathname.endsWith('.ts')) return new Worker(file, { workerData });
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const code = `import(${tsx}).then(({ register }) => { register(); return import(${JSON.stringify(file.href)}); });`;
  return new Worker(code, { eval: true, workerData });
}

/** The URL of a module beside the caller's, whether built or not. */
export function besideModule(name: string, callerUrl: string): URL {
  return new URL(`./${name}${callerUrl.endsWith('.ts') ? '.ts' : '.js'}`, callerUrl);
}
