import { wantsSlope } from '../elements/derivative';
import { Loss } from '../elements/evaluate';
import { State } from '../frame';
import { powerOf } from '../math/raise';
import { ONE, choose, every, greaterMask, read, splat, zero } from '../simd/lanes';
import { VectorStage, eachVector } from '../simd/stage';
import { V0 } from '../simd/tile';
import { Alpha, AlphaNegative, Modulation, get, put } from '../slots';
import { prepareSoft, softDerivatives, weighedTerms } from './focal-soft';

// Varifocal loss (Zhang et al. 2021): L = y B where y > 0, and A p^g sp(x) where it is 0, A the alpha of negatives: the soft focal
// loss with y for the alpha of an element, and no factor of its own.

/** The varifocal loss of targets in [0, 1]. */
@final
@unmanaged
export class Varifocal extends Loss {
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
    eachVector<WeighByTarget>(frame, 0, call.y, bytes);
    weighedTerms(frame, bytes);
    eachVector<KeepNegatives>(frame, 0, call.y, bytes);
    call.factorUpTo = 0;
    if (wantsSlope(frame)) softDerivatives(frame, bytes);
    return powerOf(frame);
  }
}

/** Alpha of either class: y, or A where that is 0. */
@final
@unmanaged
class WeighByTarget extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    const target = read(y + o);
    const negative = splat(<Float>changetype<State>(frame).alphaNegative);
    const weight = choose(target, negative, greaterMask(target, zero()));
    put<Alpha, V0>(at, weight);
    put<AlphaNegative, V0>(at, weight);
  }
}

/** Modulation = 1 where y > 0. */
@final
@unmanaged
class KeepNegatives extends VectorStage {
  @inline override vector(frame: usize, o: usize, x: usize, y: usize): void {
    const at = frame + o;
    put<Modulation, V0>(at, choose(every(ONE), get<Modulation, V0>(at), greaterMask(read(y + o), zero())));
  }
}
