import type { LossEntry } from '../losses/registry.js';

export function curves(losses: readonly LossEntry[]): string;
