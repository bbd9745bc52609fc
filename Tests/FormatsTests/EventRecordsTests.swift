// EventRecordsTests.swift — the bytes of TensorBoard's event files.

import Foundation
import Testing

@testable import Formats

@Suite struct EventRecordsTests {
  @Test func checksumsAreThoseOfTensorBoardsOwnTests() {
    #expect(EventRecord.checksum(Data(count: 32)) == 0x8a91_36aa)
    #expect(EventRecord.maskedChecksum(Data("\u{1a}\u{11}CRC test, one two".utf8)) == 0x5794_d08a)
  }

  @Test func aRecordIsItsLengthItsDataAndTheirChecksums() {
    let record = [UInt8](EventRecord.framed(Data([1, 2, 3])))
    #expect(record.count == 8 + 4 + 3 + 4)
    #expect(Array(record[0..<8]) == [3, 0, 0, 0, 0, 0, 0, 0] && Array(record[12..<15]) == [1, 2, 3])
  }

  @Test func theFirstEventNamesTheVersion() {
    let data = EventRecord.fileVersion(wallTime: 1)
    // field 1, a double of 1; field 3, text
    #expect([UInt8](data[12..<23]) == [9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x1a, 13])
    #expect(String(decoding: data[23..<36], as: UTF8.self) == "brain.Event:2")
  }

  @Test func aScalarHasStepTagAndValue() {
    let data = [UInt8](EventRecord.scalars([("a/b", 0.5)], step: 300, wallTime: 0))
    // after the time: step 300 as a varint, a summary of 12 bytes, its value of 10
    #expect(Array(data[21..<24]) == [0x10, 0xac, 0x02])
    #expect(Array(data[24..<28]) == [0x2a, 12, 0x0a, 10])
    #expect(Array(data[28..<33]) == [0x0a, 3] + Array("a/b".utf8))
    #expect(Array(data[33..<38]) == [0x15, 0, 0, 0, 0x3f])
  }
}
