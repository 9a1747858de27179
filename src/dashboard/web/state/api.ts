import type { OptionsSchema } from './validate.ts';

/** The server's REST interface, with the token of the page's address. */

const KEY = 'sct.token';

/** From the address (`#token=…`, taken out of it), else as kept for this tab. */
export function token(): string {
  const inAddress = new URLSearchParams(location.hash.slice(1)).get('token');
  if (inAddress) {
    sessionStorage.setItem(KEY, inAddress);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY) ?? '';
}

type Facts = Readonly<Record<string, unknown>>;

/** A run as the server lists it: run.json as it is. */
export interface RunSummary {
  readonly name: string;
  readonly modifiedAt: string;
  readonly manifest: Facts | null;
}

/** The same with metrics.json. */
export interface RunDetails extends RunSummary {
  readonly metrics: Facts | null;
}

export interface CaptureSummary {
  readonly name: string;
  readonly bytes: number;
}

export class ApiError extends Error {}

async function get(path: string): Promise<Response> {
  const answer = await fetch(path, { headers: { authorization: `Bearer ${token()}` }, cache: 'no-store' });
  if (answer.ok) return answer;
  const body = (await answer.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new ApiError(body?.error?.message ?? `${path}: the server answered ${answer.status}`);
}

async function json<T>(path: string): Promise<T> {
  return (await (await get(path)).json()) as T;
}

export const api = {
  runs: () => json<readonly RunSummary[]>('/api/runs'),
  run: (name: string) => json<RunDetails>(`/api/runs/${encodeURIComponent(name)}`),
  captures: () => json<readonly CaptureSummary[]>('/api/captures'),
  options: (command: string) => json<OptionsSchema>(`/api/options/${encodeURIComponent(command)}`),

  async file(run: string, file: string): Promise<Blob> {
    return (await get(`/api/runs/${encodeURIComponent(run)}/files/${encodeURIComponent(file)}`)).blob();
  },

  /** HTTP status that the token gets; 0 where the server is not reached. */
  async status(): Promise<number> {
    try {
      return (await fetch('/api/runs', { headers: { authorization: `Bearer ${token()}` } })).status;
    } catch {
      return 0;
    }
  },
};
