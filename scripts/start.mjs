// Scores the bundled data, prints the summary, and writes the report beside it.   npm start
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const cwd = fileURLToPath(new URL('..', import.meta.url));
const data = ['examples/fashion-mnist/logits.npy', 'examples/fashion-mnist/targets.npy'];
const options = ['--gamma', '2', '--alpha', '0.75', '--top', '5'];
const run = (command, ...more) =>
  execFileSync(process.execPath, ['cli/dist/main.js', command, ...data, ...options, ...more], {
    cwd,
    stdio: 'inherit',
  });

run('score');
console.log();
run('report', '--title', 'Shirts in Fashion-MNIST', '--out', 'report.html', '--force');
