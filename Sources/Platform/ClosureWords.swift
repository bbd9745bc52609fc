// ClosureWords.swift — a closure as two machine words, so that a worker gets it without a heap allocation.
//
// The language turns a closure that may not escape into one that can be stored only by allocating. A phase's closure need
// not escape: the call that publishes it returns after every worker is done with it. So it is handed over as its function
// and its context, which is how it is passed in registers anyway.

/// A closure's function and context. Valid until the function that the closure was passed to returns.
struct ClosureWords {
  let function: UnsafeRawPointer
  let context: UnsafeRawPointer?

  init(_ body: (Int) -> Void) {
    let whole = TakesWords { ClosureWords(function: $0, context: $1) }
    self = unsafeBitCast(whole, to: TakesClosure.self).words(body)
  }

  /// Calls the closure.
  func callAsFunction(_ argument: Int) {
    unsafeBitCast(CallsClosure { $0($1) }, to: CallsWords.self).call(function, context, argument)
  }

  private init(function: UnsafeRawPointer, context: UnsafeRawPointer?) {
    (self.function, self.context) = (function, context)
  }

  // in structs, because a function passed on its own as a generic value would be wrapped into another convention

  private struct TakesWords { let words: (UnsafeRawPointer, UnsafeRawPointer?) -> ClosureWords }
  private struct TakesClosure { let words: ((Int) -> Void) -> ClosureWords }
  private struct CallsClosure { let call: ((Int) -> Void, Int) -> Void }
  private struct CallsWords { let call: (UnsafeRawPointer, UnsafeRawPointer?, Int) -> Void }
}
