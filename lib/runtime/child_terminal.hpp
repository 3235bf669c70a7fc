// The container's terminal. Of the child: nothing allocates or throws.
#pragma once

#include "runtime/child_files.hpp"

namespace lade::runtime {

// Opens a pair, sends the master over the socket `console_fd` and makes the slave the standard streams and
// the controlling terminal. 0, or a negated errno or ChildFault.
int open_terminal(const ChildRoot& root, const step::OpenTerminal& step, int console_fd);

}  // namespace lade::runtime
