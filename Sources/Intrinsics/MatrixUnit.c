// MatrixUnit.c — see MatrixUnit.h.

#include "MatrixUnit.h"

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNIT __attribute__((target("amx-tile,amx-bf16,avx512f")))

enum { requestPermission = 0x1023, tileData = 18, rowValues = 16, rowBytes = 64, square = 256 };

bool allowMatrixUnit(void) { return syscall(SYS_arch_prctl, requestPermission, tileData) == 0; }

/// All eight tiles whole: 16 rows of 64 bytes.
static const struct {
  uint8_t palette, startRow, reserved[14];
  uint16_t rowBytes[16];
  uint8_t rows[16];
} wholeTiles __attribute__((aligned(64))) = {
    .palette = 1, .rowBytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

UNIT void enterMatrixUnit(void) { _tile_loadconfig(&wholeTiles); }

UNIT void leaveMatrixUnit(void) { _tile_release(); }

/// Values rounded to the upper half of their bits; a NaN may become a zero here, but then what is left stays NaN.
UNIT static inline __m512i rounded(__m512 x) {
  __m512i bits = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
  return _mm512_and_si512(bits, _mm512_set1_epi32((int)0xffff0000));
}

/// The pairs of one part, and what it leaves of the values.
UNIT static inline __m512i takePart(__m512 *low, __m512 *high) {
  __m512i x = rounded(*low), y = rounded(*high);
  *low = _mm512_sub_ps(*low, _mm512_castsi512_ps(x));
  *high = _mm512_sub_ps(*high, _mm512_castsi512_ps(y));
  return _mm512_or_si512(_mm512_srli_epi32(x, 16), y);
}

/// The pairs of the last part: all that is left, in the upper half of its bits.
UNIT static inline __m512i takeRest(__m512 low, __m512 high) {
  return _mm512_or_si512(
      _mm512_srli_epi32(_mm512_castps_si512(low), 16),
      _mm512_and_si512(_mm512_castps_si512(high), _mm512_set1_epi32((int)0xffff0000)));
}

UNIT static inline __attribute__((always_inline)) void splitRow(__m512 low, __m512 high, char *target) {
  _mm512_store_si512(target, takePart(&low, &high));
  _mm512_store_si512(target + tileBytes, takePart(&low, &high));
  _mm512_store_si512(target + 2 * tileBytes, takeRest(low, high));
}

UNIT void splitRows(const float *low, long lowRows, const float *high, long highRows, void *tile) {
  char *target = tile;
  if (lowRows >= 16 && highRows >= 16) {
#pragma clang loop unroll_count(4)
    for (long r = 0; r < 16; r++) {
      splitRow(_mm512_loadu_ps(low + r * rowValues), _mm512_loadu_ps(high + r * rowValues), target + r * rowBytes);
    }
    return;
  }
  for (long r = 0; r < 16; r++) {
    splitRow(
        r < lowRows ? _mm512_loadu_ps(low + r * rowValues) : _mm512_setzero_ps(),
        r < highRows ? _mm512_loadu_ps(high + r * rowValues) : _mm512_setzero_ps(), target + r * rowBytes);
  }
}

/// Transposes 16 × 16 pairs in place: interleaving row r with row r + 8 four times over.
UNIT static inline void transpose(char *tile) {
  __m512i a[16], b[16];
  const __m512i lower = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const __m512i upper = _mm512_set_epi32(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8);
  for (int r = 0; r < 16; r++) a[r] = _mm512_load_si512(tile + r * rowBytes);
#pragma clang loop unroll(full)
  for (int round = 0; round < 4; round++) {
    for (int r = 0; r < 8; r++) {
      b[2 * r] = _mm512_permutex2var_epi32(a[r], lower, a[r + 8]);
      b[2 * r + 1] = _mm512_permutex2var_epi32(a[r], upper, a[r + 8]);
    }
    for (int r = 0; r < 16; r++) a[r] = b[r];
  }
  for (int r = 0; r < 16; r++) _mm512_store_si512(tile + r * rowBytes, a[r]);
}

UNIT void splitColumns(const float *low, long lowRows, const float *high, long highRows, void *tile) {
  splitRows(low, lowRows, high, highRows, tile);
  for (int part = 0; part < 3; part++) transpose((char *)tile + part * tileBytes);
}

/// Tiles 0 to 3 are the sums, 4 and 5 a part of a₀ and a₁, 6 and 7 of b₀ and b₁. From product to product one operand changes.
UNIT static inline __attribute__((always_inline)) void multiply(
    const char *a, ptrdiff_t nextA, const char *b, ptrdiff_t nextB, long blocks, bool adding, float *sums, bool twoA,
    bool twoB) {
#define LOAD_A(part) \
  _tile_loadd(4, a + part * tileBytes, rowBytes); \
  if (twoA) _tile_loadd(5, a + nextA + part * tileBytes, rowBytes);
#define LOAD_B(part) \
  _tile_loadd(6, b + part * tileBytes, rowBytes); \
  if (twoB) _tile_loadd(7, b + nextB + part * tileBytes, rowBytes);
#define PRODUCTS \
  _tile_dpbf16ps(0, 4, 6); \
  if (twoB) _tile_dpbf16ps(1, 4, 7); \
  if (twoA) _tile_dpbf16ps(2, 5, 6); \
  if (twoA && twoB) _tile_dpbf16ps(3, 5, 7);

  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  if (adding) {
    _tile_loadd(0, sums, rowBytes);
    if (twoB) _tile_loadd(1, sums + square, rowBytes);
    if (twoA) _tile_loadd(2, sums + 2 * square, rowBytes);
    if (twoA && twoB) _tile_loadd(3, sums + 3 * square, rowBytes);
  }
  for (long block = 0; block < blocks; block++, a += splitTileBytes, b += splitTileBytes) {
    LOAD_A(0) LOAD_B(2) PRODUCTS  // h l
    LOAD_B(1) PRODUCTS            // h m
    LOAD_A(1) PRODUCTS            // m m
    LOAD_B(0) PRODUCTS            // m h
    LOAD_A(2) PRODUCTS            // l h
    LOAD_A(0) PRODUCTS            // h h
  }
  _tile_stored(0, sums, rowBytes);
  if (twoB) _tile_stored(1, sums + square, rowBytes);
  if (twoA) _tile_stored(2, sums + 2 * square, rowBytes);
  if (twoA && twoB) _tile_stored(3, sums + 3 * square, rowBytes);
}

UNIT void multiplySplit(
    const void *a0, const void *a1, const void *b0, const void *b1, long blocks, bool adding, float *sums) {
  ptrdiff_t nextA = a1 ? (const char *)a1 - (const char *)a0 : 0;
  ptrdiff_t nextB = b1 ? (const char *)b1 - (const char *)b0 : 0;
  if (a1 && b1) {
    multiply(a0, nextA, b0, nextB, blocks, adding, sums, true, true);
  } else if (a1) {
    multiply(a0, nextA, b0, nextB, blocks, adding, sums, true, false);
  } else if (b1) {
    multiply(a0, nextA, b0, nextB, blocks, adding, sums, false, true);
  } else {
    multiply(a0, nextA, b0, nextB, blocks, adding, sums, false, false);
  }
}

#else

// Never called: the unit is not allowed.
bool allowMatrixUnit(void) { return false; }
void enterMatrixUnit(void) {}
void leaveMatrixUnit(void) {}
void splitRows(const float *low, long lowRows, const float *high, long highRows, void *tile) {}
void splitColumns(const float *low, long lowRows, const float *high, long highRows, void *tile) {}
void multiplySplit(
    const void *a0, const void *a1, const void *b0, const void *b1, long blocks, bool adding, float *sums) {}

#endif
