// ElementType.swift — the types of a tensor's elements, and their bytes.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The type of a tensor's elements. All are recognised, so that any valid file can be opened; `SafeTensors` reads the
/// values of F32, F64, U8, BOOL, U64 and I64.
public enum ElementType: String, Sendable, CaseIterable {
  // in the order of the format's own list, which writing follows
  case bool = "BOOL"
  case float4 = "F4"
  case float6E2M3 = "F6_E2M3"
  case float6E3M2 = "F6_E3M2"
  case uint8 = "U8"
  case int8 = "I8"
  case float8E5M2 = "F8_E5M2"
  case float8E4M3 = "F8_E4M3"
  case float8E8M0 = "F8_E8M0"
  case float8E4M3FNUZ = "F8_E4M3FNUZ"
  case float8E5M2FNUZ = "F8_E5M2FNUZ"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case complex64 = "C64"
  case float64 = "F64"
  case int64 = "I64"
  case uint64 = "U64"

  /// Bits of one element.
  public var bitCount: Int {
    switch self {
    case .float4: 4
    case .float6E2M3, .float6E3M2: 6
    case .bool, .uint8, .int8, .float8E5M2, .float8E4M3, .float8E8M0, .float8E4M3FNUZ, .float8E5M2FNUZ: 8
    case .int16, .uint16, .float16, .bfloat16: 16
    case .int32, .uint32, .float32: 32
    case .complex64, .float64, .int64, .uint64: 64
    }
  }

  /// The place in the format's list.
  var rank: Int { ElementType.allCases.firstIndex(of: self)! }
}

// little-endian words: the loops put values together from bytes, which the optimiser turns into plain loads and stores

extension Data {
  /// The elements made of four bytes each.
  package func words32<Element>(_ element: (UInt32) -> Element) -> [Element] {
    let bytes = span
    return [Element](capacity: bytes.count / 4) { elements in
      for k in 0..<bytes.count / 4 {
        let b = bytes.extracting(4 &* k..<4 &* k &+ 4)
        elements.append(element(UInt32(b[0]) | UInt32(b[1]) << 8 | UInt32(b[2]) << 16 | UInt32(b[3]) << 24))
      }
    }
  }

  /// The elements made of eight bytes each.
  package func words64<Element>(_ element: (UInt64) -> Element) -> [Element] {
    let bytes = span
    return [Element](capacity: bytes.count / 8) { elements in
      for k in 0..<bytes.count / 8 {
        let b = bytes.extracting(8 &* k..<8 &* k &+ 8)
        let low = UInt64(b[0]) | UInt64(b[1]) << 8 | UInt64(b[2]) << 16 | UInt64(b[3]) << 24
        let high = UInt64(b[4]) | UInt64(b[5]) << 8 | UInt64(b[6]) << 16 | UInt64(b[7]) << 24
        elements.append(element(low | high << 32))
      }
    }
  }

  package init<Element>(words32 elements: [Element], _ word: (Element) -> UInt32) {
    self.init(count: 4 * elements.count)
    let elements = elements.span
    var bytes = mutableBytes
    for k in elements.indices {
      bytes.storeBytes(of: word(elements[k]).littleEndian, toByteOffset: 4 &* k, as: UInt32.self)
    }
  }

  package init<Element>(words64 elements: [Element], _ word: (Element) -> UInt64) {
    self.init(count: 8 * elements.count)
    let elements = elements.span
    var bytes = mutableBytes
    for k in elements.indices {
      bytes.storeBytes(of: word(elements[k]).littleEndian, toByteOffset: 8 &* k, as: UInt64.self)
    }
  }
}
