/*
 * queues_max queues at a time in a namespace, 256 by default: one more is ENOSPC, unless the caller
 * has CAP_SYS_RESOURCE, which root may lack. An unlinked queue counts until its last descriptor is
 * closed.
 */
#include "mq_sysctl.h"
#include <linux/capability.h>

enum { USER = 32002 };

static mqd_t try_queue(int number) {
  char name[32];
  struct mq_attr attr = room_for(1, 1);
  snprintf(name, sizeof name, "/%d", number);
  return mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
}

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  pid_t child = fork_child();
  if (child == 0) {
    become(USER, USER, 0);
    for (int i = 0; i < DEFAULT_QUEUES; i++) CLOSE_QUEUE(CHECK_OK(try_queue(i)));
    CHECK_ERRNO(try_queue(256), ENOSPC);
    CHECK_ERRNO(try_queue(256), ENOSPC);
    mqd_t open = CHECK_OK(try_queue(7));
    REMOVE_QUEUE("/7");
    CHECK_ERRNO(try_queue(7), ENOSPC);
    CLOSE_QUEUE(open);
    CLOSE_QUEUE(CHECK_OK(try_queue(7)));
    CHECK_ERRNO(try_queue(256), ENOSPC);
    _exit(0);
  }
  CHECK_CHILD(child);
  mqd_t beyond = try_queue(256);
  if (!has_capability(CAP_SYS_RESOURCE)) {
    CHECK_EQ(beyond, -1);
    CHECK_EQ(put_text(QUEUES_MAX_FILE, "257"), 0);
    beyond = CHECK_OK(try_queue(256));
    CHECK_EQ(put_text(QUEUES_MAX_FILE, "256"), 0);
  }
  CLOSE_QUEUE(beyond);

  child = fork_child();
  if (child == 0) {
    become(USER, USER, 0);
    REMOVE_QUEUE("/8");
    CHECK_ERRNO(try_queue(8), ENOSPC);
    REMOVE_QUEUE("/9");
    CLOSE_QUEUE(CHECK_OK(try_queue(8)));
    _exit(0);
  }
  CHECK_CHILD(child);

  for (int i = 0; i <= DEFAULT_QUEUES; i++) {
    char name[32];
    snprintf(name, sizeof name, "/%d", i);
    CHECK_EQ(mq_unlink(name), i == 9 ? -1 : 0);
  }
}
