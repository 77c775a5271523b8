// The environment's word on where things are: cells, and the library to preload.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/cell/cell.h"
#include "core/cell/cell_dir.h"

namespace ipcell::cli {

class Places {
 public:
  // Reads IPCELL_DIR, XDG_RUNTIME_DIR and IPCELL_LIBRARY.
  Places();

  // Speaks of this object's and `name`'s characters: both must outlive it.
  DirRequest request(const char* name = nullptr, u32 mode = 0600) const;
  // The base folder that new cells of `mode` go to; made if it is missing. Throws Failure.
  std::string base_for(u32 mode) const;
  // The base folder as it is, one of several users' cells included; empty if there is none yet.
  // `mode` is that of the cells to be expected there.
  std::string present_base(u32* mode) const;
  // What LD_PRELOAD is to name. Throws Failure if there is no such file, or its path cannot stand
  // there.
  std::string library() const;

 private:
  std::string ipcell_dir_;
  std::string xdg_runtime_dir_;
  std::string library_;
};

// The files that a path in LD_PRELOAD stands for: one, or several if there is a $LIB in it, for
// which each loader puts the name of its folder of libraries.
std::vector<std::string> library_files(const std::string& library);

// "PATH: what is wrong and what to do."
std::string explain(const DirStatus& status, const char* path);
std::string explain(const CellStatus& status, const char* path);

// How this build's cells are opened; a cell of `mode` that lets others in is opened as a shared
// one.
Cell::Options cell_options(u32 mode);

// The path of a file in /proc/self's own executable's folder, with links resolved.
std::filesystem::path own_folder();

}  // namespace ipcell::cli
