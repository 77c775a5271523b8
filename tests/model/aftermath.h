// What a cell must look like when all its queues are gone.
#pragma once

#include "core/cell/task.h"

namespace ipcell::model {

// Reaps the dead, removes all queues that are left, and looks for what should not be there: a
// static sentence, or nullptr. No other task may be at work.
const char* find_trouble(Task& task);

}  // namespace ipcell::model
