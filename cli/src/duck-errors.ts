import { DataError, printable, quote } from './errors.js';

/** What the engine says of a Parquet file whose parts contradict each other, in words of its own. */
const DAMAGED = /TProtocolException|TTransportException|Out of buffer|Incorrect stats size/;

/** What the engine said, in one line and in the words of this command line. */
export function duckError(error: unknown, name: string): unknown {
  if (!(error instanceof Error) || error instanceof DataError || error.constructor.name !== 'Error') return error;
  const { message } = error;
  const file = /\n {2}file = ([^\n]+)/.exec(message)?.[1].trim() ?? name;
  const line = /^(?:[A-Za-z ]+: )?CSV Error on Line: (\d+)/.exec(message)?.[1];
  if (line !== undefined) return new DataError(file, csvProblem(message), `line ${line}`);
  if (/^Out of Memory|failed to (?:pin|allocate)/i.test(message)) {
    return new DataError(name, 'the engine needs more memory than it was given; --memory 1GB gives it more');
  }
  if (message.includes('state machine reached an invalid state')) {
    return new DataError(
      file,
      'expected rows of cells; lines end in different ways, \\r\\n and \\n, or a quote is out of place: write the file anew',
    );
  }
  const first = message.split('\n', 1)[0].replace(/^(?:[A-Z][A-Za-z]* )*Error: /, '');
  const about = [...first.matchAll(/['"]([^'"]+)['"]/g)].some(([, text]) => text === name) ? first : undefined;
  const extension = /install the required extension '(\w+)'/.exec(first)?.[1];
  if (extension !== undefined) {
    const remedy = 'download the file, or let the engine reach its extensions';
    return new DataError(
      name,
      `reading it needs the engine's extension ${extension}, which could not be fetched; ${remedy}`,
    );
  }
  const absent = /No files found(?: that match the pattern "(.+)")?/.exec(first);
  if (absent !== null) return new DataError(absent[1] ?? name, 'no such file');
  if (DAMAGED.test(first)) return new DataError(name, `the file is damaged: ${printable(first, 100)}; write it anew`);
  const text = printable(about ?? first, 300);
  return new DataError(name, /[.!?]$/.test(text) ? text.slice(0, -1) : text);
}

function csvProblem(message: string): string {
  const conversion = /Error when converting column "((?:[^"\n]|"")*)"\. Could not convert string "([\s\S]{0,100})/.exec(
    message,
  );
  if (conversion !== null) {
    const end = conversion[2].indexOf('" to ');
    const cell = end < 0 ? conversion[2] : conversion[2].slice(0, end);
    return `expected a number in column ${quote(conversion[1])}, got ${quote(cell)}`;
  }
  const cells = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message);
  if (cells !== null) return `expected ${cells[1]} cells, as on the first line, got ${cells[2]}`;
  if (/unterminated quote/i.test(message)) return 'a quote is not closed';
  if (/maximum line size/i.test(message)) return 'expected lines of at most 4 MiB';
  if (/utf-?8|unicode|encoding/i.test(message)) return 'expected text in UTF-8';
  const what = message.split('\n').find((text, i) => i > 0 && text !== '' && !text.startsWith('Original Line'));
  return printable(what ?? 'malformed', 200);
}
