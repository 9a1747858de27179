import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Why tests with certificates are skipped here; false where they are not. */
export const NO_OPENSSL: string | false = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
  } catch {
    return 'openssl is not installed (Debian: apt-get install openssl)';
  }
  return false;
})();

export interface TestCertificates {
  /** PEM files: an authority, another that signed nothing here, and what the first signed. */
  readonly ca: string;
  readonly otherCa: string;
  readonly server: { readonly cert: string; readonly key: string };
  /** Of another host. */
  readonly misnamed: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

/** An authority with a certificate for `localhost` and 127.0.0.1 and one for a client, in a folder, good for a day. */
export async function makeCertificates(folder: string): Promise<TestCertificates> {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = (name: string) => {
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.pem`),
      '-days',
      '1',
      '-subj',
      `/CN=${name}`,
    );
  };
  const signed = async (name: string, extensions: string) => {
    openssl('req', ...newKey, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`);
    await writeFile(at(`${name}.ext`), extensions);
    const by = ['-CA', at('authority.pem'), '-CAkey', at('authority.key'), '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      ...by,
      '-out',
      at(`${name}.pem`),
      '-days',
      '1',
      '-extfile',
      at(`${name}.ext`),
    );
    return { cert: at(`${name}.pem`), key: at(`${name}.key`) };
  };
  authority('authority');
  authority('stranger');
  return {
    ...{ ca: at('authority.pem'), otherCa: at('stranger.pem') },
    server: await signed('server', 'subjectAltName=DNS:localhost,IP:127.0.0.1\n'),
    misnamed: await signed('misnamed', 'subjectAltName=DNS:elsewhere.example\n'),
    client: await signed('client', 'extendedKeyUsage=clientAuth\n'),
  };
}
