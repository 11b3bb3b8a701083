// The window and the counts, for Prometheus to fetch and for OpenTelemetry to be sent.
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import client from 'prom-client';

/** Name, help, and value or values by class. */
const GAUGES = [
  [
    'focal_window_labels',
    'Labelled predictions in the window, by class',
    ({ loss }) => byClass(loss.positives, loss.negatives),
  ],
  [
    'focal_window_loss',
    'Sum of the focal loss in the window, by class',
    ({ loss }) => byClass(loss.sumPositives, loss.sumNegatives),
  ],
  ['focal_window_mean_loss', 'Mean focal loss in the window', ({ loss }) => loss.mean],
  ['focal_window_nan', 'Predictions in the window whose loss is not a number', ({ loss }) => loss.nan],
  ['focal_window_ece', 'Expected calibration error in the window', ({ calibration }) => calibration.ece],
  ['focal_window_mce', 'Maximum calibration error in the window', ({ calibration }) => calibration.mce],
  ['focal_window_brier', 'Brier score in the window', ({ calibration }) => calibration.brier],
  ['focal_window_log_loss', 'Log loss in the window', ({ calibration }) => calibration.logLoss],
];

const COUNTERS = {
  predictions: ['focal_predictions_total', 'Predictions that were answered'],
  labels: ['focal_labels_total', 'Labels that were counted in the window'],
  unknown: [
    'focal_labels_unknown_total',
    'Labels of predictions that nobody waits for: never made, labelled before, or forgotten',
  ],
  forgotten: [
    'focal_predictions_forgotten_total',
    'Predictions that made room for newer ones before they were labelled',
  ],
  lost: ['focal_labels_lost_total', 'Labels that a worker took with it when it died'],
  refused: ['focal_requests_refused_total', 'Requests that were answered with 400'],
  deaths: ['focal_worker_deaths_total', 'Workers that ended on their own'],
  unsaved: ['focal_saves_failed_total', 'Times that the state could not be written'],
};

export const newCounts = () => Object.fromEntries(Object.keys(COUNTERS).map((key) => [key, 0]));

function byClass(positive, negative) {
  return { positive, negative };
}

function totals(window) {
  window.expire();
  return { loss: window.total.loss.compute(), calibration: window.total.calibration.compute() };
}

/** A registry whose numbers are made when they are asked for. */
export function prometheus(window, counts, pending) {
  const registers = [new client.Registry()];
  for (const [name, help, of] of GAUGES) {
    const labelNames = typeof of(totals(window)) === 'object' ? ['class'] : [];
    new client.Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        const value = of(totals(window));
        if (typeof value === 'number') return this.set(value);
        for (const [label, number] of Object.entries(value)) this.set({ class: label }, number);
      },
    });
  }
  for (const [key, [name, help]] of Object.entries(COUNTERS)) {
    new client.Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(counts[key]);
      },
    });
  }
  new client.Gauge({
    name: 'focal_predictions_pending',
    help: 'Predictions that wait for their label',
    registers,
    collect() {
      this.set(pending.size);
    },
  });
  client.collectDefaultMetrics({ register: registers[0] });
  return registers[0];
}

/** Sends the same numbers to a collector, such as http://localhost:4318/v1/metrics; returns how to end that. */
export function openTelemetry(window, counts, url, seconds) {
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url }),
    exportIntervalMillis: 1000 * seconds,
    exportTimeoutMillis: 1000 * seconds,
  });
  const provider = new MeterProvider({ readers: [reader] });
  const meter = provider.getMeter('focal-loss-monitoring');
  const gauges = GAUGES.map(([name, description]) => meter.createObservableGauge(name, { description }));
  const counters = Object.entries(COUNTERS).map(([key, [name, description]]) => [
    key,
    meter.createObservableCounter(name.replace(/_total$/, ''), { description }),
  ]);
  meter.addBatchObservableCallback(
    (result) => {
      const now = totals(window);
      GAUGES.forEach(([, , of], k) => {
        const value = of(now);
        if (typeof value === 'number') result.observe(gauges[k], value);
        else for (const [label, number] of Object.entries(value)) result.observe(gauges[k], number, { class: label });
      });
      for (const [key, counter] of counters) result.observe(counter, counts[key]);
    },
    [...gauges, ...counters.map(([, counter]) => counter)],
  );
  return () => provider.shutdown();
}
