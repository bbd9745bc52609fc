// EventRecords.swift — TensorBoard's event files: records with masked CRC32C around a handful of protocol-buffer messages.
//
//   record   u64 length · u32 masked CRC of the length's bytes · data · u32 masked CRC of the data, all little-endian
//   masked   ((crc >> 15) | (crc << 17)) + 0xa282ead8  (mod 2³²)

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// One event as the bytes of a record.
package enum EventRecord {
  /// The event that a file begins with.
  package static func fileVersion(wallTime: Double) -> Data {
    var event = Message(wallTime: wallTime)
    event.add(3, "brain.Event:2")
    return framed(event.bytes)
  }

  /// Numbers at a step, each under its tag.
  package static func scalars(_ values: [(tag: String, value: Double)], step: Int, wallTime: Double) -> Data {
    var summary = Message()
    for (tag, value) in values {
      var entry = Message()
      entry.add(1, tag)
      entry.add(2, Float(value))
      summary.add(1, entry)
    }
    var event = Message(wallTime: wallTime)
    event.add(2, UInt64(step))
    event.add(5, summary)
    return framed(event.bytes)
  }

  /// The two events that TensorBoard's HPARAMS page reads: which settings there are, and this run's.
  ///
  /// - Parameters:
  ///   - group: runs of one group differ in their seed alone.
  ///   - metrics: tags of numbers that the page shows beside the settings.
  package static func hyperparameters(
    _ values: [(name: String, value: JSONValue)], group: String, metrics: [String], wallTime: Double
  ) -> Data {
    var experiment = Message()
    experiment.add(3, wallTime)
    var start = Message()
    for (name, value) in values {
      var (kind, number) = (UInt64(1), Message())
      switch value {
      case .number(let value): (kind, number) = (3, Message { $0.add(2, value) })
      case .bool(let value): (kind, number) = (2, Message { $0.add(4, UInt64(value ? 1 : 0)) })
      case .string(let value): number.add(3, value)
      default: number.add(3, value.text())
      }
      experiment.add(
        4,
        Message {
          $0.add(1, name)
          $0.add(4, kind)
        })
      start.add(
        1,
        Message {
          $0.add(1, name)
          $0.add(2, number)
        })
    }
    for metric in metrics { experiment.add(5, Message { $0.add(1, Message { $0.add(2, metric) }) }) }
    start.add(4, group)
    start.add(5, wallTime)
    return plugin("_hparams_/experiment", Message { $0.add(2, experiment) }, wallTime)
      + plugin("_hparams_/session_start_info", Message { $0.add(3, start) }, wallTime)
  }

  /// An event whose content a plugin reads from the metadata.
  private static func plugin(_ tag: String, _ content: Message, _ wallTime: Double) -> Data {
    let metadata = Message {
      $0.add(
        1,
        Message {
          $0.add(1, "hparams")
          $0.add(2, content)
        })
    }
    // a tensor of one zero: readers want a value
    let tensor = Message {
      $0.add(1, UInt64(1))
      $0.add(2, Message { $0.add(2, Message { $0.add(1, UInt64(1)) }) })
      $0.add(5, Message { $0.append(Float(0)) })
    }
    let entry = Message {
      $0.add(1, tag)
      $0.add(8, tensor)
      $0.add(9, metadata)
    }
    var event = Message(wallTime: wallTime)
    event.add(5, Message { $0.add(1, entry) })
    return framed(event.bytes)
  }

  // MARK: framing

  /// Bytes of a file's whole records up to the first one of a step after `step`.
  package static func length(_ file: [UInt8], through step: Int) -> Int {
    var place = 0
    while place + 16 <= file.count {
      var size = 0
      for i in (0..<8).reversed() { size = size << 8 | Int(file[place + i] & (i == 7 ? 0 : 0xff)) }
      guard size >= 0, size < 1 << 30, place + 16 + size <= file.count else { break }
      if let found = Self.step(of: file[(place + 12)..<(place + 12 + size)]), found > step { break }
      place += 16 + size
    }
    return place
  }

  /// The step of an event: its field 2, a varint.
  private static func step(of event: ArraySlice<UInt8>) -> Int? {
    var place = event.startIndex
    func varint() -> UInt64? {
      var (value, shift): (UInt64, UInt64) = (0, 0)
      while place < event.endIndex, shift < 64 {
        let byte = event[place]
        place += 1
        value |= UInt64(byte & 0x7f) << shift
        if byte & 0x80 == 0 { return value }
        shift += 7
      }
      return nil
    }
    while place < event.endIndex, let key = varint() {
      switch key & 7 {
      case 0:
        guard let value = varint() else { return nil }
        if key >> 3 == 2 { return Int(exactly: value) }
      case 1: place += 8
      case 2:
        guard let count = varint(), let size = Int(exactly: count), size <= event.endIndex - place else { return nil }
        place += size
      case 5: place += 4
      default: return nil
      }
    }
    return nil
  }

  package static func framed(_ data: Data) -> Data {
    var record = Data()
    record.append(littleEndian: UInt64(data.count))
    record.append(littleEndian: maskedChecksum(record))
    record.append(data)
    record.append(littleEndian: maskedChecksum(data))
    return record
  }

  package static func maskedChecksum(_ data: Data) -> UInt32 {
    let sum = checksum(data)
    return ((sum >> 15) | (sum << 17)) &+ 0xa282_ead8
  }

  /// CRC32C (Castagnoli).
  package static func checksum(_ data: Data) -> UInt32 {
    var sum: UInt32 = 0xffff_ffff
    for byte in data { sum = table[Int((sum ^ UInt32(byte)) & 0xff)] ^ (sum >> 8) }
    return ~sum
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? (value >> 1) ^ 0x82f6_3b78 : value >> 1 }
  }
}

/// A protocol-buffer message under construction.
private struct Message {
  private(set) var bytes = Data()

  init() {}

  init(_ fill: (inout Message) -> Void) { fill(&self) }

  init(wallTime: Double) { add(1, wallTime) }

  mutating func add(_ field: UInt64, _ value: UInt64) {
    varint(field << 3)
    varint(value)
  }

  mutating func add(_ field: UInt64, _ value: Double) {
    varint(field << 3 | 1)
    bytes.append(littleEndian: value.bitPattern)
  }

  mutating func add(_ field: UInt64, _ value: Float) {
    varint(field << 3 | 5)
    append(value)
  }

  mutating func add(_ field: UInt64, _ value: String) { add(field, Data(value.utf8)) }

  mutating func add(_ field: UInt64, _ value: Message) { add(field, value.bytes) }

  /// A number without its field, as packed lists have them.
  mutating func append(_ value: Float) { bytes.append(littleEndian: value.bitPattern) }

  private mutating func add(_ field: UInt64, _ value: Data) {
    varint(field << 3 | 2)
    varint(UInt64(value.count))
    bytes.append(value)
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

extension Data {
  fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
    for byte in 0..<(value.bitWidth / 8) { append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
  }
}
