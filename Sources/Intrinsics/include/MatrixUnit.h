// MatrixUnit.h — the matrix unit of x86 processors (AMX), which Swift has no words for: products of tiles of bfloat16.
//
// A float32 x is the sum of three bfloat16, h + m + l: h is x rounded to 8 bits, m what is left of x, and l the rest, exactly.
// A product of two such sums needs six of its nine parts, h h + h m + m h + h l + m m + l h: the others are together below
// 2⁻²⁴ of it, less than float32 rounds away. That holds from 2⁻¹⁰³ to 2¹²⁷: the unit takes parts and products below 2⁻¹²⁶ for
// zero, and what is larger than 3.39e38, or infinite, becomes NaN.
//
// A tile holds one such part of 16 rows and 32 steps of k, as 16 pairs: pair p is (k, k + 16), the first in the lower half. The
// three parts of a tile follow one another, and the blocks of 32 steps of k after them.

#ifndef MATRIX_UNIT_H
#define MATRIX_UNIT_H

#include <stdbool.h>

/// Bytes of a tile: 16 rows of 16 pairs.
enum { tileBytes = 1024, splitTileBytes = 3 * tileBytes };

/// Asks the system for the unit, for this process; false where there is none.
bool allowMatrixUnit(void);

/// Makes the unit ready on this thread, until `leaveMatrixUnit`. Nothing else in the program uses its registers.
void enterMatrixUnit(void);
void leaveMatrixUnit(void);

/// Splits two squares of 16 × 16 values, steps k … k + 15 and k + 16 … k + 31 of 16 rows, into one tile's three parts.
///
/// Rows past `lowRows` and `highRows` are not read and are zero.
void splitRows(
    const float *_Nonnull low, long lowRows, const float *_Nonnull high, long highRows, void *_Nonnull tile);

/// The same from squares whose rows are steps of k: the tile has their columns as its rows.
void splitColumns(
    const float *_Nonnull low, long lowRows, const float *_Nonnull high, long highRows, void *_Nonnull tile);

/// Four squares of 16 × 16 sums, one after another: a₀ b₀, a₀ b₁, a₁ b₀, a₁ b₁ over some blocks of k, added to what is there or
/// not. Without a₁ or b₁ the squares that need it are not touched.
///
/// How the instruction adds, even and odd halves of the pairs apart, is specified to the bit, and no sum depends on another's row
/// or column.
void multiplySplit(
    const void *_Nonnull a0, const void *_Nullable a1, const void *_Nonnull b0, const void *_Nullable b1, long blocks,
    bool adding, float *_Nonnull sums);

#endif
