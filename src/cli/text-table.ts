/** Rows as aligned columns, the first row being their heads; numbers stand to the right. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map(row => (row[column] ?? '').length)),
  )
  const isNumber = widths.map((_, column) =>
    rows.slice(1).every(row => /^[\d,.]*$/.test(row[column] ?? '')),
  )
  const line = (row: readonly string[]): string => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0
      return isNumber[column] ? cell.padStart(width) : cell.padEnd(width)
    })
    return cells.join('  ').trimEnd()
  }
  return `${rows.map(line).join('\n')}\n`
}
