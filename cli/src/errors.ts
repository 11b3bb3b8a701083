/** A fault in a file: the command exits 1. */
export class DataError extends Error {
  /** @param place the row or the line at fault, as the file's reader names it */
  constructor(file: string, problem: string, place?: string) {
    const name = printable(file, 200);
    super(place === undefined ? `${name}: ${problem}` : `${name}, ${place}: ${problem}`);
  }
}

/** A fault in the command as typed: it exits 2. */
export class UsageError extends Error {}

/** What the system said about `file`, without the code and the call that Node adds. */
export function systemError(file: string, error: unknown): DataError {
  const message = error instanceof Error ? error.message : String(error);
  const reason = /^[A-Z0-9]+: ([^,]+)/.exec(message);
  return new DataError(file, printable(reason === null ? message : reason[1], 300));
}

// What moves a terminal's cursor, changes its colours or the direction of its text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text from a file or a name, for one line of a terminal: nothing in it can act on the terminal. */
export function printable(text: string, longest = 60): string {
  const cut = text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
  return cut.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The same in double quotes. */
export function quote(text: string): string {
  return `"${printable(text).replaceAll('"', '\\"')}"`;
}

/** As a person lists things: "a", "b" and 3 more. */
export function list(names: readonly string[], most = 12): string {
  const shown = names.slice(0, most).map(quote).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
