// Asynchronous cancellation. libc's signal for it would unwind a thread that holds locks of a cell;
// so once the program asks for it, that signal comes by run_program_handler(), as any other.
#pragma once

namespace ipcell {

// libc's own pthread_setcanceltype(3).
int set_cancel_type(int type, int* old);

}  // namespace ipcell
