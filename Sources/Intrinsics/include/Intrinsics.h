// Intrinsics.h — the few processor instructions that Swift has no word for. Those here are inlined into Swift.

#ifndef INTRINSICS_H
#define INTRINSICS_H

#include <stdbool.h>
#include <stdint.h>

#include "MatrixUnit.h"

typedef float FloatLanes __attribute__((ext_vector_type(16)));

/// a · b + c of 16 values, rounded once.
///
/// Swift's `addingProduct` of a SIMD16 is 16 scalar operations, which the optimiser puts together again. Where it fails, as it
/// did in Adam and in the normal values, the code takes twice the time.
static inline __attribute__((always_inline)) FloatLanes fusedMultiplyAdd(FloatLanes a, FloatLanes b, FloatLanes c) {
  return __builtin_elementwise_fma(a, b, c);
}

/// x₀ y₀ x₁ y₁ … x₇ y₇
static inline __attribute__((always_inline)) FloatLanes interleaveLow(FloatLanes x, FloatLanes y) {
  return __builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/// x₈ y₈ x₉ y₉ … x₁₅ y₁₅
static inline __attribute__((always_inline)) FloatLanes interleaveHigh(FloatLanes x, FloatLanes y) {
  return __builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/// Bit i says whether value i is not zero; NaN is not.
static inline __attribute__((always_inline)) uint16_t nonzeroLanes(FloatLanes x) {
  typedef bool Flags __attribute__((ext_vector_type(16)));
  union { Flags flags; uint16_t bits; } result = { .flags = __builtin_convertvector(x != 0, Flags) };
  return result.bits;
}

/// Bit i says whether word i of 64 has any of some bits.
static inline __attribute__((always_inline)) uint64_t wordsWithAny(const uint16_t *_Nonnull words, uint16_t bits) {
  typedef uint16_t Words __attribute__((ext_vector_type(64)));
  typedef bool Flags __attribute__((ext_vector_type(64)));
  Words all;
  __builtin_memcpy(&all, words, sizeof all);
  union { Flags flags; uint64_t bits; } result = { .flags = __builtin_convertvector((all & bits) != 0, Flags) };
  return result.bits;
}

/// Asks for a cache line that will be read soon; any address will do.
static inline __attribute__((always_inline)) void prefetch(const void *_Nonnull address) {
  __builtin_prefetch(address, 0, 3);
}

#endif
