// IndexedPicture.swift — a picture with a palette: exact if it has few colours, else reduced to 256.

struct IndexedPicture {
  let width: Int
  let height: Int
  var palette: [SIMD3<UInt8>]
  /// The palette index of each pixel, row by row (height × width).
  var places: [UInt8]

  /// A palette of all colours of the picture, in the order of their first pixels; nil where there are more than `limit`.
  init?(exactly canvas: Canvas, limit: Int = 256) {
    var known: [Int: UInt8] = [:]
    (palette, places) = ([], [])
    places.reserveCapacity(canvas.width * canvas.height)
    let pixels = canvas.pixels
    var (last, lastPlace) = (-1, UInt8(0))
    for at in stride(from: 0, to: pixels.count, by: 3) {
      let key = Int(pixels[at]) << 16 | Int(pixels[at + 1]) << 8 | Int(pixels[at + 2])
      if key != last {
        if let place = known[key] {
          lastPlace = place
        } else {
          guard palette.count < limit else { return nil }
          lastPlace = UInt8(palette.count)
          known[key] = lastPlace
          palette.append([pixels[at], pixels[at + 1], pixels[at + 2]])
        }
        last = key
      }
      places.append(lastPlace)
    }
    (width, height) = (canvas.width, canvas.height)
  }

  /// A palette of at most 256 colours, chosen by median cut (Heckbert 1982): the box of colours with the largest weighted side is
  /// cut at its median until there are enough boxes, and each box becomes its mean colour.
  init(_ canvas: Canvas) {
    if let exact = IndexedPicture(exactly: canvas) {
      self = exact
      return
    }
    // a histogram of colours with 5 bits a channel: the number of pixels and the sums of their channels
    var cells = [Cell](repeating: Cell(), count: 1 << 15)
    let pixels = canvas.pixels
    for at in stride(from: 0, to: pixels.count, by: 3) {
      let colour = SIMD3(Int(pixels[at]), Int(pixels[at + 1]), Int(pixels[at + 2]))
      cells[Self.key(colour)].count += 1
      cells[Self.key(colour)].sum &+= colour
    }
    let used = cells.indices.filter { cells[$0].count > 0 }
    var boxes = [Box(used[...], cells)]
    while boxes.count < 256, let index = boxes.indices.max(by: { boxes[$0].spread < boxes[$1].spread }),
      boxes[index].spread > 0
    {
      let (first, second) = boxes[index].halves(cells)
      boxes[index] = first
      boxes.append(second)
    }
    palette = boxes.map { $0.mean(cells) }
    var placeOfCell = [UInt8](repeating: 0, count: cells.count)
    for (place, box) in boxes.enumerated() {
      for cell in box.cells { placeOfCell[cell] = UInt8(place) }
    }
    places = stride(from: 0, to: pixels.count, by: 3).map { at in
      placeOfCell[Self.key(SIMD3(Int(pixels[at]), Int(pixels[at + 1]), Int(pixels[at + 2])))]
    }
    (width, height) = (canvas.width, canvas.height)
  }

  private static func key(_ colour: SIMD3<Int>) -> Int {
    (colour.x >> 3) << 10 | (colour.y >> 3) << 5 | colour.z >> 3
  }

  private struct Cell {
    var count = 0
    var sum = SIMD3<Int>.zero
  }

  /// A box: a range of cells of the histogram.
  private struct Box {
    var cells: [Int]
    /// Length of the widest side in cells, times the square root of the number of pixels; 0 for a single cell.
    var spread: Double
    private var shift = 0

    init(_ cells: ArraySlice<Int>, _ all: [Cell]) {
      self.cells = Array(cells)
      let pixels = cells.reduce(0) { $0 + all[$1].count }
      spread = 0
      for shift in [10, 5, 0] {
        let values = cells.map { $0 >> shift & 31 }
        let length = Double((values.max() ?? 0) - (values.min() ?? 0)) * Double(pixels).squareRoot()
        if length > spread { (spread, self.shift) = (length, shift) }
      }
    }

    func halves(_ all: [Cell]) -> (Box, Box) {
      let sorted = cells.sorted { ($0 >> shift & 31, $0) < ($1 >> shift & 31, $1) }
      let half = sorted.reduce(0) { $0 + all[$1].count } / 2
      var (index, sum) = (0, 0)
      while index < sorted.count - 2, sum + all[sorted[index]].count <= half {
        sum += all[sorted[index]].count
        index += 1
      }
      let cut = max(1, index)
      return (Box(sorted[..<cut], all), Box(sorted[cut...], all))
    }

    func mean(_ all: [Cell]) -> SIMD3<UInt8> {
      let count = cells.reduce(0) { $0 + all[$1].count }
      let sum = cells.reduce(SIMD3<Int>.zero) { $0 &+ all[$1].sum }
      return SIMD3(
        UInt8((sum.x + count / 2) / count), UInt8((sum.y + count / 2) / count), UInt8((sum.z + count / 2) / count))
    }
  }
}
