import { wantsSlope } from '../elements/derivative';
import { Loss } from '../elements/evaluate';
import { State } from '../frame';
import { powerOf, prepareExponent, raise } from '../math/raise';
import { ONE, SMALLEST, and, equalMask, every, larger, read, splat, sub } from '../simd/lanes';
import { VectorStage, eachVector } from '../simd/stage';
import { V0 } from '../simd/tile';
import { Alpha, AlphaNegative, Modulation, Targets, get, put, slot } from '../slots';
import { prepareSoft, softDerivatives, weighedTerms } from './focal-soft';

// Focal loss of heatmaps (Law and Deng 2018, Zhou et al. 2019): q^g sp(-x) where y = 1, and (1 - y)^b p^g sp(x) elsewhere: the
// focal loss of the hard target y = 1, with an alpha for each element.

/** The heatmap loss of targets in [0, 1], with the fields gamma and beta for the exponents of p and of 1 - y. */
@final
@unmanaged
export class Heatmap extends Loss {
  @inline override readsNumbers(frame: usize): bool {
    return true;
  }

  @inline override filler(frame: usize): Float {
    return -Infinity;
  }

  @inline override prepare(frame: usize): void {
    prepareSoft(frame);
  }

  override terms(frame: usize, bytes: usize): i32 {
    const call = changetype<State>(frame);
    eachVector<DistanceFromPeak>(frame, 0, call.y, bytes);
    prepareExponent(frame, call.beta);
    raise(frame, powerOf(frame), bytes);
    prepareExponent(frame, call.gamma);
    eachVector<PeaksAlone>(frame, 0, call.y, bytes);
    call.y = frame + slot<Targets>();
    weighedTerms(frame, bytes);
    if (wantsSlope(frame)) softDerivatives(frame, bytes);
    return powerOf(frame);
  }
}

/** Modulation = 1 - y. */
@final
@unmanaged
class DistanceFromPeak extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    put<Modulation, V0>(frame + o, sub(every(ONE), read(y + o)));
  }
}

/** From (1 - y)^b as Modulation: the alphas of negatives, and 1 as the target of a peak, 0 of others. */
@final
@unmanaged
class PeaksAlone extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const one = every(ONE);
    // not 0, which an infinite loss would become
    put<AlphaNegative, V0>(at, larger(get<Modulation, V0>(at), splat(SMALLEST)));
    put<Targets, V0>(at, and(one, equalMask(read(y + o), one)));
  }
}
