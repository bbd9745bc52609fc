// Checks.swift — what every kernel over matrices and blocks has in common.
//
// Shapes are checked here once, then pointers go to the vectors. Every kernel works on a range of rows or of panels, so
// that workers share it without touching the same value.

/// Whether the kernels of 512 bits run.
@inline(__always)
var wide: Bool { Processor.instructionSet == .wide }

@inline(__always)
func check(_ rows: Range<Int>, _ total: Int) {
  precondition(rows.lowerBound >= 0 && rows.upperBound <= total, "rows \(rows) of \(total)")
}

@inline(__always)
func panelCount(_ columns: Int) -> Int { (columns + panelWidth - 1) / panelWidth }
