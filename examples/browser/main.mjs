import { FocalLoss } from 'focal-loss-wasm';

const element = (id) => document.getElementById(id);

function show() {
  const [logit, gamma] = ['logit', 'gamma'].map((id) => element(id).valueAsNumber);
  const { value, grad } = new FocalLoss({ gamma, alpha: null }).valueAndGrad([logit], [1]);
  element('shown-logit').value = logit;
  element('shown-gamma').value = gamma;
  element('loss').value = value.toPrecision(6);
  element('gradient').value = grad[0].toPrecision(6);
}

for (const id of ['logit', 'gamma']) element(id).addEventListener('input', show);
show();
