import { expect, test } from 'vitest';
import { Progress } from '../src/progress.js';
import { Sink } from './support.js';

test('a bar on a terminal, cleared at the end', () => {
  const terminal = new Sink(true);
  const progress = new Progress(terminal, 0);
  progress.report(0.5);
  expect(terminal.text).toContain('reading ####################.................... 50% ');
  progress.stop();
  expect(terminal.text.endsWith('\x1b[2K')).toBe(true);
});

test('nothing elsewhere, and nothing on a terminal when the work is short', () => {
  const [file, terminal] = [new Sink(), new Sink(true)];
  const [onFile, onTerminal] = [new Progress(file, 0), new Progress(terminal)];
  onFile.report(0.5);
  onTerminal.report(0.5);
  onFile.stop();
  onTerminal.stop();
  expect([file.text, terminal.text]).toEqual(['', '']);
});
