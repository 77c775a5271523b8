// /proc/sysvipc, as a folder, where the kernel has none of its files: it is played by one in the
// cell's own, with an empty file for each name. Programs list that one and go there; the files are
// views (views.h), wherever the folder is.
#pragma once

#include "core/base/types.h"

namespace ipcell {

// The path of the folder that plays it, made if it is missing. False if the kernel has the files,
// or there is no cell.
bool write_proc_folder(char* out, std::size_t size);
// True if `path` is that folder, as the kernel tells it. Maps the cell if the text looks like it.
bool plays_proc_folder(const char* path, std::size_t length);

}  // namespace ipcell
