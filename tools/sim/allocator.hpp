// glibc's allocator, set up for histories: each gives back at its end what the next one wants
// again.
#pragma once

namespace holdfast::tools {

/// To be called first in main(). Some of it glibc reads from the environment at the start of a
/// process, so the program starts itself anew, once, unless GLIBC_TUNABLES is set already.
void tune_allocator(char** argv);

}  // namespace holdfast::tools
