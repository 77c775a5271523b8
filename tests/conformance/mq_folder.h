/* For the programs that look into /dev/mqueue. */
#ifndef CONFORMANCE_MQ_FOLDER_H
#define CONFORMANCE_MQ_FOLDER_H

#include "mq_check.h"
#include <sched.h>
#include <sys/mount.h>

#define FOLDER "/dev/mqueue"
enum { MQUEUE_MAGIC = 0x19800202 };

static inline bool folder_is_ours(void) {
  mqd_t mq = NEW_QUEUE("/folder_is_ours", 1, 1);
  bool ours = access(FOLDER "/folder_is_ours", F_OK) == 0;
  CLOSE_QUEUE(mq);
  REMOVE_QUEUE("/folder_is_ours");
  return ours;
}

/*
 * /dev/mqueue shows the queues of the namespace that it was mounted in. Where that is not this one,
 * the program mounts its own, seen by itself and its children alone; a machine without the folder
 * gets an empty /dev to make it in.
 */
static inline void need_folder(void) {
  if (folder_is_ours()) return;
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    SKIP("needs the right to mount /dev/mqueue");
  if (access(FOLDER, F_OK) != 0 &&
      (mount("none", "/dev", "tmpfs", 0, NULL) != 0 || mkdir(FOLDER, 0755) != 0))
    SKIP("needs the right to mount a /dev");
  if (mount("none", FOLDER, "mqueue", 0, NULL) != 0)
    SKIP("needs the right to mount /dev/mqueue, got %s", strerrorname_np(errno));
  CHECK(folder_is_ours());
}

#endif
