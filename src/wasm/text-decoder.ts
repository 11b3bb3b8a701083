// @assemblyscript/loader makes a TextDecoder when it is imported, which jsdom lacks; the kernel passes no strings.
const TextDecoderOrNone = globalThis.TextDecoder ?? class {};

export { TextDecoderOrNone as TextDecoder };
