import { Component } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { FocalLoss } from 'focal-loss-wasm';
import known from '../known.json';

@Component({ selector: 'app-root', template: '<p>{{ loss }}</p>' })
class App {
  readonly loss: number;

  constructor() {
    const { gamma, alpha, logits, labels } = known;
    this.loss = new FocalLoss({ gamma, alpha }).forward(logits, labels);
    console.log(`loss ${this.loss}`);
  }
}

bootstrapApplication(App);
