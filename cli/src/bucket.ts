/** Scores that are close to each other, by class. */
export interface Bucket {
  readonly low: number;
  readonly high: number;
  readonly negatives: number;
  readonly positives: number;
  /** The mean score of the negatives in it, and that of the positives. */
  readonly negativeScore: number;
  readonly positiveScore: number;
}
