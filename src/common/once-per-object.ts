/**
 * `make`, called once for each object that it is given: the result is kept for as long as the
 * object is. Of objects that nobody changes.
 */
export function oncePerObject<From extends object, Made>(
  make: (from: From) => Made,
): (from: From) => Made {
  const made = new WeakMap<From, { readonly value: Made }>()
  return from => {
    const known = made.get(from)
    if (known !== undefined) return known.value
    const value = make(from)
    made.set(from, { value })
    return value
  }
}
