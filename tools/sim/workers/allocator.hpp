// operator new and delete of the programs that run histories. A history makes some 80,000 small
// objects and frees them all; free lists by size make that a few instructions each. Memory that a
// history gave back stays with the process for the next one.
#pragma once

namespace holdfast::tools {

/// To be called first in main(): the kernel is not asked for the same large blocks at each history.
/// Its call also makes the linker take operator new from here, except in builds with a sanitizer,
/// which has its own.
void tune_allocator();

}  // namespace holdfast::tools
