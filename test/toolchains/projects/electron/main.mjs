import { app, BrowserWindow } from 'electron';
import { FocalLoss } from 'focal-loss-wasm';
import known from './known.json' with { type: 'json' };

const { logits, labels, mean, ...options } = known;

app.whenReady().then(async () => {
  let same = new FocalLoss(options).forward(logits, labels) === mean;
  const window = new BrowserWindow({ show: false });
  await window.loadFile('index.html');
  const script = `import('./node_modules/focal-loss-wasm/dist/index.js').then(({ FocalLoss }) =>
    new FocalLoss(${JSON.stringify(options)}).forward(${JSON.stringify(logits)}, ${JSON.stringify(labels)}))`;
  same &&= (await window.webContents.executeJavaScript(script)) === mean;
  app.exit(same ? 0 : 1);
});
