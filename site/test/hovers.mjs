// What an editor shows, asked of TypeScript's language service about the published declarations.
import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../scripts/paths.mjs';

const FILE = join(root, 'site/test/hovered.ts');
const TEXT = `import { FocalLoss, focalPosterior, SoftmaxFocalLoss } from 'focal-loss-wasm';
const criterion = new FocalLoss({ gamma: 2, alpha: 0.25, posWeight: 3, labelSmoothing: 0.1 });
new SoftmaxFocalLoss({ numClasses: 3 });
focalPosterior([0], { gamma: 2 });
criterion.forward([0], [1]);
new FocalLoss({ gama: 2 });
new FocalLoss({ alpha: 'none' });
`;

/** By what is pointed at: what the text must say. */
const TOLD = {
  'FocalLoss({ gamma': [
    /`gamma` in \[0, 64\],\s+default 1\.5/,
    /`alpha` in \[0, 1\] or null, default 0\.25/,
    /`reduction`/,
  ],
  'gamma: 2, alpha': [/\(1 - p_t\)\^gamma/, /\[0, 64\]/, /Default 1\.5/],
  'alpha: 0.25': [/positives/i, /\[0, 1\]/, /Default\s+0\.25/],
  posWeight: [/positive/i, />= 0/, /Default 1/],
  labelSmoothing: [/target/, /\[0, 1\)/, /Default 0/],
  numClasses: [/class axis/, />= 1/],
  'focalPosterior([': [/probability/, /arxiv\.org\/abs\/2011\.09172/],
  forward: [/\): number/],
};

/** Throws where a hover does not tell what it must, or where the message for a wrong option does not name it. */
export function checkHovers() {
  const service = ts.createLanguageService(hostOf(FILE, TEXT));
  for (const [at, told] of Object.entries(TOLD)) {
    const info = service.getQuickInfoAtPosition(FILE, TEXT.indexOf(at, TEXT.indexOf('\n')));
    const tags = info?.tags?.flatMap(({ text }) => text ?? []) ?? [];
    const text = ts.displayPartsToString([...(info?.displayParts ?? []), ...(info?.documentation ?? []), ...tags]);
    const missing = told.find((pattern) => !pattern.test(text));
    if (missing !== undefined) throw new Error(`hovering over ${at} expected ${missing}, got ${text}`);
  }
  const problems = service
    .getSemanticDiagnostics(FILE)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  const named = [/'gama' does not exist/, /Type 'string' is not assignable/].filter(
    (pattern) => !problems.some((problem) => pattern.test(problem)),
  );
  if (problems.length !== 2 || named.length > 0) throw new Error(`two wrong options gave ${problems.join(' | ')}`);
  return `${Object.keys(TOLD).length} hovers`;
}

function hostOf(file, text) {
  const { sys } = ts;
  return {
    ...sys,
    useCaseSensitiveFileNames: () => sys.useCaseSensitiveFileNames,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => {
      const content = name === file ? text : sys.readFile(name);
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
    },
    getCurrentDirectory: () => root,
    getCompilationSettings: () => ({
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      strict: true,
      types: [],
    }),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  };
}
