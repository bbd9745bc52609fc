// StrokeFont.swift — the built-in font: characters made of strokes, for any size.

/// Characters on a grid of 16 rows: the base line is row 3, small letters reach row 9, capitals row 12. A unit is 0.7 / 9 of
/// the size.
enum StrokeFont {
  private static let unit = 0.7 / 9
  /// Space between two characters, in units.
  private static let gap = 2.6

  /// The length of a line of text, for size 1.
  static func width(of text: String) -> Double {
    let widths = text.map { Double(sign($0).width) + gap }
    return widths.isEmpty ? 0 : (widths.reduce(0, +) - gap) * unit
  }

  /// The strokes of a line of text for size 1: it begins at (0, 0) on the base line, y points down.
  static func lines(of text: String) -> [[SIMD2<Double>]] {
    var (lines, x): ([[SIMD2<Double>]], Double) = ([], 0)
    for character in text {
      let sign = sign(character)
      for stroke in sign.strokes { lines.append(stroke.map { unit * SIMD2($0.x + x, 3 - $0.y) }) }
      x += Double(sign.width) + gap
    }
    return lines
  }

  private struct Sign {
    /// In units.
    var width: Int
    var strokes: [[SIMD2<Double>]]
  }

  private static func sign(_ character: Character) -> Sign {
    let words = (signs[character] ?? unknown).split(separator: " ")
    return Sign(width: words[0].first?.hexDigitValue ?? 0, strokes: words.dropFirst().map(stroke))
  }

  /// `036C` is a line from (0, 3) to (6, 12). `~` before the points makes a curve from the first to the last, with those between
  /// as control points; `@` makes a closed curve.
  private static func stroke(_ word: Substring) -> [SIMD2<Double>] {
    let digits = word.compactMap(\.hexDigitValue).map(Double.init)
    let places = stride(from: 0, to: digits.count - 1, by: 2).map { SIMD2(digits[$0], digits[$0 + 1]) }
    switch word.first {
    case "~": return curve(places)
    case "@":
      let start = (places[0] + places[places.count - 1]) / 2
      return curve([start] + places + [start])
    default: return places
    }
  }

  /// Parabolas (quadratic Bézier curves) between the midpoints of neighbouring points, with the points as control points.
  private static func curve(_ places: [SIMD2<Double>]) -> [SIMD2<Double>] {
    guard places.count > 2 else { return places }
    var points = [places[0]]
    for index in 1..<places.count - 1 {
      let start = points[points.count - 1]
      let end = index == places.count - 2 ? places[index + 1] : (places[index] + places[index + 1]) / 2
      for step in 1...6 {
        let t = Double(step) / 6
        points.append((1 - t) * (1 - t) * start + 2 * t * (1 - t) * places[index] + t * t * end)
      }
    }
    return points
  }

  private static let unknown = "5 03535C0C03"

  // width, then strokes of (column, row)
  private static let signs: [Character: String] = [
    " ": "2",
    // capitals
    "A": "6 033C63 1656", "B": "6 030C ~0C5C5808 ~08686303", "C": "6 ~6A5C0C035365", "D": "6 030C ~0C6C6303",
    "E": "5 5C0C0353 0848", "F": "5 5C0C03 0848", "G": "6 ~6A5C0C036367 6737", "H": "6 030C 636C 0868",
    "I": "0 030C", "J": "4 4C46 ~46430305", "K": "6 030C 6C06 2863", "L": "5 0C0353", "M": "8 030C468C83",
    "N": "6 030C636C", "O": "7 @0C7C7303", "P": "6 030C ~0C6C6707", "Q": "7 @0C7C7303 4572",
    "R": "6 030C ~0C6C6707 3763", "S": "6 ~6A6C0C0868630305", "T": "6 0C6C 3C33", "U": "6 0C06 ~06036366 666C",
    "V": "6 0C336C", "W": "8 0C234A638C", "X": "6 036C 0C63", "Y": "6 0C386C 3833", "Z": "6 0C6C0363",
    // small letters
    "a": "5 @09595303 5953", "b": "5 0C03 @09595303", "c": "5 ~575909035355", "d": "5 5C53 @09595303",
    "e": "5 0656 ~565909034354", "f": "3 ~3C1C1A 1A13 0939", "g": "5 @09595303 5952 ~52500001",
    "h": "5 0C03 ~06095956 5653", "i": "0 0903 0C0C", "j": "2 2921 ~21200001 2C2C", "k": "4 0C03 4905 1643",
    "l": "1 0C04 ~040313", "m": "8 0903 ~06094946 4643 ~46498986 8683", "n": "5 0903 ~06095956 5653",
    "o": "5 @09595303", "p": "5 0900 @09595303", "q": "5 5950 @09595303", "r": "3 0903 ~060939",
    "s": "4 ~4849090646430304", "t": "3 1B14 ~141333 0939", "u": "5 0906 ~06035356 5953", "v": "4 092349",
    "w": "6 0913385369", "x": "4 0349 0943", "y": "4 0923 4910", "z": "4 09490343",
    // digits, all of the same width
    "0": "5 @0C5C5303", "1": "5 1A3C33", "2": "5 ~0A0C5C5803 0353", "3": "5 ~0A0C5C5828 ~2858530305",
    "4": "5 434C0656", "5": "5 5C0C08 ~0859530305", "6": "5 @08585303 ~5B4C0C05", "7": "5 0C5C23",
    "8": "5 @0C5C5808 @08585303", "9": "5 @0C5C5707 ~0413535A",
    // punctuation and operators
    ".": "0 0303", ",": "1 1301", ":": "0 0303 0808", ";": "1 1818 1301", "!": "0 0C06 0303",
    "?": "4 ~0A0C4C4826 2323", "'": "0 0C0A", "\"": "2 0C0A 2C2A", "(": "2 ~2D0B0321", ")": "2 ~0D2B2301",
    "[": "2 2D0D0222", "]": "2 0D2D2202", "/": "4 024D", "\\": "4 0D42", "|": "0 0D01", "_": "5 0252", "-": "3 0737",
    "–": "5 0757", "−": "5 0757", "+": "4 0747 2925", "±": "4 0848 2A26 0343", "=": "5 0858 0555", "<": "5 590653",
    ">": "5 095603", "×": "4 0945 0549", "*": "4 2B26 0A47 4A07", "·": "0 0707", "…": "6 0303 3333 6363",
    "%": "7 037C @0C3C3909 @46767343", "°": "2 @0C2C2A0A", "→": "6 0767 4967 4567", "∞": "8 @09494505 @49898545",
    "²": "3 ~0B0C2C2A08 0838",
    // Greek
    "α": "6 @09494303 ~694563", "γ": "4 092349 2320", "ε": "4 ~4849090626 ~2606034344", "θ": "5 @0C5C5303 0858",
    "λ": "5 0C1B53 2803", "μ": "5 0900 ~06035356 5953", "π": "5 0959 1913 4943", "ρ": "5 0600 @09595303",
    "σ": "6 @09595303 2969", "τ": "4 0949 2924 ~242333", "φ": "6 @09696303 3C30", "Δ": "6 03633C03",
    "Σ": "6 6C0C380363",
  ]
}
