/*
 * qbytes may be set to anything up to msgmnb, less than the queue holds and 0 included; above it
 * only with CAP_SYS_RESOURCE, which root may lack: EPERM.
 */
#include "msg_check.h"
#include <linux/capability.h>

enum { OWNER = 10001 };

int main(void) {
  int id = new_queue();
  CHECK_EQ(send_sized(id, 1, 100, 0), 0);

  set_qbytes(id, 50);
  CHECK_EQ(stat_queue(id).msg_cbytes, 100);
  CHECK_ERRNO(send_sized(id, 1, 0, IPC_NOWAIT), EAGAIN);
  set_qbytes(id, 0);
  CHECK_EQ(stat_queue(id).msg_qbytes, 0);
  set_qbytes(id, 101);
  CHECK_EQ(send_sized(id, 1, 1, IPC_NOWAIT), 0);
  CHECK_ERRNO(send_sized(id, 1, 1, IPC_NOWAIT), EAGAIN);
  set_qbytes(id, DEFAULT_MSGMNB);

  struct msqid_ds ds = stat_queue(id);
  bool may_exceed = can_become_others() && has_capability(CAP_SYS_RESOURCE);
  const unsigned long too_much[] = {DEFAULT_MSGMNB + 1, 0x80000000ul, ULONG_MAX};
  for (int i = 0; i < 3; i++) {
    ds.msg_qbytes = too_much[i];
    if (may_exceed)
      CHECK_EQ(msgctl(id, IPC_SET, &ds), 0);
    else
      CHECK_ERRNO(msgctl(id, IPC_SET, &ds), EPERM);
    CHECK_EQ(stat_queue(id).msg_qbytes, may_exceed ? (long long)too_much[i] : DEFAULT_MSGMNB);
  }

  /* The owner's right to IPC_SET does not include it; and EPERM comes before EINVAL for an
   * impossible uid. */
  if (can_become_others()) {
    pid_t child = fork_child();
    if (child == 0) {
      become(OWNER, OWNER, 0);
      int own = new_queue();
      ds = stat_queue(own);
      ds.msg_perm.uid = -1;
      CHECK_ERRNO(msgctl(own, IPC_SET, &ds), EINVAL);
      ds.msg_qbytes = DEFAULT_MSGMNB + 1;
      CHECK_ERRNO(msgctl(own, IPC_SET, &ds), EPERM);
      REMOVE_QUEUE(own);
      _exit(0);
    }
    CHECK_CHILD(child);
  }
  REMOVE_QUEUE(id);
}
