// What the run-time libraries of sanitizers are to be told of.
#pragma once

namespace ipcell {

// A child of vfork(2) has used the stack below `stack`. Their own function for it, which would tell
// them, is behind ours.
void tell_of_vfork(void* stack);

}  // namespace ipcell
