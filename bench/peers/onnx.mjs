// The focal loss as an ONNX model, gamma 2, and its gradient by its formula: as few nodes as it takes. The format is protocol
// buffers, of which this writes the three kinds of fields that a model has.

const FLOAT = 1;
const IR_VERSION = 8;
const OPSET = 17;

const integer = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field, ...parts) => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
};

function varint(value) {
  const out = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128);
  return Buffer.from([...out, rest]);
}

const node = (type, inputs, output) =>
  bytes(1, ...inputs.map((input) => bytes(1, input)), bytes(2, output), bytes(4, type), ...(KEEP_NO_AXES[type] ?? []));

/** ReduceSum gives one number without axes. */
const KEEP_NO_AXES = { ReduceSum: [bytes(5, bytes(1, 'keepdims'), integer(3, 0), integer(20, 2))] };

const scalar = (name, value) =>
  bytes(5, integer(2, FLOAT), bytes(8, name), bytes(9, Buffer.from(Float32Array.of(value).buffer)));

const tensor = (field, name, shape) =>
  bytes(
    field,
    bytes(1, name),
    bytes(2, bytes(1, integer(1, FLOAT), bytes(2, ...shape.map((size) => bytes(1, bytes(2, size)))))),
  );

/** Inputs `logits` and `targets` of any length; outputs `loss`, the sum, and with `gradient` its derivative `grad`. */
export function focalModel(alpha, gradient) {
  const nodes = [
    node('Sigmoid', ['logits'], 'p'),
    node('Softplus', ['logits'], 'softplus'),
    node('Mul', ['logits', 'targets'], 'xy'),
    node('Sub', ['softplus', 'xy'], 'entropy'),
    // 1 - p_t = p + y - 2 p y
    node('Add', ['targets', 'targets'], 'y2'),
    node('Mul', ['p', 'y2'], 'py2'),
    node('Add', ['p', 'targets'], 'p+y'),
    node('Sub', ['p+y', 'py2'], 'q'),
    node('Mul', ['q', 'q'], 'q^2'),
    node('Mul', ['targets', 'slope'], 'ay'),
    node('Add', ['ay', 'alphaNegative'], 'alpha_t'),
    node('Mul', ['alpha_t', 'q^2'], 'factor'),
    node('Mul', ['factor', 'entropy'], 'losses'),
    node('ReduceSum', ['losses'], 'loss'),
  ];
  const derivative = [
    // (1 - 2 y) alpha_t q^2 (2 p_t entropy + q)
    node('Sub', ['one', 'q'], 'p_t'),
    node('Mul', ['p_t', 'entropy'], 'pl'),
    node('Add', ['pl', 'pl'], '2pl'),
    node('Add', ['2pl', 'q'], '2pl+q'),
    node('Sub', ['one', 'y2'], 'sign'),
    node('Mul', ['factor', '2pl+q'], 'size'),
    node('Mul', ['size', 'sign'], 'grad'),
  ];
  const graph = [
    ...nodes,
    ...(gradient ? [...derivative, scalar('one', 1)] : []),
    bytes(2, 'focal loss'),
    scalar('slope', 2 * alpha - 1),
    scalar('alphaNegative', 1 - alpha),
    tensor(11, 'logits', ['n']),
    tensor(11, 'targets', ['n']),
    tensor(12, 'loss', []),
    ...(gradient ? [tensor(12, 'grad', ['n'])] : []),
  ];
  return Buffer.concat([integer(1, IR_VERSION), bytes(7, ...graph), bytes(8, integer(2, OPSET))]);
}
