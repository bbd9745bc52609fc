// FileKind.swift — recognises the kind of a file by its first bytes, for messages about a wrong one.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What the bytes are, in words; nil where they might be a safetensors file: its header begins with { at byte 8.
func otherKind(of bytes: Data) -> String? {
  let start = Array(bytes.prefix(256))
  guard start.count >= 8, start.count == 8 || start[8] != UInt8(ascii: "{") else { return nil }
  func begins(_ magic: [UInt8]) -> Bool { start.starts(with: magic) }
  if begins([0x50, 0x4b, 3, 4]) || begins([0x50, 0x4b, 5, 6]) {
    return "a zip archive, such as .npz or a PyTorch file"
  }
  if begins([0x89, 0x48, 0x44, 0x46]) { return "an HDF5 file" }
  if begins([0x93] + Array("NUMPY".utf8)) { return "a NumPy array" }
  if begins([0x1f, 0x8b]) { return "a gzip file: unpack it first" }
  if begins([0x80, 2]) || begins([0x80, 4]) { return "a Python pickle" }
  if begins(Array("version https://git-lfs".utf8)) { return "a pointer of Git LFS: fetch the file itself" }
  let isText = start.allSatisfy { 0x20..<0x7f ~= $0 || [9, 10, 12, 13, 27].contains($0) }
  return isText ? "a text file" : nil
}
