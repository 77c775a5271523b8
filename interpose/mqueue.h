// POSIX message queues, as libc's functions and syscall(2) call them: with the kernel's arguments
// and results (>= 0 or -errno).
#pragma once

#include "core/base/user_time.h"

struct mq_attr;
struct sigevent;

namespace ipcell {

// mq_open(2); open(2) of a file in /dev/mqueue, which is closed at exec(2) only if its flags say
// so.
long open_mqueue(const char* name, int flags, u32 mode, const struct mq_attr* attributes,
                 bool closes_on_exec);
long unlink_mqueue(const char* name);
long close_mqueue(int fd);
long send_mqueue(int fd, const char* text, std::size_t size, u32 priority, UserTime deadline);
long receive_mqueue(int fd, char* text, std::size_t size, u32* priority, UserTime deadline);
long get_set_mqueue(int fd, const struct mq_attr* wanted, struct mq_attr* old);
// mq_notify(2), but for SIGEV_THREAD.
long notify_mqueue(int fd, const struct sigevent* event);

}  // namespace ipcell
