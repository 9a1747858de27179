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
  /** What a replay of it is started with. */
  readonly source?: string;
  readonly modifiedAt: string;
  readonly manifest: Facts | null;
}

/** The same with metrics.json and the names of its files. */
export interface RunDetails extends RunSummary {
  readonly files?: readonly string[];
  readonly metrics: Facts | null;
}

/** A sweep, or a report that stands alone, as the server lists it. */
export interface SweepSummary {
  readonly name: string;
  readonly kind: 'sweep' | 'report';
  readonly state: string | null;
  readonly startedAt: string | null;
  readonly points: number | null;
  readonly measured: number | null;
  readonly failed: number | null;
  /** Folder of its report. */
  readonly report: string | null;
}

export interface CaptureSummary {
  readonly name: string;
  /** What a replay of it is started with. */
  readonly source: string;
  readonly modifiedAt: string;
  readonly bytes: number;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly lengthS: number | null;
  readonly rateHz: number | null;
  readonly frequencyHz: number | null;
}

export interface PictureSummary {
  readonly name: string;
  readonly bytes: number;
}

export interface DeviceSummary {
  readonly uri: string;
  readonly about: string;
}

export class ApiError extends Error {}

async function get(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...init.headers, authorization: `Bearer ${token()}` };
  const answer = await fetch(path, { ...init, headers, cache: 'no-store' });
  if (answer.ok) return answer;
  const body = (await answer.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new ApiError(body?.error?.message ?? `${path}: the server answered ${answer.status}`);
}

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  return (await (await get(path, init)).json()) as T;
}

export const api = {
  runs: () => json<readonly RunSummary[]>('/api/runs'),
  run: (name: string) => json<RunDetails>(`/api/runs/${encodeURIComponent(name)}`),
  sweeps: () => json<readonly SweepSummary[]>('/api/sweeps'),
  captures: () => json<readonly CaptureSummary[]>('/api/captures'),
  pictures: () => json<readonly PictureSummary[]>('/api/pictures'),
  /** Boards that are connected, and what stands in for them. */
  devices: async () => (await json<{ devices?: readonly DeviceSummary[] }>('/api/devices')).devices ?? [],
  /** Gives the server a picture; its name there is the answer. */
  addPicture: async (file: File) =>
    (
      await json<{ name: string }>(`/api/pictures/${encodeURIComponent(file.name)}`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: file,
      })
    ).name,
  /** Address that opens a file of a run or recording once, without the token. */
  ticket: async (path: string) =>
    (
      await json<{ url: string }>('/api/tickets', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ path }),
      })
    ).url,
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
