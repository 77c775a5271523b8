// Files that are mapped by a process that may open none: all of its descriptors are taken. A child
// that shares its memory, but has descriptors of its own, closes some of these and does it.
#pragma once

namespace ipcell {

// True if the process can open nothing more.
bool has_no_descriptor_left();

// `run(argument)` in such a child. It must not ask for what is a process's own (its pid, say).
// False if there can be no child. Signals are blocked by the caller.
bool run_with_descriptors(void (*run)(void*), void* argument);

template <class Run>
bool run_with_descriptors(Run run) {
  return run_with_descriptors([](void* what) { (*static_cast<Run*>(what))(); }, &run);
}

}  // namespace ipcell
