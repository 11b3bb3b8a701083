// How far a call differentiates: a type parameter, so that a stage compiles only what is asked of it.
// Managed classes, though never made: idof, which tells them apart, takes no others.

@final
export class ValueOnly {}

/** The value, of a power that is taken from logarithms. */
@final
export class LogOnly {}

@final
export class WithSlope {}

@final
export class WithCurve {}
