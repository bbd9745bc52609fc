// FixedArray.swift — a fixed number of things that cannot be copied, such as the matrices of a network's layers.

@safe
@usableFromInline
package struct FixedArray<Element: ~Copyable>: ~Copyable {
  @usableFromInline package let count: Int
  @usableFromInline let pointer: UnsafeMutablePointer<Element>

  package init(count: Int, _ make: (Int) -> Element) {
    precondition(count >= 0, "an array of \(count) elements")
    self.count = count
    pointer = .allocate(capacity: max(1, count))
    for i in 0..<count { (pointer + i).initialize(to: make(i)) }
  }

  deinit {
    pointer.deinitialize(count: count)
    pointer.deallocate()
  }

  @inlinable
  package subscript(index: Int) -> Element {
    @_transparent
    unsafeAddress {
      precondition(index >= 0 && index < count, "element \(index) of \(count)")
      return UnsafePointer(pointer + index)
    }
  }
}

extension FixedArray: @unchecked Sendable where Element: Sendable & ~Copyable {}
