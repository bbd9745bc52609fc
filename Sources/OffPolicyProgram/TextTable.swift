// TextTable.swift — prints rows in aligned columns.

enum TextTable {
  /// Prints rows of equally many cells; the first one has the headings.
  ///
  /// - Parameter numeric: indices of the columns that are right-aligned.
  static func show(_ rows: [[String]], numeric: Set<Int> = []) {
    guard let first = rows.first else { return }
    let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return numeric.contains(column) ? space + row[column] : row[column] + space
      }
      var line = cells.joined(separator: "  ")
      while line.hasSuffix(" ") { line.removeLast() }
      print(line)
    }
  }
}
