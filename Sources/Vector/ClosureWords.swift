// ClosureWords.swift — a closure as the two words it is, so that a worker can be told of one without a heap box.
//
// The language turns a closure that may not escape into one that can be stored only by allocating. A phase's closure
// does outlive nothing: the call that publishes it returns after every worker is done with it. So it is handed over as
// its function and its context, which is how it is passed in registers anyway; `WorkerPool` declares these two symbols
// with a closure in the place of the words. Not part of `Vector512`: a symbol may be defined once.

// a tuple: a type of its own would come with helpers that every module emits under the same names, here with AVX in them
/// A closure's function and context.
package typealias ClosureWords = (function: UnsafeRawPointer, context: UnsafeRawPointer?)

@_silgen_name("offpolicy_closure_words")
package func closureWords(_ function: UnsafeRawPointer, _ context: UnsafeRawPointer?) -> ClosureWords {
  (function, context)
}

@_silgen_name("offpolicy_call_closure")
package func callClosure(_ body: (Int) -> Void, _ argument: Int) { body(argument) }
