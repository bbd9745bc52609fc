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
  /// Booleans, a byte each.
  case bool = "BOOL"
  /// 4 bits, E2M1.
  case float4 = "F4"
  /// 6 bits: 2 of exponent, 3 of fraction.
  case float6E2M3 = "F6_E2M3"
  /// 6 bits: 3 of exponent, 2 of fraction.
  case float6E3M2 = "F6_E3M2"
  /// Whole numbers of 8 bits, from 0 on.
  case uint8 = "U8"
  /// Whole numbers of 8 bits.
  case int8 = "I8"
  /// 8 bits: 5 of exponent, 2 of fraction.
  case float8E5M2 = "F8_E5M2"
  /// 8 bits: 4 of exponent, 3 of fraction.
  case float8E4M3 = "F8_E4M3"
  /// 8 bits of exponent: powers of two.
  case float8E8M0 = "F8_E8M0"
  /// 8 bits, E4M3 without infinities and −0.
  case float8E4M3FNUZ = "F8_E4M3FNUZ"
  /// 8 bits, E5M2 without infinities and −0.
  case float8E5M2FNUZ = "F8_E5M2FNUZ"
  /// Whole numbers of 16 bits.
  case int16 = "I16"
  /// Whole numbers of 16 bits, from 0 on.
  case uint16 = "U16"
  /// IEEE 754 half precision.
  case float16 = "F16"
  /// The upper half of single precision.
  case bfloat16 = "BF16"
  /// Whole numbers of 32 bits.
  case int32 = "I32"
  /// Whole numbers of 32 bits, from 0 on.
  case uint32 = "U32"
  /// IEEE 754 single precision.
  case float32 = "F32"
  /// Two numbers in single precision: real and imaginary part.
  case complex64 = "C64"
  /// IEEE 754 double precision.
  case float64 = "F64"
  /// Whole numbers of 64 bits.
  case int64 = "I64"
  /// Whole numbers of 64 bits, from 0 on.
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
