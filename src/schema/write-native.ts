type Utf8Write = (this: Buffer, text: string, at: number, most: number) => number

/** Node's own method behind `write`, without the tests of its arguments: 10 ns less a string. */
const utf8Write = (Buffer.prototype as unknown as { readonly utf8Write?: Utf8Write }).utf8Write

/** UTF-8 at `at`, where there is room for three bytes a character; gives the number of bytes. */
export function writeNative(buffer: Buffer, text: string, at: number): number {
  const most = text.length * 3
  if (utf8Write === undefined) return buffer.write(text, at, most, 'utf8')
  return utf8Write.call(buffer, text, at, most)
}
