// The package manager wants a source file; the functions are in the header, to be inlined.
#include "Intrinsics.h"
