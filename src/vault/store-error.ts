// What is said when something could not be stored. The sentence always ends with what is true now.

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the quota is used up',
  EIO: 'the disk reports an error',
  EISDIR: 'it is a folder',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'it is gone',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of its path is not a folder',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
};

const WHAT_IS_TRUE = {
  true: 'the new content is there, but a power cut may bring the old one back',
  false: 'the file is as it was',
};

/** What is true if an operation fails. */
export interface StoreState {
  readonly replaced: boolean;
  /** The end of the sentence, where it is no file of the operator. */
  readonly now?: string;
}

/** A file could not be written. Its message holds no content, only the path and the reason. */
export class StoreError extends Error {
  override name = 'StoreError' as const;
  /** The file that was to be written. */
  readonly path: string;
  /** The system's error code, null where the reason is another. */
  readonly code: string | null;
  /**
   * False: the file is as it was before. True: the new content stands in it, but a power cut may
   * bring the old one back.
   */
  readonly replaced: boolean;

  constructor(path: string, reason: string, state: StoreState & { code: string | null }) {
    super(`cannot write ${path}: ${reason}; ${state.now ?? WHAT_IS_TRUE[`${state.replaced}`]}`);
    this.path = path;
    this.code = state.code;
    this.replaced = state.replaced;
  }
}

/** Gives the code of a system error, null for any other error. */
export function systemCode(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : null;
}

/** Runs an operation on behalf of the file at `path`; a system error becomes a `StoreError`. */
export async function storing<T>(
  path: string,
  state: StoreState,
  operation: () => Promise<T>,
): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof StoreError || code === null) throw error;
    const reason = `${WORDS[code] ?? 'the system refused'} (${code})`;
    throw new StoreError(path, reason, { ...state, code });
  }
}
