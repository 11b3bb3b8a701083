/** A fault in a file: the command exits 1. */
export class DataError extends Error {
  /** @param place the row or the line at fault, as the file's reader names it */
  constructor(file: string, problem: string, place?: string) {
    super(place === undefined ? `${file}: ${problem}` : `${file}, ${place}: ${problem}`);
  }
}

/** A fault in the command as typed: it exits 2. */
export class UsageError extends Error {}

/** What the system said about `file`, without the code and the call that Node adds. */
export function systemError(file: string, error: unknown): DataError {
  const message = error instanceof Error ? error.message : String(error);
  const reason = /^[A-Z0-9]+: ([^,]+)/.exec(message);
  return new DataError(file, reason === null ? message : reason[1]);
}

/** Text from a file, quoted and short enough for one line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
