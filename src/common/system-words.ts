/** What the system says of a path, in words; its own messages repeat call and path. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of it is no folder',
  EISDIR: 'is a folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
};

/** Why a path could not be used; the code of the error, or its message, where there are no words for it. */
export function systemWords(error: unknown): string {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  return WORDS[code ?? ''] ?? code ?? message ?? 'error';
}

/** "PATH: WHY" of an error by which the system refused a path; null for any other error. */
export function pathRefusal(error: unknown): string | null {
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  return path && WORDS[code ?? ''] ? `${path}: ${systemWords(error)}` : null;
}
